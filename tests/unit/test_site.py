"""The site: every public name with an example, every page in a list, every command there."""

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest
import typer

import neostriatum as ns
from neostriatum import analysis, models
from neostriatum.cli import app

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS / "extensions"))
badges = importlib.import_module("badges")
outside = importlib.import_module("outside")
command_pages = importlib.import_module("command_pages")
python_lists = importlib.import_module("python_lists")
number_pages = importlib.import_module("number_pages")
target_pages = importlib.import_module("target_pages")
picture_pages = importlib.import_module("picture_pages")

#: Pages that the site writes itself, and those that are no page of it.
WRITTEN = {"commands", "numbers", "presets", "sources", "targets"}
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if path != DOCS / "README.md"
         and "_build" not in path.parts and path.relative_to(DOCS.parent).as_posix()
         not in outside.COPIED.values() and path.parent.name != "gallery"
         and not (path.parent.name == "reference" and path.stem in WRITTEN)
         and path.parent.name != "listed"]
PYTHON = sorted((DOCS / "reference" / "api").glob("*.md"))
CLASSES = {"Circuit": ns.Circuit, "Network": ns.Network, "Run": ns.Run}
MODELS = (models.CellModel, models.ReceptorModel, models.ReleaseModel, models.LearningRule)


def cells(text: str) -> str:
    """The code that runs in a page."""
    return "\n".join(re.findall(r"^```\{code-cell\}.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


PYTHON_TEXT = "\n".join([*(path.read_text("utf-8") for path in PYTHON),
                         *map(python_lists.listing, python_lists.LISTED.values())])
CODE = "\n".join(cells(path.read_text("utf-8")) for path in PYTHON)


def public() -> dict[str, object]:
    """What the package and its public rooms offer, by dotted name."""
    rooms = {"neostriatum": ns, "neostriatum.plotting": ns.plot, "neostriatum.analysis": analysis,
             "neostriatum.models": models}
    return {f"{place}.{name}": getattr(room, name) for place, room in rooms.items()
            for name in room.__all__ if name not in ("__version__", "plot")}


def has_example(thing: object) -> bool:
    """Whether a docstring has an example that runs."""
    if inspect.ismodule(thing):  # the package `live` can be called, and stands for its function
        thing = importlib.import_module(f"{thing.__name__}.notebook").live
    text = inspect.getdoc(thing) or ""
    return ">>> " in text.split("Examples\n", 1)[-1] and "+SKIP" not in text and "Examples" in text


@pytest.mark.parametrize("name", public())
def test_public_names_have_a_page_and_an_example(name):
    last = name.rsplit(".", 1)[-1]
    plain = last in ("COLOURS", "FIGURES", "LEARNING", "I", "gain")
    assert plain or re.search(rf":: {name}$", PYTHON_TEXT, re.MULTILINE), "no page has it"
    assert has_example(public()[name]) or re.search(rf"\b{last}\b", CODE)


def members(kind: type) -> list[str]:
    """Public methods and properties of a class of ours."""
    return [name for name, value in vars(kind).items() if not name.startswith("_")
            and (callable(value) or isinstance(value, property)
                 or type(value).__name__ == "cached_property")
            and name not in (*getattr(kind, "model_fields", ()), "model_post_init")]


@pytest.mark.parametrize(("kind", "member"), [
    (name, member) for name, kind in CLASSES.items() for member in members(kind)])
def test_members_have_a_line_and_an_example(kind, member):
    page = DOCS / "reference" / "api" / f"{kind.lower()}.md"
    text = page.read_text("utf-8")
    assert re.search(rf"auto(attribute|method):: {member}$", text, re.MULTILINE), "not on its page"
    assert f".{member}" in cells(text)


@pytest.mark.parametrize(("kind", "member"), [
    (kind, member) for kind in MODELS for member in (*members(kind), "names", "hash")],
    ids=lambda value: getattr(value, "__name__", value))
def test_members_of_models_have_an_example(kind, member):
    examples = [line for line in inspect.getdoc(kind).splitlines() if line.startswith(">>> ")]
    assert any(re.search(rf"\.{member}\b", line) for line in examples)


def listed(page: Path) -> set[Path]:
    """The pages in the lists of contents of a page."""
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```", page.read_text("utf-8"),
                        re.DOTALL | re.MULTILINE)
    names = [line.strip() for block in blocks for line in block.splitlines()
             if line.strip() and not line.startswith(":")]
    names = [re.sub(r"^.*<(.*)>$", r"\1", name) for name in names]
    return {(page.parent / f"{name}.md").resolve() for name in names}


def test_every_page_is_in_a_list_of_contents():
    pages = [*PAGES, DOCS / "gallery" / "index.md"]
    every = set().union(*(listed(page) for page in PAGES))
    assert not [str(page) for page in pages if page.resolve() not in every | {
        (DOCS / "index.md").resolve()}]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_commands_exist(page):
    known = {name: {option for each in command.params for option in each.opts}
             for name, command in typer.main.get_command(app).commands.items()}
    for line in re.findall(r"^\$ neostriatum (.*)$", page.read_text("utf-8"), re.MULTILINE):
        command, *words = re.sub(r'"[^"]*"', "x", line.split("#")[0]).split()
        assert command in known, line
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= known[command]


def test_every_command_has_an_example():
    known = typer.main.get_command(app).commands
    assert set(command_pages.EXAMPLES) == set(known)
    assert all(line.split()[1] == name for name, line in command_pages.EXAMPLES.items())
    page = command_pages.page()
    assert "`--dopamine`" in page
    assert not [name for name in known if f"\n## {name}\n" not in page]


@pytest.mark.parametrize("script", picture_pages.scripts(), ids=lambda path: path.stem)
def test_scripts_of_the_gallery_say_what_they_draw(script):
    title, text = picture_pages.words(script)
    assert title
    assert text
    assert 'savefig("figure.png"' in script.read_text("utf-8")


def test_badges_are_true():
    readme = (DOCS.parent / "README.md").read_text("utf-8")
    facts = badges.facts()
    assert facts["python"] == ("Python", "3.11 to 3.14")
    for name, (left, right) in facts.items():
        assert (badges.FOLDER / f"{name}.svg").read_text("utf-8") == badges.drawn(left, right)
        assert f"![{left} {right}](docs/figures/badges/{name}.svg)" in readme
    assert {path.stem for path in badges.FOLDER.glob("*")} == set(facts)


def test_links_out_of_the_folder_are_turned():
    text = ("[a](../README.md#engines) [b](design.md) [c](../src/neostriatum/rng.py) [d](https://x.y)\n"
            "```\n[e](../README.md)\n```\n![f](figures/positions.png)\n")
    assert outside.rewritten(text, "docs/anatomy.md", "docs/anatomy.md") == (
        "[a](start/readme.md#engines) [b](design.md) c [d](https://x.y)\n"
        "```\n[e](../README.md)\n```\n![f](figures/positions.png)\n")
    assert outside.rewritten("[g](docs/design.md)", "CONTRIBUTING.md",
                             outside.COPIED["CONTRIBUTING.md"]) == "[g](../design.md)"


def test_every_number_and_target_is_a_row():
    from neostriatum.circuit.catalogue import presets
    from neostriatum.circuit.sources import sources
    from neostriatum.validation.targets import published

    rows = number_pages.numbers()
    assert {circuit for circuit, _, _ in rows} >= set(presets())
    assert number_pages.number_page().count("<tr data-circuit=") == len(rows)
    assert (("striatum", "cells.dSPN.parameters.C", "120.0 pF") in
            {(circuit, key, number["value"]) for circuit, key, number in rows})
    page = target_pages.page()
    assert all(f'<tr id="{target.id}"' in page for target in published().targets)
    page = number_pages.source_page()
    assert all(f"\n## {key}\n" in page for key in sources())
