"""What the pages and the circuit files say is there: files, links, commands, sources."""

import functools
import os
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import typer
from house import ROOT, SOURCE

import neostriatum
from neostriatum.cli import app

DESIGN = (ROOT / "docs" / "design.md").read_text("utf-8")
#: Commands of docs/design.md, section 9, that are not there yet.
PLANNED: set[str] = set()

PAGES = [*sorted((ROOT / "docs").glob("*.md")),
         *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md",
                                    "bench/README.md", "bench/diary.md", "verify/README.md"))]
#: Kinds of file that the repository keeps; others, such as HDF5, only a run or a user makes.
KINDS = "md|py|toml|json|html|css|ipynb|slurm|cff|png|txt"
FOLDERS = ("src", "tests", "docs", "bench", "verify", "examples", ".ci")
#: Names that no file of the repository has: whose they are, then whole or the last part of a path.
ELSEWHERE = {
    "a run makes it": ("runs", "run.json", "report.html"),
    "build makes it": ("anatomy.json",),
    "a sweep makes it": ("sweep.json", "figure.png", "points/0001", "0001.json"),
    "a user writes it": ("events.toml", "mine.toml", "mycells.py", "ten_lines.py", "raster.png"),
    "an export makes it": ("circuit_config.json", "simulation_config.json", "node_sets.json",
                           "neostriatum_network.json", "model.json", "mod"),
    "in a repository that docs/parameters.md cites": (
        "Planert2010.py", "analyse_striatum.py", "base_perturbations.py", "connectivity_data.csv",
        "default_params.py", "eNeuro_fig_01_and_02_pert.py", "equations.py", "init.py",
        "neuron_parameters.py", "simulation_parameters.py", "synaptic_parameters.py",
        "striatum-connectivity.json", "data/connectivity/striatum/README.md",
        "examples/notebooks/neuromodulation/data/planert2013",
        "examples/parallel/KTH_PDC/VBT_kir_scan/README"),
}
ALLOWED = {name for names in ELSEWHERE.values() for name in names}


def where(page: Path) -> str:
    """The path of a page, for the name of a test."""
    return str(page.relative_to(ROOT))


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def links(page: Path) -> list[str]:
    """The targets of the links of a page."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text("utf-8")))


def written(page: Path) -> set[str]:
    """The names of files and folders in a page: of these kinds anywhere, any path in backticks."""
    text = re.sub(r"https?://[^\s)>]+", "", page.read_text("utf-8"))
    path = r"[\w.*<>~-]+(?:/[\w.*<>~-]+)*"
    names = set(re.findall(rf"(?<![\w/.*>}}~-]){path}\.(?:{KINDS})\b(?![\w(])", text))
    for span in re.findall(r"`([^`\n]+)`", prose(text)):
        names |= {word for word in span.split()
                  if re.fullmatch(rf"{path}/", word)
                  or (re.fullmatch(path, word) and word.split("/")[0] in FOLDERS and "/" in word)}
    return names


def generated(path: Path) -> bool:
    """Whether `make docs` writes a page, as .gitignore says, so that no fresh clone has it."""
    inside = os.path.relpath(path, ROOT)
    lines = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    return any(fnmatch(inside, line.strip("/")) for line in lines if line.startswith("/docs/"))


def forms(name: str) -> set[str]:
    """A name as ALLOWED may have it."""
    return {name.rstrip("/"), Path(name).name}


def kept(name: str, page: Path) -> bool:
    """Whether the repository has a file: from its root, the page, the package, or one so named."""
    if any(any(place.glob(name.rstrip("/"))) for place in (ROOT, page.parent, SOURCE)):
        return True
    if generated(page.parent / name):
        return True
    return sum("_build" not in path.parts
               for folder in FOLDERS for path in (ROOT / folder).rglob(name)) == 1


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_names_of_files_exist(page: Path) -> None:
    missing = [name for name in written(page) if not forms(name) & ALLOWED]
    assert not sorted(name for name in missing if not kept(name, page))


def test_a_name_without_a_file_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("RELIABILITY.md says; `seed/`; a [page](other.md); `bench/gone.h5`\n"
                    "```\npython bench/none.py # `docs/design.md`, `rng.py`, run.json\n```\n")
    missing = {name for name in written(page) if not forms(name) & ALLOWED and not kept(name, page)}
    assert missing == {"RELIABILITY.md", "seed/", "other.md", "bench/gone.h5", "bench/none.py"}


def test_names_elsewhere_are_needed() -> None:
    assert {form for page in PAGES for name in written(page) for form in forms(name)} >= ALLOWED


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        target, _, heading = link.partition("#")
        if target.startswith(("http:", "https:")):
            continue
        linked = page.parent / target if target else page
        if generated(linked):
            continue
        assert linked.exists(), link
        assert not heading or heading in headings(linked), link


def headings(page: Path) -> set[str]:
    """The anchors of the headings of a page."""
    lines = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


def test_every_page_is_in_the_index() -> None:
    linked = {link.split("#")[0] for link in links(ROOT / "docs" / "README.md")}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"} <= linked


@functools.cache
def commands() -> dict[str, set[str]]:
    """The options of every command of the command line."""
    made = typer.main.get_command(app).commands
    return {name: {option for one in command.params for option in one.opts}
            for name, command in made.items()}


def fenced(path: Path) -> list[str]:
    """The lines inside the fenced blocks of a Markdown file."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_commands_of_the_pages_exist(page: Path) -> None:
    lines = [line for line in fenced(page) if line.startswith("neostriatum ")]
    assert len(lines) >= 5 or page != ROOT / "README.md"
    for line in lines:
        words = line.split("#")[0].split()
        assert words[1] in commands(), line
        asked = {word.split("=")[0] for word in words[2:] if word.startswith("--")}
        assert asked <= commands()[words[1]] | {"--help"}, line


