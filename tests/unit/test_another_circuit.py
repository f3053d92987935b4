"""A circuit on a network that was drawn from another one: refused, or what it changes is felt."""

from pathlib import Path

import pytest

import neostriatum as ns
from neostriatum.engines.base import engine

GOOD = Path(__file__).parents[1] / "data" / "good_small.toml"
QUICK = {"duration": "20 ms", "engine": "reference", "figures": False, "record": "none"}
LAW = {"rule": "fixed_probability", "p": 0.1}

#: What decides how a network is drawn.
DRAWN = {
    "pathways.iSPN->dSPN.wiring": LAW,
    "pathways.iSPN->dSPN.delay": "3 ms",
    "pathways.iSPN->dSPN.delay.velocity": "0.2 m/s",
    "pathways.iSPN->dSPN.weight_cv": 0.4,
    "gap_junctions.FS-FS.wiring": LAW,
    "spread": {"dSPN": {"v_t": "2 mV"}},
    "volume.density": "60000 / mm^3",
    "volume.minimum_distance": "11 um",
    "volume.boundary": "open",
    "volume.shape": "sphere",
}
#: What does not, and what a run feels of it.
FELT = {
    "cells.dSPN.parameters.C": "25 pF",
    "cells.dSPN.parameters.a": "0.2 /ms",
    "dt": "0.05 ms",
    "noise": {"dSPN": "5 mV"},
    "inputs.electrode": {"targets": {"dSPN": {"current": "300 pA"}}},
}


@pytest.fixture(scope="module")
def drawn():
    circuit = ns.load(GOOD).replace(
        {"inputs.electrode": {"targets": {"dSPN": {"current": "250 pA"}, "FS": {
            "current": "250 pA"}}}, "warmup": "0 ms"})
    return circuit, ns.build(circuit, size=60, seed=5)


@pytest.mark.parametrize("key", DRAWN)
class TestWhatWasDrawnStays:
    def refused(self, key, call):
        with pytest.raises(ns.NeostriatumError, match="must stay as the network was") as error:
            call()
        assert key.split(".")[0] in str(error.value)

    def test_run(self, key, drawn, tmp_path):
        circuit, network = drawn
        other = circuit.replace({key: DRAWN[key]})
        self.refused(key, lambda: ns.run(other, network=network, out=tmp_path / "a", **QUICK))
        self.refused(key, lambda: ns.run(network=network, changes={key: DRAWN[key]},
                                         out=tmp_path / "a", **QUICK))
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("name", ["reference", "numba"])
    def test_change(self, key, drawn, name):
        circuit, network = drawn
        running = engine(name)
        running.prepare(circuit, network, 1)
        running.advance(3)
        self.refused(key, lambda: running.change(circuit.replace({key: DRAWN[key]})))

    def test_prepare_load_and_save(self, key, drawn, tmp_path):
        circuit, network = drawn
        other = circuit.replace({key: DRAWN[key]})
        self.refused(key, lambda: engine("reference").prepare(other, network, 1))
        self.refused(key, lambda: network.save(tmp_path / "other.h5", other))
        network.save(tmp_path / "net.h5")
        self.refused(key, lambda: ns.load_network(tmp_path / "net.h5", other))
        self.refused(key, lambda: ns.run(other, network=tmp_path / "net.h5", out=tmp_path / "a",
                                         **QUICK))
        assert [path.name for path in tmp_path.iterdir()] == ["net.h5"]

    def test_resume_and_rerun(self, key, drawn, tmp_path):
        circuit, network = drawn
        run = ns.run(circuit, network=network, out=tmp_path / "a", **QUICK)
        other = ns.build(circuit.replace({key: DRAWN[key]}), size=60, seed=5)
        for again in (lambda: ns.rerun(run, network=other, out=tmp_path / "b"),
                      lambda: ns.resume(run, network=other, duration="30 ms")):
            with pytest.raises(ns.NeostriatumError, match=r"must stay as|must have the hash"):
                again()
        assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("key", FELT)
def test_what_is_not_drawn_is_felt(key, drawn, tmp_path):
    circuit, network = drawn
    before = ns.run(circuit, network=network, out=tmp_path / "a", **QUICK)
    other = ns.run(circuit.replace({key: FELT[key]}), network=network, out=tmp_path / "b", **QUICK)
    assert before.summary["spikes"] > 0
    assert other.summary["network_hash"] == before.summary["network_hash"]
    assert other.summary["spike_hash"] != before.summary["spike_hash"]


def test_sources_and_spellings_do_not_count(drawn, tmp_path):
    circuit, network = drawn
    density = circuit.volume.density.value
    for value in (f"{density!r} / mm^3", {"value": f"{density / 1e9!r} / um^3",
                                         "source": "another", "how": "assumed", "note": "x"}):
        other = circuit.replace({"volume.density": value})
        ns.run(other, network=network, out=tmp_path / str(len(list(tmp_path.iterdir()))), **QUICK)


def test_hand_made_networks_keep_the_circuit_that_they_began_with(drawn):
    from dataclasses import replace

    circuit, network = drawn
    running = engine("reference")
    running.prepare(circuit, replace(network, circuit=None), 1)
    with pytest.raises(ns.NeostriatumError, match="delay must stay as the network was built"):
        running.change(circuit.replace({"pathways.iSPN->dSPN.delay": "3 ms"}))
