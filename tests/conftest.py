"""What holds for every test: those marked `compiled` need a C++ compiler and make."""

import os

# Tests ask for up to eight threads, whatever the machine has; set before Numba starts its pool.
os.environ.setdefault("NUMBA_NUM_THREADS", "8")

import pytest

from neostriatum.engines.brian2_engine.engine import has_compiler


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a compiled test where it cannot run; fail it where the caller insists on it."""
    if item.get_closest_marker("compiled") is None or has_compiler():
        return
    if os.environ.get("NEOSTRIATUM_REQUIRE_COMPILER") == "1":
        pytest.fail("no C++ compiler and make, and NEOSTRIATUM_REQUIRE_COMPILER=1", pytrace=False)
    pytest.skip("needs a C++ compiler and make")
