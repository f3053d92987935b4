"""The examples for Octave and R read what a run and its export hold."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import neostriatum as ns

EXAMPLES = Path(__file__).parents[2] / "examples" / "other_languages"
PROGRAMS = {".m": ["octave", "--no-gui", "--quiet", "--norc"], ".R": ["Rscript", "--vanilla"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run and its tables, as the examples name them."""
    place = tmp_path_factory.mktemp("languages")
    run = ns.run("striatum_v1", size=100, duration="100 ms", engine="reference", figures=False,
                 changes={"warmup": "400 ms"}, record=["none"], out=place / "runs" / "0001")
    ns.export(run, to="csv", out=place / "tables")
    assert len(run.spikes)
    return place, run


def printed(name, place):
    """What an example prints, where its program and its library are installed."""
    program = PROGRAMS[Path(name).suffix]
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    if name == "spikes_hdf5.R" and subprocess.run(
            [*program, "-e", "library(hdf5r)"], capture_output=True, check=False).returncode:
        pytest.skip("hdf5r is not installed")
    done = subprocess.run([*program, str(EXAMPLES / name)], cwd=place, capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["rates.m", "rates.R"])
def test_rates_from_tables(name, folder):
    place, run = folder
    last_s = run.spikes.times_ms.max() / 1000
    rows = re.findall(r"(\w+) (\d+) neurons, ([\d.]+) Hz", printed(name, place))
    assert {(cell, int(n), float(hz)) for cell, n, hz in rows} == {
        (cell, len(ids), round(float(((run.spikes.ids >= ids.start) & (
            run.spikes.ids < ids.stop)).sum() / len(ids) / last_s), 2))
        for cell, ids in run.populations.items()}


@pytest.mark.parametrize("name", ["spikes_hdf5.m", "spikes_hdf5.R"])
def test_spikes_from_the_file(name, folder):
    place, run = folder
    own = run.spikes.times_ms[run.spikes.ids < run.populations["dSPN"].stop]
    assert printed(name, place).strip() == (
        f"dSPN {len(own)} spikes, the last at {own.max():.1f} ms")


def test_every_example_is_on_the_page():
    page = (EXAMPLES.parents[1] / "docs" / "howto" / "other-languages.md").read_text("utf-8")
    assert all(f"other_languages/{path.name}" in page for path in EXAMPLES.iterdir())
