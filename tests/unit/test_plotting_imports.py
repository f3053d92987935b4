"""Figures are drawn without a window, and their modules load on first use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neostriatum import plotting

SRC = str(Path(plotting.__file__).parents[2])


def run_python(code):
    environment = {**os.environ, "PYTHONPATH": SRC, "DISPLAY": "", "MPLBACKEND": ""}
    command = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


class TestImports:
    def test_neither_pyplot_nor_a_display_is_touched(self, tmp_path):
        code = f"""
import sys
from neostriatum import plotting
assert "matplotlib" not in sys.modules, "matplotlib is imported before the first figure"
figure, axes = plotting.fi_curve([1, 2], [0.0, 3.0], label="dSPN")
plotting.psp([0, 1], [-80, -79], [-80, -80])
for ending in ("png", "pdf", "svg"):
    figure.savefig({str(tmp_path / "figure.")!r} + ending)
assert "matplotlib.pyplot" not in sys.modules, "pyplot is imported"
"""
        run_python(code)
        assert sorted(path.suffix for path in tmp_path.iterdir()) == [".pdf", ".png", ".svg"]

    @pytest.mark.parametrize("name", ["raster", "traces"])
    def test_a_function_is_not_hidden_by_its_module(self, name):
        code = f"""
from neostriatum.plotting.{name} import {name}
from neostriatum import plotting
assert plotting.{name} is {name}
"""
        run_python(code)
