"""Levels by region: the same bits on both exact engines, and what a level everywhere would do."""

from itertools import pairwise

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.engines.base import engine
from neostriatum.errors import BuildError, CircuitError, EngineUnsupported
from neostriatum.reporting.tables import space

CELLS = ["dSPN", "iSPN", "FS"]
CHANNELS = {"left": {"share": 0.4, "of": CELLS}, "right": {"share": 0.5, "of": CELLS}}
SINE = {"sine": {"mean": 0.4, "amplitude": 0.3, "frequency": "50 Hz"}}
STEPS = 400


def regional(name="striatum_v1", **more):
    """A circuit with levels of D1 and D2 by region, cells that fire, and further changes."""
    raw = ns.load(name).to_dict()
    raw["warmup"] = "0 ms"
    raw["channels"] = raw["channels"] | CHANNELS
    raw["inputs"] = raw["inputs"] | {"pulse": {"targets": {
        cell: {"current": "900 pA"} for cell in CELLS}}}
    levels = raw.setdefault("modulators", {})
    levels["D1"] = levels.get("D1", {}) | {"regions": {"left": {"constant": 0.9}, "right": SINE}}
    levels["D2"] = levels.get("D2", {}) | {"regions": {"right": {"constant": 0.0}}}
    for path, value in more.items():
        at, (*folders, last) = raw, path.split("__")
        for key in folders:
            at = at[key]
        at[last] = at[last] + value if isinstance(value, list) else value
    return ns.load(raw)


def alone(circuit):
    """A circuit without pathways, gap junctions and random input."""
    raw = circuit.to_dict()
    raw |= {"pathways": {}, "gap_junctions": {}, "inputs": {"pulse": raw["inputs"]["pulse"]}}
    return ns.load(raw)


NETS = {
    "v1": lambda: regional(),
    "spread": lambda: regional(spread={"dSPN": {"v_r": "2 mV", "d": "3 pA"},
                                       "FS": {"v_r": "1 mV"}}),
    # A weight that hears a computed level and one by region, beside spread of what D1 acts on.
    "default": lambda: regional("striatum", **{"pathways__cortex->dSPN__effects": [
        {"level": "D1", "acts_on": "weight", "coefficient": 0.4}]}),
    "opened": lambda: regional(cells__dSPN__dopamine=[
        {"receptor": "D1", "acts_on": "current", "conductance": "0.3 nS", "reversal": "-30 mV"},
        {"receptor": "D1", "acts_on": "current", "conductance": "0.2 nS", "reversal": "-90 mV"}]),
}


def spikes_and_potentials(name, circuit, network, windows=(STEPS,), **options):
    running = engine(name, **options)
    running.prepare(circuit, network, 7)
    for cell in CELLS:
        running.probe(cell, np.arange(min(40, network.counts[cell])))
    found = np.concatenate([np.stack(running.advance(steps)) for steps in windows], axis=1)
    return found, {cell: trace.values for cell, trace in running.traces().items()}


@pytest.mark.parametrize("net", NETS)
def test_equal_bits_over_threads_and_chunks(net):
    circuit = NETS[net]()
    network = ns.build(circuit, size=500, seed=7)
    spikes, traces = spikes_and_potentials("reference", circuit, network)
    assert spikes.shape[1] > 100
    for threads, windows in ((1, (STEPS,)), (3, (1, 37, STEPS - 38))):
        again, other = spikes_and_potentials("numba", circuit, network, windows, threads=threads)
        assert np.array_equal(spikes, again)
        for cell, values in traces.items():
            assert np.array_equal(values, other[cell])


def test_single_precision_over_threads():
    circuit = NETS["default"]()
    network = ns.build(circuit, size=500, seed=7)
    runs = [spikes_and_potentials("numba", circuit, network, threads=threads, precision="single")
            for threads in (1, 2)]
    assert np.array_equal(runs[0][0], runs[1][0])
    assert runs[0][0].shape[1] > 100


