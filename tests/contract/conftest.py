"""The engines under test: every engine of the package behind one fixture."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import compare
import nets
import pytest

from neostriatum.engines import base
from neostriatum.errors import EngineMissing

HERE = Path(__file__).parent
#: Engines that compile for every run: only in tests marked `compiled`.
COMPILED = ("brian2",)
#: Options that keep an engine from compiling, or from threads where cells are few.
OPTIONS = {"brian2-runtime": {"target": "numpy"}, "nest": {"threads": 1}}
QUICK = tuple(name for name in base.names() if name not in COMPILED)

#: What pyparsing 3.3 says when Brian2 calls it by its older names.
OLD_NAMES = "ignore:'[a-zA-Z]+' (argument is )?deprecated:DeprecationWarning"


@dataclass(frozen=True)
class Maker:
    """Makes fresh engines of one name."""

    name: str
    #: Options other than the usual ones, as (name, value).
    options: tuple[tuple[str, Any], ...] = ()

    def __call__(self, **options: Any) -> base.Engine:
        """Return a new engine, or skip the test if its library is missing."""
        try:
            usual = OPTIONS.get(self.name, {}) | dict(self.options)
            return base.engine(self.name, **usual | options)
        except EngineMissing as error:
            if self.name == "nest" and os.environ.get("NEOSTRIATUM_REQUIRE_NEST") == "1":
                raise
            pytest.skip(str(error))


def pytest_collection_modifyitems(items):
    """Let Brian2 call pyparsing by its older names even under ``-W error`` as an option."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings(OLD_NAMES))


def of_name(name):
    """Return the maker of an engine; skip before the test has worked for nothing."""
    required = os.environ.get("NEOSTRIATUM_REQUIRE_NEST") == "1"
    if name == "nest" and not required and find_spec("nest") is None:
        pytest.skip("engine nest: needs NEST 3.10")
    return Maker(name)


@pytest.fixture(params=QUICK)
def engine(request):
    """Every engine that needs no compiling."""
    return of_name(request.param)


@pytest.fixture(params=[name for name in QUICK if name != "reference"])
def rival(request):
    """Every engine that is compared with the reference."""
    return of_name(request.param)


@pytest.fixture(params=COMPILED)
def compiled(request):
    """Every engine that compiles; only for tests marked so."""
    return Maker(request.param)


@pytest.fixture(params=["brian2", "brian2-runtime"])
def native(request):
    """Both kinds of compiled Brian2 code, C++ and Cython; only for tests marked so."""
    return Maker(request.param, (("target", "cython"),) if request.param != "brian2" else ())


@pytest.fixture(scope="session")
def net(tmp_path_factory):
    """Return the net of a name, made once."""
    made = {}

    def get(name: str) -> nets.Net:
        if name not in made:
            made[name] = nets.ALL[name](tmp_path_factory.mktemp(name))
        return made[name]

    return get


@pytest.fixture(scope="session")
def result(net):
    """Return the result of a named net on an engine, simulated once."""
    made = {}

    def get(maker: Maker, name: str) -> compare.Result:
        if (maker.name, name) not in made:
            made[maker.name, name] = compare.simulate(maker, net(name))
        return made[maker.name, name]

    return get


@pytest.fixture
def runtime():
    """Brian2 without a compiler."""
    return Maker("brian2-runtime")


@pytest.fixture
def reference():
    """The oracle."""
    return Maker("reference")
