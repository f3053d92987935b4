"""JSON Schemas of circuit files and of the output of commands, written beside the pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from neostriatum.information import schema_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = Path(__file__).parents[1] / "schemas"


def write(app: Sphinx, error: Exception | None) -> None:
    """Write every schema into the folder of the site."""
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir) / "schemas"
        folder.mkdir(exist_ok=True)
        for path in sorted(FOLDER.glob("*.json")):
            (folder / path.name).write_text(path.read_text("utf-8"), "utf-8")
        (folder / "circuit.json").write_text(json.dumps(schema_of(), indent=1) + "\n", "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the files once the site is built."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}
