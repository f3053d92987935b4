"""Overlays of the circuit of five cell types: what each changes, and that nothing else does."""

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.circuit.catalogue import overlays

SPN = ("dSPN", "iSPN")
MUSCARINIC = {"ACh", "M1", "M4"}
#: Numbers, not how they are known.
PROSE = {"source", "how", "note"}


def plain(overlay=()):
    """Return a circuit as plain tables, without sources and notes."""
    return bare(ns.load("striatum", overlay=overlay).to_dict())


def bare(node):
    if isinstance(node, dict):
        kept = {key: bare(child) for key, child in node.items() if key not in PROSE}
        return kept["value"] if list(kept) == ["value"] else kept
    return [bare(child) for child in node] if isinstance(node, list) else node


def changed(before, after, path=""):
    """Return {dotted path: value} of every leaf that an overlay changed, None where it is gone."""
    if isinstance(before, dict) and isinstance(after, dict):
        every = {}
        for key in {**before, **after}:
            every |= changed(before.get(key), after.get(key), f"{path}.{key}".removeprefix("."))
        return every
    return {} if before == after else {path: after}


def run(overlay, path, **options):
    return ns.run("striatum", overlay=overlay, figures=False, out=path,
                  **{"seed": 1, "record": "none", **options})


def test_no_acetylcholine_takes_the_muscarinic_effects_and_nothing_else():
    before, after = plain(), plain("no_acetylcholine")
    wanted, removed = plain(), 0
    for cell in wanted["cells"].values():
        kept = [one for one in cell["effects"] if one["level"] not in MUSCARINIC]
        removed += len(cell["effects"]) - len(kept)
        cell["effects"] = kept
    for name in SPN:
        removed += len(wanted["pathways"][f"cortex->{name}"].pop("effects"))
    assert removed == 6
    for cell in after["cells"].values():
        cell.setdefault("effects", [])
    assert after == wanted
    # Nicotinic synapses and the level itself stay.
    assert after["pathways"]["ChIN->FS"] == before["pathways"]["ChIN->FS"]
    assert after["modulators"] == before["modulators"]
    assert [one["level"] for name in ("dSPN", "iSPN", "FS")
            for one in after["cells"][name]["effects"]] == [
                *3 * ["D1"], *3 * ["D2"], "D1"]


def test_pooled_axons_changes_identity_alone():
    assert changed(plain(), plain("pooled_axons")) == {
        f"axons.{name}.identity": False for name in ("cortex", "CL", "Pf")}


def test_slow_waves_changes_the_rates_of_axons_alone():
    before, after = plain(), plain("slow_waves")
    assert set(changed(before, after)) == {
        f"axons.{name}.rate.{key}" for name in before["axons"] for key in ("constant", "square")}
    for name, axons in before["axons"].items():
        square = after["axons"][name]["rate"]["square"]
        low, high = (float(square[key].split()[0]) for key in ("low", "high"))
        # The mean rate is that of the preset, a tenth of it is left in the down state.
        assert (low + high) / 2 == float(axons["rate"]["constant"].split()[0])
        assert low / 2 == pytest.approx(0.1)


def test_parkinsonian_is_its_three_parts():
    parts = {name: changed(plain(), plain(f"parkinsonian.{name}"))
             for name in ("dopamine", "drive", "rewiring")}
    whole = changed(plain(), plain("parkinsonian"))
    assert whole == parts["dopamine"] | parts["drive"] | parts["rewiring"]
    assert len(whole) == sum(len(part) for part in parts.values())
    assert set(parts["dopamine"].values()) == {0.0}
    before = plain()["pathways"]
    for path, value in parts["drive"].items():
        name, receptor = path.removeprefix("pathways.").split(".conductance.")
        assert name in ("cortex->FS", "Pf->FS")
        old = float(before[name]["conductance"][receptor].split()[0])
        assert float(value.split()[0]) == pytest.approx(1.09 * old)
    assert len(parts["drive"]) == 3
    scales = {path.removeprefix("pathways.").removesuffix(".wiring.scale"): value
              / before[path.split(".")[1]]["wiring"]["scale"]
              for path, value in parts["rewiring"].items()}
    assert scales == {
        "dSPN->dSPN": 0.0, "FS->iSPN": pytest.approx(2.0),
        "iSPN->dSPN": pytest.approx((3 / 12) / (13 / 47), rel=1e-3),
        "iSPN->iSPN": pytest.approx((5 / 17) / (14 / 39), rel=1e-3)}


def test_dense_unscales_the_law():
    assert changed(plain(), plain("dense")) == {
        f"pathways.{source}->{target}.wiring.scale": 1.0
        for source, target in (("dSPN", "dSPN"), ("dSPN", "iSPN"), ("iSPN", "dSPN"),
                               ("iSPN", "iSPN"), ("FS", "iSPN"))}


@pytest.mark.parametrize("overlay", [
    name for name in overlays("striatum") if name not in (
        "dreyer_nigra", "dreyer_vta", "ejdrup_dorsal")])
def test_every_overlay_runs(overlay, tmp_path):
    made = run(overlay, tmp_path / "run", size=100, duration="20 ms",
               changes={"warmup": "5 ms"})
    assert made.finished
    assert made.summary["neurons"] == 100


@pytest.mark.slow
def test_pooled_axons_has_the_rates_of_the_preset(tmp_path):
    """Means of three networks of 1,000 cells: within 5 % and four standard errors."""
    rates = [np.array([list(run(overlay, tmp_path / f"{number}{seed}", size=1000, seed=seed,
                                duration="2 s").summary["rates_hz"].values())
                       for seed in (1, 2, 3)])
             for number, overlay in enumerate(([], ["pooled_axons"]))]
    trains, pooled = (one.mean(axis=0) for one in rates)
    error = np.sqrt(sum(one.var(axis=0, ddof=1) for one in rates) / 3)
    assert np.all(np.abs(pooled - trains) < 4 * error + 0.05 * trains), (trains, pooled, error)


@pytest.mark.slow
def test_slow_waves_gives_two_peaks_of_the_potential(tmp_path):
    made = run("slow_waves", tmp_path / "run", size=1000, duration="4 s",
               record=["dSPN:50:v:10", "iSPN:50:v:10"])
    for name in SPN:
        edges = np.arange(-90.0, -39.0)
        count, _ = np.histogram(made.traces[name].values, edges)
        down, up = count[edges[:-1] < -68], count[edges[:-1] >= -68]
        assert -82 < edges[down.argmax()] < -70
        assert -60 < edges[len(down) + up.argmax()] < -50
        between = count[down.argmax():len(down) + up.argmax()].min()
        assert between < min(down.max(), up.max()) / 2
        span, spikes = made.populations[name], made.spikes
        times = spikes.times_ms[(spikes.ids >= span.start) & (spikes.ids < span.stop)]
        assert np.mean(times % 1000 >= 500) > 0.9  # the course begins with the low rate
