"""The badges of README.md, written from pyproject.toml: python docs/extensions/badges.py."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "figures" / "badges"
#: Width of a letter, of the space around a text, and height [px].
LETTER, SPACE, HEIGHT = 6.6, 12, 20
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{height}" role="img" \
aria-label="{left}: {right}">
<title>{left}: {right}</title>
<rect width="{wide}" height="{height}" rx="3" fill="#444"/>
<path d="M{edge} 0h{rest}a3 3 0 0 1 3 3v{side}a3 3 0 0 1-3 3h-{rest}z" fill="#0065A3"/>
<g fill="#fff" text-anchor="middle" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11">
<text x="{first}" y="14">{left}</text>
<text x="{second}" y="14">{right}</text>
</g>
</svg>
"""


def facts() -> dict[str, tuple[str, str]]:
    """Return what every badge says, by the name of its file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    known = dict(line.rsplit(" :: ", 1) for line in project["classifiers"])
    tested = [line.rsplit(" :: ", 1)[1] for line in project["classifiers"]
              if line.startswith("Programming Language :: Python :: 3.")]
    return {
        "python": ("Python", f"{tested[0]} to {tested[-1]}"),
        "platform": ("tested on", known["Operating System :: POSIX"]),
        "licence": ("licence", project["license"]),
        "status": ("status", known["Development Status"].split(" - ")[1].lower()),
    }


def drawn(left: str, right: str) -> str:
    """Return a badge as SVG."""
    widths = [round(LETTER * len(text) + SPACE) for text in (left, right)]
    return PICTURE.format(
        left=left, right=right, wide=sum(widths), height=HEIGHT, edge=widths[0],
        rest=widths[1] - 3, side=HEIGHT - 6, first=widths[0] / 2,
        second=widths[0] + widths[1] / 2)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, texts in facts().items():
        (FOLDER / f"{name}.svg").write_text(drawn(*texts), "utf-8")