@pytest.mark.parametrize("name", ["reference", "numba"])
@pytest.mark.parametrize("preset", ["striatum_v1", "striatum"])
def test_a_region_hears_what_a_level_everywhere_would_be(name, preset):
    circuit = alone(regional(preset))
    network = ns.build(circuit, size=400, seed=7)
    spikes, _ = spikes_and_potentials(name, circuit, network)
    everywhere = {
        "left": {"dopamine.d1": 0.9}, "right": {"dopamine.d1": SINE, "dopamine.d2": 0.0}, "": {}}
    plain = circuit.replace({f"modulators.{level}.regions": {} for level in ("D1", "D2")})
    parts = []
    for channel, changes in everywhere.items():
        same, _ = spikes_and_potentials(name, plain.replace(changes), network)
        parts.append(same[:, np.isin(same[1], members(circuit, network, channel))])
    joined = np.concatenate(parts, axis=1)
    joined = joined[:, np.lexsort(joined[::-1])]
    assert np.array_equal(spikes, joined)
    assert len({part.shape[1] for part in parts}) == 3
    assert not np.array_equal(spikes, spikes_and_potentials(name, plain, network)[0])


def members(circuit, network, channel):
    """Global ids of the cells in a channel; of those in none for the name ""."""
    from neostriatum.engines.inputs import channel_members
    from neostriatum.engines.lowered import lower

    found = [pop.offset + channel_members(circuit, network, one, pop, 7)
             for one in ([channel] if channel else CHANNELS)
             for pop in lower(circuit, network, 7).populations]
    ids = np.concatenate(found)
    return ids if channel else np.setdiff1d(np.arange(network.size), ids)


@pytest.mark.usefixtures("one_figure")
def test_events_and_time_courses_of_a_region_are_one(tmp_path):
    times = [(0.0, 0.9), (5.0, 0.1), (12.5, 0.6)]
    options = {"size": 300, "duration": "30 ms", "figures": False, "record": "none", "seed": 7}
    circuit = regional()
    course = circuit.replace({"modulators.D1.regions.left": {
        "steps": {"times": [f"{at} ms" for at, _ in times], "values": [it for _, it in times]}}})
    wanted = ns.run(course, out=tmp_path / "course", **options)
    for name in ("numba", "reference"):
        run = ns.run(circuit, engine=name, out=tmp_path / name, **options, events=[
            {"at": f"{at} ms", "set": {"modulators.D1.regions.left": it}} for at, it in times[1:]])
        assert run.summary["spike_hash"] == wanted.summary["spike_hash"]
        assert run.summary["spike_hash"] != ns.run(
            circuit, out=tmp_path / f"{name}-still", **options).summary["spike_hash"]


@pytest.mark.usefixtures("one_figure")
def test_what_follows_from_states_hears_the_region(tmp_path):
    circuit = alone(regional())
    circuit = circuit.replace({"inputs.cortex": regional().to_dict()["inputs"]["cortex"]})
    options = {"size": 200, "duration": "20 ms", "figures": False, "seed": 7,
               "record": ["dSPN:60:I_NMDA"]}
    run = ns.run(circuit, out=tmp_path / "r", **options)
    plain = circuit.replace({f"modulators.{level}.regions": {} for level in ("D1", "D2")})
    network = ns.build(circuit, size=200, seed=7)
    values = run.recorded("I_NMDA")["dSPN"]
    for channel, changes in (("left", {"dopamine.d1": 0.9}), ("", {})):
        same = ns.run(plain.replace(changes), out=tmp_path / f"r-{channel}", **options)
        cells = np.isin(values.ids, members(circuit, network, channel))
        assert cells.any()
        assert np.array_equal(values.values[:, cells],
                              same.recorded("I_NMDA")["dSPN"].values[:, cells])


def test_a_circuit_with_regions_is_read_back():
    circuit = regional()
    assert ns.load(circuit.to_dict()) == circuit
    told = {label: level.text for label, level in space(circuit)}
    assert told["dopamine, D1 φ₁ in left"] == "0.9"
    plain = circuit.replace({"modulators.D1.regions": {}, "modulators.D2.regions": {}})
    assert "modulators" not in plain.to_dict()
    # Cells taken out of the circuit lie in none of its regions.
    assert ns.cell("dSPN", "200 pA", circuit=circuit, duration="20 ms").modulators["D1"] == 0.3


