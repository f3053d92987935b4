"""Pages that stand outside docs/, copied into the site, and the links that lead out of it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
#: Files of the repository that are pages of the site as well, by where the site has them.
COPIED = {
    "README.md": "docs/start/readme.md",
    "docs/README.md": "docs/start/questions.md",
    "CHANGELOG.md": "docs/project/changelog.md",
    "CONTRIBUTING.md": "docs/project/contributing.md",
    "SECURITY.md": "docs/project/security.md",
    "bench/README.md": "docs/project/bench.md",
    "bench/diary.md": "docs/project/diary.md",
    "verify/README.md": "docs/project/verify.md",
}
LINK = re.compile(r"(!?)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s#]*)(#[^)\s]*)?\)")


def rewritten(text: str, was: str, now: str) -> str:
    """Return a page with its links as they lead from where the site has the page.

    Parameters
    ----------
    text : str
        The page.
    was, now : str
        Its path in the repository, and in the site's sources.
    """
    def replaced(match: re.Match[str]) -> str:
        mark, label, target, anchor = match.groups(default="")
        if not target or re.match(r"\w+:", target):
            return match[0]
        path = os.path.normpath(Path(was).parent / target)
        if not (ROOT / path).exists():
            return match[0]
        if (ROOT / path).is_dir() or not (path.startswith("docs/") or path in COPIED):
            return label  # a file of the repository that no page shows
        path = COPIED.get(path, path)
        return f"{mark}[{label}]({os.path.relpath(path, Path(now).parent)}{anchor})"

    # Fenced blocks hold code, in which brackets before parentheses are no links.
    parts = re.split(r"(^```.*?^```[ ]*$)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if part.startswith("```") else LINK.sub(replaced, part) for part in parts)


def written(path: Path, text: str) -> None:
    """Write a generated page where it is not there as it is, so that Sphinx reads less anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def copy(app: Sphinx) -> None:
    """Write the copies of the pages from outside."""
    for was, now in COPIED.items():
        written(ROOT / now, rewritten((ROOT / was).read_text("utf-8"), was, now))


def read(app: Sphinx, name: str, source: list[str]) -> None:
    """Turn the links of a page of docs/ that lead outside."""
    page = f"docs/{name}.md"
    if page not in COPIED.values() and (ROOT / page).is_file():
        source[0] = rewritten(source[0], page, page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both."""
    app.connect("builder-inited", copy)
    app.connect("source-read", read)
    return {"parallel_read_safe": True}
