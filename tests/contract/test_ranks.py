"""NEST under MPI, through the command line: equal spikes at equal virtual processes, one end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import axonal
import numpy as np
import pytest
from test_signals_of_axons import scaled

#: Seconds within which a rank that fails takes all others with it.
END_S = 30
RUN = ("--engine", "nest", "--size", "300", "--duration", "100 ms",
       "--set", "warmup=20 ms", "--set", "inputs.cortex.targets.dSPN.conductance.AMPA=3 nS",
       "--set", "inputs.cortex.targets.iSPN.conductance.AMPA=3 nS", "--json")
OVERSUBSCRIBED = {
    "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMP_NUM_THREADS": "1",
}


@pytest.fixture(scope="module")
def launcher():
    """The path of mpiexec where NEST was built with MPI, or a skipped test."""
    required = os.environ.get("NEOSTRIATUM_REQUIRE_NEST") == "1"
    code = "import nest, mpi4py; print(nest.build_info['have_mpi'])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYNEST_QUIET": "1"})
    if "True" not in said.stdout or not shutil.which("mpiexec"):
        assert not required, said.stderr
        pytest.skip("needs NEST built with MPI: make nest-mpi")
    return shutil.which("mpiexec")


def started(launcher, ranks, *arguments, cwd):
    """Start the command line on some ranks."""
    command = [launcher, "-n", str(ranks), sys.executable, "-m", "neostriatum", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            cwd=cwd, env={**os.environ, **OVERSUBSCRIBED})


def summary(launcher, ranks, threads, tmp_path, *more):
    """Return the JSON of a run."""
    out = tmp_path / f"{ranks}x{threads}"
    process = started(launcher, ranks, "run", "striatum_v1", *RUN, "--threads", str(threads),
                      "--out", str(out), *more, cwd=tmp_path)
    said, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    record = json.loads((out / "run.json").read_text())
    assert record["virtual_processes"] == ranks * threads
    assert record["ranks"] == ranks
    return json.loads(said)


def test_ranks_at_equal_virtual_processes_give_equal_spikes(launcher, tmp_path):
    found = [summary(launcher, ranks, 4 // ranks, tmp_path) for ranks in (1, 2, 4)]
    assert found[0]["spikes"] > 100
    assert len({one["spike_hash"] for one in found}) == 1
    assert len({one["network_hash"] for one in found}) == 1
    for name in ("spikes.h5", "traces.h5", "figures/raster.png"):
        assert all((tmp_path / run / name).stat().st_size > 0 for run in ("1x4", "2x2", "4x1"))
    import h5py

    with h5py.File(tmp_path / "1x4" / "traces.h5") as one, h5py.File(
            tmp_path / "4x1" / "traces.h5") as four:
        for name in one["report"]:
            assert (one[f"report/{name}/data"][:] == four[f"report/{name}/data"][:]).all()
    # Again from the record: in one process with four threads; three ranks cannot make four.
    first = str(tmp_path / "4x1")
    process = started(launcher, 1, "rerun", first, "--out", str(tmp_path / "again"), "--json",
                      cwd=tmp_path)
    said, errors = process.communicate(timeout=600)
    assert json.loads(said)["equal"] is True, errors
    process = started(launcher, 3, "rerun", first, cwd=tmp_path)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 3
    assert "must be 4, as it was (got 1 times 3)" in errors


def test_a_saved_network_and_weights_by_synapse(launcher, tmp_path):
    import neostriatum as ns

    circuit = ns.load("striatum_v1", changes={"pathways.iSPN->dSPN.weight_cv": 0.5})
    path = ns.build(circuit, size=300, seed=5).save(tmp_path / "net.h5")
    arguments = ["run", *(one for one in RUN if one not in ("--size", "300"))]
    hashes = set()
    for ranks in (1, 2):
        out = tmp_path / f"saved{ranks}"
        process = started(launcher, ranks, *arguments, "--network", str(path), "--threads",
                          str(2 // ranks), "--out", str(out), cwd=tmp_path)
        said, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        hashes.add(json.loads(said)["spike_hash"])
    assert len(hashes) == 1


def test_axons_and_levels_that_spikes_release(launcher, tmp_path):
    """No number is drawn by NEST: any ranks have the spikes of numba."""
    circuit = scaled(axonal.circuit()).replace({"pathways.thalamus->dSPN.failure": None})
    (tmp_path / "axons.json").write_text(json.dumps(circuit.to_dict()))
    run = ("run", "axons.json", "--size", "60", "--duration", "45 ms", "--record", "none",
           "--json", "--threads", "1")
    found = []
    for ranks, engine in ((1, "numba"), (1, "nest"), (2, "nest"), (3, "nest")):
        process = started(launcher, ranks, *run, "--engine", engine, "--out",
                          f"{engine}{ranks}", cwd=tmp_path)
        said, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        found.append(json.loads(said))
    assert found[0]["spikes"] > 200
    assert found[0]["axons"]["cortex"] > 300
    for key in ("spike_hash", "network_hash", "axons", "modulators"):
        assert [one[key] for one in found] == [found[0][key]] * 4, key


def test_synapses_that_learn(launcher, tmp_path):
    """Weights by trial and synapse are those of one process with as many virtual processes."""
    from neostriatum.learning.results import snapshot_name

    found = []
    for ranks in (1, 2):
        out = tmp_path / f"learnt{ranks}"
        process = started(launcher, ranks, "learn", "bandit", "--engine", "nest", "--size", "100",
                          "--trials", "2", "--weights-every", "1", "--threads", str(2 // ranks),
                          "--json", "--out", str(out), cwd=tmp_path)
        said, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        with np.load(out / snapshot_name(2)) as file:
            found.append((json.loads(said)["spike_hash"], {key: file[key] for key in file}))
    assert found[0][0] == found[1][0]
    for path, weights in found[0][1].items():
        assert np.ptp(weights) > 1e-3, path
        assert np.array_equal(weights, found[1][1][path]), path


def test_a_killed_rank_ends_all(launcher, tmp_path):
    out = tmp_path / "killed"
    process = started(launcher, 3, "run", "striatum_v1", "--engine", "nest", "--size", "300",
                      "--duration", "2000 s", "--quiet", "--threads", "1", "--out", str(out),
                      cwd=tmp_path)
    ranks = wait_for_ranks(process, out)
    time.sleep(2)
    os.kill(ranks[-1], signal.SIGKILL)
    began = time.monotonic()
    process.communicate(timeout=END_S)
    assert time.monotonic() - began < END_S
    assert process.returncode != 0
    time.sleep(1)
    assert [pid for pid in ranks if alive(pid)] == []


def test_numbers_that_go_bad_end_all(launcher, tmp_path):
    process = started(launcher, 2, "run", "striatum_v1", *RUN, "--threads", "1", "--out",
                      str(tmp_path / "bad"),
                      "--set", "cells.dSPN.parameters.I_spon=-1e6 pA", cwd=tmp_path)
    out, errors = process.communicate(timeout=300)
    assert process.returncode != 0
    assert out == ""
    assert "membrane potential must stay within 200 mV" in errors


def test_bad_input_is_said_once(launcher, tmp_path):
    process = started(launcher, 2, "run", "nonsense", "--engine", "nest", cwd=tmp_path)
    out, errors = process.communicate(timeout=300)
    assert process.returncode != 0
    assert out == ""
    assert errors.count("nonsense") == 1
    process = started(launcher, 2, "run", "striatum_v1", "--engine", "numba", "--size", "50",
                      cwd=tmp_path)
    out, errors = process.communicate(timeout=300)
    assert process.returncode != 0
    assert errors.count("runs in one process (got 2 ranks)") == 1


def wait_for_ranks(process, out) -> list[int]:
    """Return the process ids of the ranks once the run has begun."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        found = children(process.pid)
        if (out / "run.json").exists() and len(found) == 3:
            return sorted(found)
        time.sleep(0.5)
    pytest.fail("the ranks did not start")


def children(parent: int) -> list[int]:
    """Return the processes below ``parent`` that run the package, threads of MPI left out."""
    found, parents = [], {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                command = (folder / "cmdline").read_text()
            except OSError:
                continue
            parents[int(folder.name)] = int(words[1]), command
    for pid, (above, command) in parents.items():
        chain = above
        while chain in parents and chain != parent:
            chain = parents[chain][0]
        if chain == parent and "-m\0neostriatum" in command and "mpiexec" not in command:
            found.append(pid)
    return found


def alive(pid: int) -> bool:
    """Whether a process still runs."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
