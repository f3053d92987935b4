"""What is promised bit for bit: golden hashes, any number of threads, any chunks, any probes.

The hashes are in golden.json. A change of one is a change of results: a commit of type `num:` with
a line in the changelog. NEOSTRIATUM_GOLDEN=write writes the file anew.
"""

import json
import os
from pathlib import Path

import golden
import nets
import numpy as np
import pytest

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine
from neostriatum.engines.lowered import lower
from neostriatum.recording.store import spike_hash

FILE = Path(__file__).with_name("golden.json")
KEPT = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


@pytest.fixture(scope="module")
def all_nets(tmp_path_factory):
    """Return every golden net by name."""
    return golden.deterministic(tmp_path_factory.mktemp("golden")) | golden.stochastic()


def hashed(net, name="numba", pieces=None, probe=False, **options):
    """Return hash and count of the spikes of a net, simulated in pieces."""
    simulator = make_engine(name, **options)
    simulator.prepare(net.circuit, net.network, net.network.seed)
    if probe:
        for cell, count in net.network.counts.items():
            simulator.probe(cell, np.arange(count)[::3])
    found, left = [], net.n_steps
    for piece in pieces or [net.n_steps]:
        found.append(simulator.advance(min(piece, left)))
        left -= min(piece, left)
    assert left == 0
    steps, ids = (np.concatenate(part) for part in zip(*found, strict=True))
    return spike_hash(steps, ids), len(steps)


def test_golden_hashes(all_nets):
    found = {name: list(hashed(net)) for name, net in all_nets.items()}
    if os.environ.get("NEOSTRIATUM_GOLDEN") == "write":
        FILE.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        pytest.fail("golden.json was written; run again without NEOSTRIATUM_GOLDEN")
    assert sum(name.split()[0] in golden.nets.ALL for name in found) >= 12
    assert len(set(map(tuple, found.values()))) == len(found), "two nets give the same spikes"
    assert min(count for _, count in found.values()) > 20
    assert found == KEPT


@pytest.mark.parametrize("name", [*KEPT])
def test_reference_has_the_golden_hash(name, all_nets):
    assert list(hashed(all_nets[name], "reference")) == KEPT[name]


def chunks(kind, n_steps):
    """Return the pieces of a run: by step, by sevens, by windows, or whole."""
    size = {"1": 1, "7": 7, "window": 10, "all": n_steps}[kind]
    return [size] * -(-n_steps // size)


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("kind", ["7", "window", "all"])
@pytest.mark.parametrize("name", ["restless 0.3", "striatum_v1", "varying", "lively"])
def test_threads_and_chunks_change_nothing(name, kind, threads, all_nets):
    net = all_nets[name]
    pieces = chunks(kind, net.n_steps)
    assert list(hashed(net, threads=threads, pieces=pieces)) == KEPT[name]


@pytest.mark.parametrize("name", ["striatum_v1", "varying"])
def test_single_steps_change_nothing(name, all_nets):
    net = all_nets[name]
    assert list(hashed(net, threads=2, pieces=chunks("1", net.n_steps))) == KEPT[name]


@pytest.mark.parametrize("name", ["striatum_v1", "varying", "lively", "humphries2010"])
def test_probes_change_nothing(name, all_nets):
    assert list(hashed(all_nets[name], threads=3, probe=True)) == KEPT[name]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", ["7", "all"])
def test_single_precision_is_exact_too(kind, threads, all_nets):
    net = all_nets["striatum_v1"]
    first = hashed(net, precision="single")
    again = hashed(net, precision="single", threads=threads, pieces=chunks(kind, net.n_steps))
    assert first == again
    assert list(first) != KEPT["striatum_v1"]


def test_a_changed_number_changes_the_hash(all_nets):
    net = all_nets["striatum_v1"].with_circuit({"cells.dSPN.parameters.C": "15.2000001 pF"})
    assert list(hashed(net)) != KEPT["striatum_v1"]


@pytest.fixture(scope="module")
def burst():
    """Return a net of which nearly every cell fires in the first window, with its spikes."""
    start = {cell: {"v": "-20 mV"} for cell in ("dSPN", "iSPN", "FS")}
    circuit = ns.load("striatum_v1", changes={"warmup": "0 ms", "start": start})
    net = nets.Net("burst", circuit, ns.build(circuit, size=4000, seed=1), 200)
    return net, hashed(net, "reference")


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_more_spikes_in_a_window_than_there_is_room_for(threads, burst):
    net, wanted = burst
    assert wanted[1] > 3500
    assert hashed(net, threads=threads) == wanted


@pytest.mark.parametrize("start", [10**6, 2**31 - 1, 2**31 + 1, 864_000_000])
def test_a_long_clock_is_exact(start, all_nets, monkeypatch):
    # The same net with its clock set on: recorded spikes and delays must move with it.
    net = all_nets["pathways 0.3"]
    spikes = []
    for shift in (0, start):
        simulator = make_engine("numba")
        monkeypatch.setattr("neostriatum.engines.numba_engine.engine.lower",
                            lambda *args, shift=shift: shifted(lower(*args), shift))
        simulator.prepare(net.circuit, net.network, 1)
        simulator.step = shift
        steps, ids = simulator.advance(net.n_steps)
        spikes.append((steps - shift, ids))
    assert len(spikes[0][0]) > 20
    assert np.array_equal(spikes[0][0], spikes[1][0])
    assert np.array_equal(spikes[0][1], spikes[1][1])


def shifted(lowered, shift):
    """Return a program whose recorded spikes come ``shift`` steps later."""
    import dataclasses

    recorded = tuple(dataclasses.replace(one, steps=one.steps + shift) for one in lowered.recorded)
    return dataclasses.replace(lowered, recorded=recorded)
