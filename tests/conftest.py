"""What holds for every test: those marked `compiled` need a C++ compiler and make."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from neostriatum.engines.brian2_engine.engine import has_compiler
from neostriatum.plotting.gallery import figures_of
from neostriatum.reporting import report

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that stand in slow.txt; a line of it that fits none is an error."""
    lines = {line for line in (HERE / "slow.txt").read_text("utf-8").splitlines()
             if not line.startswith("#")}
    names = {item.nodeid.removeprefix("tests/"): item for item in items
             if item.path.is_relative_to(HERE)}
    for name, item in names.items():
        if name in lines:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.twin)
    # Of the files that were collected whole.
    files = {name.partition("::")[0] for name in names}
    whole = not any("::" in one for one in config.args)
    for line in sorted(lines - set(names)):
        if whole and line.partition("::")[0] in files:
            msg = f"tests/slow.txt: must name tests that are there (got {line})"
            raise pytest.UsageError(msg)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a compiled test where it cannot run; fail it where the caller insists on it."""
    if item.get_closest_marker("compiled") is None or has_compiler():
        return
    if os.environ.get("NEOSTRIATUM_REQUIRE_COMPILER") == "1":
        pytest.fail("no C++ compiler and make, and NEOSTRIATUM_REQUIRE_COMPILER=1", pytrace=False)
    pytest.skip("needs a C++ compiler and make")


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs and reports draw one figure, the quickest, where a test is not about figures."""
    name = "rates"
    monkeypatch.setattr(report, "standard", lambda run: (name,))
    monkeypatch.setattr(report, "figures_of", lambda what: {name: figures_of(what)[name]})


@pytest.fixture
def obeys_permissions() -> Iterator[None]:
    """Let the permissions of files hold for root too, who else may read and write anything."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    # Version 3 of the interface, this thread; effective, permitted, inheritable, twice 32 bits.
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, data) == 0
    before = data[0]
    data[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    assert libc.capset(header, data) == 0
    yield
    data[0] = before
    assert libc.capset(header, data) == 0