def test_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    asked = [line.split()[1] for line in fenced(ROOT / "README.md") if line.startswith("make ")]
    assert {"run", "test"} <= set(asked) <= targets


def test_commands_of_the_design_exist() -> None:
    table = DESIGN.split("## 9. Commands")[1].split("`run`, `build`, `info` take")[0]
    spans = re.findall(r"`([^`]*)`", "\n".join(re.findall(r"^\| (`.*?) \| ", table, re.MULTILINE)))
    listed = {word for span in spans
              for word in span.removeprefix("neostriatum ").split()[0].split("/")}
    assert len(listed) >= 14
    assert not PLANNED & set(commands()), "now there: take it out of PLANNED"
    assert listed == PLANNED | set(commands())


# ---- the numbers ---------------------------------------------------------------------------------


def sources() -> dict[str, dict]:
    return tomllib.loads((SOURCE / "circuit" / "sources.toml").read_text("utf-8"))


def cited(node: object) -> Iterator[str]:
    """Every source that a circuit file names, at any depth."""
    if isinstance(node, dict):
        if isinstance(node.get("source"), str):
            yield node["source"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from cited(child)


def circuit_files() -> list[Path]:
    return [path for path in sorted((SOURCE / "circuit").rglob("*.toml"))
            if path.name != "sources.toml"]


@pytest.mark.parametrize("path", circuit_files(), ids=lambda path: path.name)
def test_sources_are_known(path: Path) -> None:
    raw = tomllib.loads(path.read_text("utf-8"))
    named_here = set(cited(raw))
    # An overlay may change what is assumed, or how a circuit is simulated.
    assert named_here or "extends" in raw or "parts" in raw
    assert named_here <= set(sources())


@pytest.mark.parametrize("key", sorted({
    key for path in circuit_files() for key in cited(tomllib.loads(path.read_text("utf-8")))
} & set(sources())))
def test_sources_can_be_found(key: str) -> None:
    """A DOI, or a note that says why there is none; code is found by its commit."""
    source = sources()[key]
    commit = re.search(r"\S+/\S+ at [0-9a-f]{7}", source["note"])
    assert source["title"]
    assert source["authors"]
    assert re.fullmatch(r"10\.\d{4,}/\S+", source.get("doi", "")) or (
        "DOI" in source["note"] or (source["kind"] in ("code", "data") and commit))


def test_citation_file_agrees() -> None:
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {neostriatum.__version__}\n" in text
    titles = dict(re.findall(r'title: "(.*)"\n(?:    .*\n)*?    doi: (\S+)', text))
    known = {source.get("doi"): source["title"] for source in sources().values()}
    ours = {title: doi for title, doi in titles.items() if doi in known}
    assert len(ours) >= 5
    assert all(known[doi] == title for title, doi in ours.items())
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    version = neostriatum.__version__
    if "dev" in version:
        assert f"\n## Unreleased ({version})\n" in changes
    else:
        dates = re.search(r"\ndate-released: (\S+)\n", text)
        assert dates
        assert f"\n## {version}, {dates[1]}\n" in changes
