"""The gallery: a script per figure, run while the site is built, with its figure and its text."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from outside import written

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
GALLERY = DOCS / "gallery"
HEAD = """# Gallery

Each figure comes from the script under it, which runs while this site is built. Copy one, change
the circuit, run it with `python`; small networks keep it quick.

::::{{grid}} 1 2 3 3
:gutter: 3

{cards}
::::

```{{toctree}}
:hidden:

{names}
```
"""
CARD = """:::{{grid-item-card}} {title}
:link: {name}
:link-type: doc
:class-img-top: gallery-picture
:img-top: pictures/drawn-{name}.png
:::
"""


def scripts() -> list[Path]:
    """Return the scripts in the order of their names."""
    return sorted(GALLERY.glob("*.py"))


def words(script: Path) -> tuple[str, str]:
    """Return title and text of a script, from its docstring."""
    title, _, text = (ast.get_docstring(ast.parse(script.read_text("utf-8"))) or "").partition("\n")
    return title.rstrip("."), text.strip()


def draw(script: Path, package: str) -> None:
    """Run a script in an empty folder and keep its figure, unless the same script drew it."""
    picture = GALLERY / "pictures" / f"drawn-{script.stem}.png"
    mark = picture.with_suffix(".drawn")
    digest = hashlib.sha256(package.encode() + script.read_bytes()).hexdigest()
    if picture.is_file() and mark.is_file() and mark.read_text() == digest:
        return
    picture.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(script)], cwd=folder, check=True, timeout=300,
                       env=os.environ | {"MPLBACKEND": "agg"})
        picture.write_bytes((Path(folder) / "figure.png").read_bytes())
    mark.write_text(digest)


def write(app: Sphinx) -> None:
    """Draw every figure and write the pages."""
    cards, names = [], []
    if app.config.nb_execution_mode != "off":
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(partial(draw, package=app.config.nb_execution_cache_path), scripts()))
    for script in scripts():
        title, text = words(script)
        code = script.read_text("utf-8").split('"""', 2)[2].strip()
        written(GALLERY / f"{script.stem}.md",
                f"# {title}\n\n![{title}](pictures/drawn-{script.stem}.png)\n\n{text}\n\n"
                f"```python\n{code}\n```\n")
        cards.append(CARD.format(title=title, name=script.stem))
        names.append(script.stem)
    written(GALLERY / "index.md", HEAD.format(cards="\n".join(cards), names="\n".join(names)))


def setup(app: Sphinx) -> dict[str, bool]:
    """Draw before Sphinx reads."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
