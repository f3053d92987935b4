"""The names of the package: what editors, help and a star import see of it."""

import ast
import pydoc
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import neostriatum as ns


def test_dir_shows_what_there_is():
    assert set(ns.__all__) <= set(dir(ns))
    public = {name for name in dir(ns) if not name.startswith("_")}
    assert all(isinstance(getattr(ns, name), ModuleType) for name in public - set(ns.__all__))
    for name in dir(ns):
        getattr(ns, name)
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        ns.laod  # noqa: B018


def test_editors_see_every_name():
    tree = ast.parse(Path(ns.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            seen[alias.asname or alias.name] = (node.module, alias.name)
    assert set(seen) == set(ns.__all__) - {"__version__"}
    # A package that can be called, whichever was imported first.
    assert callable(ns.live)
    assert seen.pop("live") == ("neostriatum.live.notebook", "live")
    for name, (module, theirs) in seen.items():
        assert getattr(ns, name) is (import_module(f"{module}.{theirs}") if name == "plot"
                                     else getattr(import_module(module), theirs))


STAR = """
from neostriatum import *
print(load.__name__, Run.__name__, plot.__name__, len([name for name in dir() if name[0] != "_"]))
"""


def test_star_and_import_alone():
    done = subprocess.run([sys.executable, "-c", STAR], capture_output=True, text=True, check=True)
    assert done.stdout.split()[:3] == ["load", "Run", "neostriatum.plotting"]
    assert int(done.stdout.split()[3]) == len(ns.__all__) - 1
    quick = "import sys, neostriatum; dir(neostriatum); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", quick], check=False).returncode == 0


def test_help_shows_every_function():
    page = pydoc.plain(pydoc.render_doc(ns))
    for name in ns.__all__:
        assert name in page
    assert "Load a circuit with what it extends, app" in page