@pytest.mark.parametrize(("changes", "message"), [
    ({"modulators.D1.regions": {"lft": 0.5}}, 'modulators.D1.regions: unknown channel (got "lft")'),
    ({"modulators.D1.regions.left": 1.5}, "modulators.D1.regions.left.constant: must be <= 1"),
    ({"modulators.D1.regions.left": -0.1}, "modulators.D1.regions.left.constant: must be >= 0"),
    ({"modulators.ACh": {"released_by": "FS", "tonic": "4 Hz", "tau": "400 ms", "delay": "1 ms",
                         "regions": {"left": 1.0}}},
     "modulators.ACh: regions need a level that is given"),
])
def test_bad_regions_are_refused(changes, message):
    with pytest.raises(CircuitError) as caught:
        regional().replace(changes)
    assert message in str(caught.value)


def test_regions_that_overlap_are_refused(capsys, tmp_path):
    circuit = regional().replace({"channels.half": {"fraction": 0.5},
                                  "modulators.D1.regions.half": 0.2})
    network = ns.build(circuit, size=200, seed=7)
    with pytest.raises(BuildError, match=r"no cell must lie in two regions \(got \d+ dSPN in left"):
        engine("reference").prepare(circuit, network, 7)
    path = tmp_path / "overlap.toml"
    path.write_text('extends = "striatum_v1"\n[channels.a]\nfraction = 0.5\n[channels.b]\n'
                    'fraction = 0.9\n[modulators.D1.regions]\na = 0.1\nb = 0.2\n')
    out = tmp_path / "r"
    assert main(["run", str(path), "--size", "100", "--duration", "10 ms", "--out", str(out)]) == 2
    line = capsys.readouterr().err
    assert line.splitlines()[-1].startswith("overlap: modulators: no cell must lie in two regions")
    assert not out.exists()


BURST = {"pulse": {"base": 0.3, "peak": 1.0, "start": "5 ms", "stop": "25 ms"}}


def taught(preset="striatum_v1", **learning):
    """A circuit whose axons onto dSPN learn from D1, which has a burst on the left alone."""
    raw = regional(preset).to_dict()
    raw["axons"] = raw.get("axons", {}) | {"plastic": {"size": 60, "rate": "60 Hz"}}
    raw["modulators"]["D1"]["regions"] = {"left": BURST, "right": {"constant": 0.2}}
    for cell in ("dSPN", "iSPN"):
        receptor = "AMPA" if preset == "striatum_v1" else "AMPA_SPN"
        raw["pathways"][f"plastic->{cell}"] = {
            "conductance": {receptor: "0.2 nS"}, "delay": "1 ms",
            "learning": {"flush": "10 ms"} | learning,
            "wiring": {"rule": "fixed_indegree", "n": 20}}
    return ns.load(raw)


def learnt(name, circuit, network, windows=(STEPS,), **options):
    running = engine(name, **options)
    running.prepare(circuit, network, 7)
    found = np.concatenate([np.stack(running.advance(steps)) for steps in windows], axis=1)
    return found, {cell: running.weights(f"plastic->{cell}") for cell in ("dSPN", "iSPN")}


@pytest.mark.parametrize(("preset", "learning"), [
    ("striatum_v1", {}), ("striatum", {}), ("striatum_v1", {"gate": "D2"})])
def test_learning_by_region_has_equal_bits(preset, learning):
    circuit = taught(preset, **learning)
    if learning:
        circuit = circuit.replace({"modulators.D2.regions": {}})
    network = ns.build(circuit, size=300, seed=7)
    spikes, weights = learnt("reference", circuit, network)
    assert spikes.shape[1] > 100
    assert len(np.unique(weights["dSPN"])) > 50
    for threads, windows in ((1, (STEPS,)), (3, (1, 137, STEPS - 138))):
        again, other = learnt("numba", circuit, network, windows, threads=threads)
        assert np.array_equal(spikes, again)
        for cell, values in weights.items():
            assert np.array_equal(values, other[cell])


