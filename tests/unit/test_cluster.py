"""Sweeps on a cluster of Dask: the same table, workers that are killed, and what is refused."""

import json
import os
import signal
from pathlib import Path

import pandas as pd
import pytest
from test_sweeps import HEAD

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.errors import CircuitError, InputError
from neostriatum.sweeps.cluster import Cluster

SWEEP = HEAD.replace('"2 ms"', '"20 ms"') + """
seeds = 3
[vary]
"inputs.electrode.targets.FS.current" = ["0 pA", "300 pA"]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory with a sweep file."""
    monkeypatch.chdir(tmp_path)
    Path("trial.toml").write_text(SWEEP, "utf-8")
    return tmp_path


@pytest.fixture
def cluster():
    """Two workers of one thread each, which are started again when they end."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True,
                                  dashboard_address=None) as made:
        yield made


def results(out):
    """Return the table without what takes time."""
    return pd.read_csv(f"{out}/table.csv").drop(columns=["simulate_s"])


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_point(cluster, capsys):
    distributed = pytest.importorskip("distributed")
    with distributed.Client(cluster.scheduler_address) as client:
        pids = list(client.run(os.getpid).values())
    assert len(set(pids)) == 2
    killed = []

    def kill(phase, share):
        if not killed and phase == "1 of 6 points":
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    made = ns.sweep("trial.toml", out="out", dask=cluster.scheduler_address, progress=kill)
    assert killed
    assert (made.points, made.finished, made.failed) == (6, 6, 0)
    ns.sweep("trial.toml", out="here", jobs=1)
    pd.testing.assert_frame_equal(results("out"), results("here"))
    # All points are there: nothing is left to do, and the table is the same.
    assert main(["sweep", "trial.toml", "--out", "out", "--dask", cluster.scheduler_address,
                 "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["finished"] == 6


@pytest.mark.slow
def test_a_folder_that_workers_do_not_see(cluster):
    asked = Cluster({}, Path("/nowhere/points"), cluster.scheduler_address)
    with pytest.raises(InputError, match=r"^--dask: a worker must see the folder /nowhere/points"):
        next(asked.outcomes([]))


def test_without_the_library(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    assert main(["sweep", "trial.toml", "--out", "out", "--dask", "tcp://127.0.0.1:1"]) == 3
    assert capsys.readouterr().err.endswith(
        "--dask: needs the library distributed (not installed). "
        "pip install 'neostriatum[dask]'\n")
    assert not Path("out").exists()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "no address"])
def test_no_scheduler(address, monkeypatch, capsys):
    pytest.importorskip("distributed")
    monkeypatch.setattr("neostriatum.sweeps.cluster.PATIENCE_S", 1)
    assert main(["sweep", "trial.toml", "--out", "out", "--dask", address]) == 2
    error = capsys.readouterr().err
    assert f"--dask: no scheduler answers (got {address}" in error
    assert error.count("\n") == 1


def test_jobs_are_of_this_machine():
    with pytest.raises(CircuitError, match=r"^jobs: is of processes on this machine"):
        ns.sweep("trial.toml", out="out", dask="tcp://127.0.0.1:1", jobs=2)
    assert not Path("out").exists()
