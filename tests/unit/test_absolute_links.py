"""The page of a package index: README.md with addresses for links."""

import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

from house import ROOT

PLACE = "https://host/owner/neostriatum"


def absolute(text: str) -> str:
    """A page with its links as a release writes them."""
    loader = SourceFileLoader("absolute", str(ROOT / ".ci" / "absolute"))
    script = module_from_spec(spec_from_loader("absolute", loader))
    loader.exec_module(script)
    return script.absolute(text, PLACE, "v1")


def test_links_become_addresses() -> None:
    assert absolute("[a](docs/b.md#c) ![d](docs/e.png) [f](https://g) [h](#i)\n"
                    "```\n[j](k)\n```\n") == (
        f"[a]({PLACE}/blob/v1/docs/b.md#c) ![d]({PLACE}/raw/v1/docs/e.png) [f](https://g) [h](#i)\n"
        "```\n[j](k)\n```\n")


def test_none_of_the_readme_is_left() -> None:
    text = absolute((ROOT / "README.md").read_text("utf-8"))
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(links) > 10
    assert not [link for link in links if not link.startswith("https://")]
    for link in links:
        if link.startswith(PLACE):
            inside = re.sub(r"^(blob|raw)/v1/", "", link.removeprefix(f"{PLACE}/")).split("#")[0]
            assert (ROOT / Path(inside)).exists(), link
