"""The house rules that a machine can check: order of imports, sizes, nothing that runs data."""

import ast
import functools
import re
import statistics
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

import neostriatum
from neostriatum.cli import app

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "neostriatum"
FILES = sorted(SOURCE.rglob("*.py"))
MODULES = {str(path.relative_to(SOURCE)): path for path in FILES}

DESIGN = (ROOT / "docs" / "design.md").read_text("utf-8")
#: The rooms from the bottom to the top, as docs/design.md orders them.
ROOMS = re.findall(r"\w+", DESIGN.split("\n## 11. Rooms\n")[1].split("```")[1])
#: Imports that may go the other way: (file, module) with the reason. None is needed.
UPWARD: dict[tuple[str, str], str] = {}

#: Commands of docs/design.md, section 9, that are not there yet.
PLANNED: set[str] = set()

LONGEST = 450
MEDIAN = 120
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "stuff", "base2"}
RUN_DATA = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml",
            "code", "codeop", "runpy"}
CALLS = {"eval", "exec", "compile", "__import__"}
METHODS = {"eval", "query", "read_pickle", "to_pickle"}
SHELLS = {("os", "system"), ("os", "popen"), ("subprocess", "getoutput"),
          ("subprocess", "getstatusoutput")}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room(module: str) -> str:
    """The room of a dotted module of the package, or of a file inside it."""
    first = module.removeprefix("neostriatum.").split("/")[0].split(".")[0]
    return first.removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything of the package that a file imports, at any depth."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "neostriatum":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: relative import"
            if node.module == "neostriatum":
                for alias in node.names:
                    yield node.lineno, f"neostriatum.{alias.name}"
            elif node.module and node.module.startswith("neostriatum."):
                yield node.lineno, node.module
        elif (isinstance(node, ast.Constant) and isinstance(node.value, str)
              and re.fullmatch(r"neostriatum(\.\w+)+", node.value)):
            # A module named in a string is imported by import_module, or read as package data.
            yield node.lineno, node.value


def below_top(name: str) -> bool:
    """Whether a file stands in a room; the package's own names stand beside them."""
    return name not in ("__init__.py", "__main__.py")


def named(node: ast.AST) -> str:
    """The dotted name of an expression such as `np.random.seed`, else an empty string."""
    if isinstance(node, ast.Name):
        return {"np": "numpy", "pd": "pandas"}.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and named(node.value):
        return f"{named(node.value)}.{node.attr}"
    return ""


def found(check: Callable[[ast.AST], Iterator[str]],
          files: dict[str, Path] = MODULES) -> list[str]:
    """`file:line: what` of every node for which ``check`` says what is wrong."""
    return [f"{name}:{node.lineno}: {what}" for name, path in files.items()
            for node in ast.walk(tree(path)) for what in check(node)]


def test_the_walk_sees_the_package() -> None:
    assert len(FILES) > 40
    assert set(ROOMS) <= {room(name) for name in MODULES}
    assert len(set(ROOMS)) == len(ROOMS)


@pytest.mark.parametrize("name", [name for name in MODULES if below_top(name)])
def test_imports_point_one_way(name: str) -> None:
    mine = room(name)
    assert mine in ROOMS, f"{name}: a room that docs/design.md, section 11, does not order"
    wrong = []
    for line, module in imported(MODULES[name]):
        theirs = room(module)
        if theirs == "__version__" or (name, module) in UPWARD:
            continue
        if theirs not in ROOMS or ROOMS.index(theirs) > ROOMS.index(mine):
            wrong.append(f"{name}:{line}: imports {module}")
    assert not wrong, "\n".join(wrong)


def test_the_exceptions_are_needed() -> None:
    stale = [key for key in UPWARD if key[1] not in {m for _, m in imported(MODULES[key[0]])}]
    assert not stale


def test_sizes(record_property: Callable[[str, object], None]) -> None:
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    median = statistics.median(lines.values())
    record_property("median_lines", median)
    longest = sorted(lines, key=lines.__getitem__, reverse=True)[:5]
    print(f"median {median:g} lines (aim: {MEDIAN});", *(f"{n} {lines[n]}" for n in longest))
    assert not [f"{name}: {n} lines" for name, n in lines.items() if n > LONGEST]


def test_no_drawers() -> None:
    parts = [part for path in SOURCE.rglob("*") for part in (path.stem, path.name)]
    assert not DRAWERS & set(parts)


def test_nothing_runs_data() -> None:
    def check(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] in RUN_DATA)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.split(".")[0] in RUN_DATA:
                yield node.module
            yield from (f"{node.module}.{a.name}" for a in node.names
                        if (node.module, a.name) in SHELLS)
        elif isinstance(node, ast.Call):
            called = named(node.func)
            module, _, last = called.rpartition(".")
            if called in CALLS or (module, last) in SHELLS:
                yield f"{called}()"
            elif isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                yield f".{node.func.attr}()"
            for keyword in node.keywords:
                off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                if keyword.arg in ("shell", "allow_pickle") and not off:
                    yield f"{keyword.arg}=..."

    assert not found(check)
    assert list(check(ast.parse("np.load(f, allow_pickle=True)").body[0].value))
    assert list(check(ast.parse("from os import system").body[0]))
    assert list(check(ast.parse("table.eval('a + b')").body[0].value))