def test_learning_without_regions_copies_no_synapses():
    from neostriatum.engines.lowered import lower

    circuit = taught().replace({f"modulators.{level}.regions": {} for level in ("D1", "D2")})
    lowered = lower(circuit, ns.build(circuit, size=100, seed=7), 7)
    assert all(np.shares_memory(one.targets, lowered.targets)
               for one in lowered.projections if len(one.targets))


@pytest.mark.parametrize("name", ["reference", "numba"])
def test_a_region_learns_what_a_level_everywhere_would_teach(name):
    whole = taught().to_dict()
    plastic = {name: one for name, one in whole["pathways"].items() if name.startswith("plastic")}
    circuit = ns.load(whole | {"pathways": plastic, "gap_junctions": {},
                               "inputs": {"pulse": whole["inputs"]["pulse"]}})
    network = ns.build(circuit, size=200, seed=7)
    _, weights = learnt(name, circuit, network)
    plain = circuit.replace({f"modulators.{level}.regions": {} for level in ("D1", "D2")})
    targets = network.afferents["plastic->dSPN"].targets + network.populations["dSPN"].start
    for channel, changes in (("left", {"dopamine.d1": BURST}),
                             ("right", {"dopamine.d1": 0.2, "dopamine.d2": 0.0}), ("", {})):
        _, same = learnt(name, plain.replace(changes), network)
        mine = np.isin(targets, members(circuit, network, channel))
        assert mine.any()
        assert np.array_equal(weights["dSPN"][mine], same["dSPN"][mine])
        assert (channel == "left") == (np.abs(same["dSPN"][mine] - 1.0).max() > 1e-3)


def test_learning_by_region_goes_on_from_a_state():
    circuit = taught()
    network = ns.build(circuit, size=200, seed=7)
    whole, weights = learnt("numba", circuit, network)
    first, second = engine("numba"), engine("reference")
    for one in (first, second):
        one.prepare(circuit, network, 7)
    first.advance(173)
    third = engine("numba", threads=1)
    third.prepare(circuit, network, 7)
    third.restore(first.state())
    later = np.stack(third.advance(STEPS - 173))
    assert np.array_equal(whole[:, whole[0] >= 173], later)
    assert np.array_equal(weights["dSPN"], third.weights("plastic->dSPN"))
    with pytest.raises(CircuitError, match=r"weights: must be a pathway that learns"):
        third.weights("plastic->dSPN@left")


def test_gates_and_other_engines_refuse_regions():
    circuit = taught(gate="D1")
    with pytest.raises(EngineUnsupported, match="must be one level in all regions"):
        engine("numba").prepare(circuit, ns.build(circuit, size=100, seed=1), 1)
    from neostriatum.engines.brian2_engine.statements import check as brian2_check
    from neostriatum.engines.lowered import lower
    from neostriatum.engines.nest_engine.connections import check as nest_check

    lowered = lower(regional(), ns.build(regional(), size=100, seed=1), 1)
    for refuse in (nest_check, lambda one: brian2_check("brian2", one)):
        with pytest.raises(EngineUnsupported, match=r"D1\.regions: all cells hear one"):
            refuse(lowered)


def test_a_run_goes_on_from_a_state():
    circuit = NETS["spread"]()
    network = ns.build(circuit, size=200, seed=7)
    whole, _ = spikes_and_potentials("numba", circuit, network)
    first, second = engine("numba"), engine("numba")
    for one in (first, second):
        one.prepare(circuit, network, 7)
    parts = [np.stack(first.advance(150))]
    second.restore(first.state())
    parts.append(np.stack(second.advance(STEPS - 150)))
    assert np.array_equal(whole, np.concatenate(parts, axis=1))
    assert all(a <= b for a, b in pairwise(whole[0]))
