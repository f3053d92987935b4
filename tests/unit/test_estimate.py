"""The estimate before building, against networks that were built."""

import math

import pytest

import neostriatum as ns
from neostriatum.errors import BuildError
from neostriatum.network import estimate as estimating
from neostriatum.network.estimate import estimate

OPEN = {"volume.boundary": "open"}
INDEGREE = {"pathways.FS->dSPN.wiring": {"rule": "fixed_indegree", "n": 20}}


class TestEstimate:
    @pytest.mark.parametrize(("preset", "changes"), [
        ("striatum_v1", {}), ("striatum_v1", INDEGREE), ("seed", {}), ("fountas2017", {})])
    def test_synapses_of_a_torus(self, preset, changes):
        circuit = ns.load(preset, changes={"volume.boundary": "periodic", **changes})
        made, network = estimate(circuit, 4000), ns.build(circuit, size=4000)
        assert made.neurons == network.counts
        for name, expected in made.synapses.items():
            found = len(network.edges[name])
            # Placement is not quite without pattern beyond its minimum distance.
            assert abs(found - expected) < 5 * math.sqrt(expected) + 0.01 * expected, name

    def test_an_open_volume_has_fewer(self):
        circuit = ns.load("striatum_v1", changes=OPEN)
        made, network = estimate(circuit, 3000), ns.build(circuit, size=3000)
        assert 0.2 * sum(made.synapses.values()) < network.synapses < sum(made.synapses.values())

    @pytest.mark.parametrize("size", [0, -1, 2.5, "10", True, float("nan"), [10], None])
    def test_a_size_that_is_no_number_of_neurons(self, size):
        with pytest.raises(BuildError, match="size: must be a whole number"):
            estimate("striatum_v1", size)

    def test_memory_and_time_grow_with_the_synapses(self):
        small, large = estimate("striatum_v1", 100_000), estimate("striatum_v1", 1_000_000)
        assert large.bytes > 5 * sum(large.synapses.values())
        assert large.seconds == pytest.approx(10 * small.seconds, rel=0.01)

    def test_refuses_what_the_memory_cannot_hold(self, monkeypatch):
        need = estimate("striatum_v1", 50_000).bytes
        monkeypatch.setattr(estimating, "free_memory", lambda: int(need / 0.8) - 1000)
        with pytest.raises(BuildError, match=(r"striatum_v1: size: must fit into 80% of the free "
                                              r"memory, 0.\d GB \(got 0.\d GB for 50000 neurons")):
            ns.build("striatum_v1", size=50_000)
