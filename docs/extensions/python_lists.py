"""Lists of the public names of a module, which the pages of Python include."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from outside import written

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = Path(__file__).parents[1] / "reference" / "api" / "listed"
#: Modules whose names are all listed, by the page that does.
LISTED = {"plotting": "neostriatum.plotting", "measures": "neostriatum.analysis",
          "equations": "neostriatum.models"}


def directive(module: str, name: str) -> str:
    """Return what documents a name, nothing for a table or symbol that the page explains."""
    thing = getattr(import_module(module), name)
    if inspect.isclass(thing):
        return f".. autoclass:: {module}.{name}\n   :exclude-members: __init__, __new__\n"
    return f".. autofunction:: {module}.{name}\n" if inspect.isfunction(thing) else ""


def listing(module: str) -> str:
    """Return the list of a module."""
    names = import_module(module).__all__
    lines = [text for text in (directive(module, name) for name in names) if text]
    return "```{eval-rst}\n" + "\n".join(lines) + "```\n"


def write(app: Sphinx) -> None:
    """Write the lists."""
    for page, module in LISTED.items():
        written(FOLDER / f"{page}.md", listing(module))


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the lists before Sphinx reads."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
