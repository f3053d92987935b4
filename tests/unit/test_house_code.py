"""What code may not do: run data, print, draw global random numbers, name cell types."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from house import MODULES, found, named, tree

RUN_DATA = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml",
            "code", "codeop", "runpy"}
CALLS = {"eval", "exec", "compile", "__import__"}
METHODS = {"eval", "query", "read_pickle", "to_pickle"}
SHELLS = {("os", "system"), ("os", "popen"), ("subprocess", "getoutput"),
          ("subprocess", "getstatusoutput")}


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
    "network/edges.py": "the place of FS-FS in the hash of a network and in its file",
    "recording/selection.py": _EXAMPLE,
    "commands/network.py": _KEY,
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