def test_print_only_in_the_shell() -> None:
    def check(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Call) and named(node.func) in (
                "print", "pprint", "sys.stdout.write", "sys.stderr.write", "typer.echo"):
            yield f"{named(node.func)}()"

    shell = {"cli.py", "terminal.py", *(name for name in MODULES if name.startswith("commands/"))}
    assert not found(check, {name: path for name, path in MODULES.items() if name not in shell})


def test_no_global_random_numbers() -> None:
    """A generator of its own with a seed, `np.random.default_rng(seed)`, is the one exception."""
    def check(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names
                        if a.name in ("random", "numpy.random", "secrets"))
        elif isinstance(node, ast.ImportFrom) and node.module in ("random", "numpy.random"):
            yield node.module
        elif isinstance(node, ast.ImportFrom) and node.module == "numpy":
            yield from (f"numpy.{a.name}" for a in node.names if a.name == "random")
        elif isinstance(node, ast.Attribute) and named(node.value) == "numpy.random":
            if node.attr not in ("default_rng", "Generator"):
                yield named(node)
        elif (isinstance(node, ast.Call) and not node.args
              and named(node.func) == "numpy.random.default_rng"):
            yield "numpy.random.default_rng without a seed"

    assert not found(check)
    assert list(check(ast.parse("np.random.seed(1)").body[0].value.func))
    assert list(check(ast.parse("np.random.default_rng()").body[0].value))


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    module = tree(MODULES[name])
    assert ast.get_docstring(module) or name == "__main__.py", f"{name} has no docstring"
    bare = [f"{name}:{node.lineno}: {node.name}" for node in module.body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
            and not node.name.startswith("_") and not ast.get_docstring(node)]
    assert not bare, "\n".join(bare)


# ---- the names of cell types ---------------------------------------------------------------------

TYPE_NAME = re.compile(r"(?<![A-Za-z])(dSPN|iSPN|FS|LTS|ChIN)(?![A-Za-z])")
#: Where a name of a cell type may stand in code: presets are data, these are the rest.
TYPED = ("circuit/aliases.py", "plotting/palette.py", "validation/", "learning/tasks/")
#: Files elsewhere that name a cell type, with the reason.
_EXAMPLE = "an example in a message or a help text"
_KEY = "the JSON key gap_per_FS, which is relied on"
STILL_TYPED = {
    "analysis/anatomy.py": _KEY,
    "commands/app.py": _EXAMPLE,
    "network/network.py": "the place of FS-FS in the hash of a network and in its file",
    "recording/selection.py": _EXAMPLE,
    "terminal.py": _KEY,
}


def typed(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string of code, docstrings apart, that names a cell type."""
    documents = {id(node.body[0].value) for node in ast.walk(tree(path))
                 if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body
                 and isinstance(node.body[0], ast.Expr)}
    for node in ast.walk(tree(path)):
        if (isinstance(node, ast.Constant) and isinstance(node.value, str)
                and id(node) not in documents and TYPE_NAME.search(node.value)):
            yield node.lineno, node.value


def test_no_cell_type_is_named_in_code() -> None:
    named_here = [f"{name}:{line}: {text!r}" for name, path in MODULES.items()
                  if not name.startswith(TYPED) and name not in STILL_TYPED
                  for line, text in typed(path)]
    assert not named_here, "\n".join(named_here)


def test_cell_types_still_named_are_there() -> None:
    """A file that names none leaves the list."""
    assert [name for name in STILL_TYPED if name in MODULES and not any(typed(MODULES[name]))] == []


def test_a_named_cell_type_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('"""An FS cell."""\n# dSPN\nx = {"dSPN": f"FS->{1}"}\ny = "gap_per_FS, SFS"\n'
                    'def f():\n    """Return iSPN."""\n    return "cells.iSPN.C", "OFFS"\n')
    assert [text for _, text in sorted(typed(path))] == [
        "FS->", "dSPN", "gap_per_FS, SFS", "cells.iSPN.C"]


# ---- the documents -------------------------------------------------------------------------------

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
    "a user writes it": ("events.toml", "mine.toml", "mycells.py"),
    "an export makes it": ("circuit_config.json", "simulation_config.json", "node_sets.json",
                           "neostriatum_network.json"),
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


def forms(name: str) -> set[str]:
    """A name as ALLOWED may have it."""
    return {name.rstrip("/"), Path(name).name}


def kept(name: str, page: Path) -> bool:
    """Whether the repository has a file: from its root, the page, the package, or one so named."""
    if any(any(place.glob(name.rstrip("/"))) for place in (ROOT, page.parent, SOURCE)):
        return True
    return sum(1 for folder in FOLDERS for _ in (ROOT / folder).rglob(name)) == 1


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
    assert named_here or "extends" in raw
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
    assert f"\n## Unreleased ({neostriatum.__version__})\n" in changes
