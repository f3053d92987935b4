"""Follow every link inside the built site, to its file and to its place in a page.

    make docs && python verify/site_links.py [docs/_build/html]

Sphinx checks the links that it makes; this checks what came out, pictures and raw HTML too.
"""

import argparse
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and the places in it that links can name."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links, self.places = [], set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a tag links to, and what it is called."""
        for key, value in attrs:
            if value and key in ("href", "src"):
                self.links.append(value)
            elif value and key in ("id", "name"):
                self.places.add(value)


#: A page that is read once.
page = cache(Page)


def broken(path: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    missing = []
    for link in page(path).links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        there = target.exists() and (not parts.fragment or target.suffix != ".html"
                                     or unquote(parts.fragment) in page(target).places)
        if not there:
            missing.append(link)
    return missing


def main() -> int:
    """Print every broken link and the number of all; return 1 if one is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path, nargs="?", default=Path("docs/_build/html"))
    site = parser.parse_args().site.resolve()
    # The theme brings templates, which are no pages.
    pages = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    missing = [(path, link) for path in pages for link in broken(path)]
    for path, link in missing:
        print(f"{path.relative_to(site)}: {link}")
    print(f"{len(pages)} pages, {sum(len(page(path).links) for path in pages)} links, "
          f"{len(missing)} broken")
    return int(bool(missing) or not pages)


if __name__ == "__main__":
    sys.exit(main())
