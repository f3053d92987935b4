"""What a run loads: libraries that take long to import wait until they are needed."""

import json
import os
import subprocess
import sys

import pytest

COMMAND = """
import json, sys
from neostriatum.cli import main
code = main(["run", "striatum_v1", "--size", "100", "--duration", "20 ms", "--quiet",
             "--overlay", "dense"])
print(json.dumps([code, sorted({name.split(".")[0] for name in sys.modules})]))
"""
LINEAR_ALGEBRA = """
import numpy as np
from numba import njit
from neostriatum.network.law import probability
probability(2, np.ones(1), np.inf, 0.0)
print(njit(lambda a, b: np.dot(a, b))(np.eye(2), np.full((2, 2), 3.0)).tolist())
"""


def python(tmp_path, code):
    environment = {key: text for key, text in os.environ.items() if key != "MPLBACKEND"}
    answer = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment,
                            capture_output=True, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    code, names = python(tmp_path_factory.mktemp("start"), COMMAND)
    assert code == 0
    return names


@pytest.mark.parametrize("library", ["pint", "brian2", "pandas", "nest", "pyarrow", "rich"])
def test_a_run_does_without(loaded, library):
    assert "matplotlib" in loaded
    assert library not in loaded


def test_numba_does_not_try_out_scipy(tmp_path):
    # Numba itself looks at the version of SciPy, no more.
    modules = python(tmp_path, COMMAND.replace('.split(".")[0]', ""))[1]
    assert "numba.np.arraymath" in modules
    assert not [name for name in modules if name.startswith("scipy.linalg")]


def test_linear_algebra_still_works(tmp_path):
    assert python(tmp_path, LINEAR_ALGEBRA) == [[3.0, 3.0], [3.0, 3.0]]
