"""Circuits read back to equal circuits; overlays and replaced values change what they name."""

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.circuit.catalogue import overlays, presets
from neostriatum.circuit.datafile import MAX_DEPTH, read_data
from neostriatum.circuit.load import load
from neostriatum.circuit.sources import values
from neostriatum.errors import CircuitError

GOOD = Path(__file__).parents[1] / "data" / "good_small.toml"


@pytest.fixture(scope="module")
def small():
    return load(GOOD)


def rows(circuit):
    """Return {dotted path: row with value, source, how, note} of every number."""
    return dict(values(circuit.to_dict()))


def changed(before, after):
    """Return the rows of ``after`` that differ from those of ``before``."""
    old, new = rows(before), rows(after)
    return {key: new.get(key) for key in {*old, *new} if old.get(key) != new.get(key)}


def test_there_are_presets_and_overlays():
    assert presets() == ["basal_ganglia", "fountas2017", "humphries2009", "humphries2010",
                         "lindahl2016", "seed", "striatum", "striatum_v1"]
    assert overlays("lindahl2016")[:3] == ["activation", "depleted", "dreyer_nigra"]
    assert overlays() == ["dense", "dreyer_nigra", "dreyer_vta", "ejdrup_dorsal",
                          "no_acetylcholine", "parkinsonian", "pooled_axons", "slow_waves"]


@pytest.mark.parametrize("name", presets())
def test_preset_reads_back(name):
    circuit = load(name)
    assert circuit.name == name
    assert load(circuit.to_dict()) == circuit
    assert load(json.loads(json.dumps(circuit.to_dict()))) == circuit


@pytest.mark.parametrize(("preset", "name"), [
    (preset, name) for preset in ("striatum", "striatum_v1", "lindahl2016")
    for name in overlays(preset)])
def test_overlay_reads_back(preset, name):
    plain, circuit = load(preset), load(preset, overlay=name)
    assert circuit != plain
    assert load(circuit.to_dict()) == circuit
    assert load(preset, overlay=[name]) == circuit


def test_file_reads_back(small):
    assert load(small.to_dict()) == small
    assert load(str(GOOD)) == small
    assert load(small) == small
    assert small != load("striatum_v1")


def test_json_file(small, tmp_path):
    path = tmp_path / "small.json"
    path.write_text(json.dumps(small.to_dict()))
    assert load(path) == small
    path.write_text(json.dumps(tomllib.loads(GOOD.read_text("utf-8"))))
    assert load(path) == small


def test_file_from_windows(small, tmp_path):
    path = tmp_path / "small.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.read_bytes().replace(b"\n", b"\r\n"))
    assert load(path) == small


def test_dict_is_not_changed():
    raw = tomllib.loads(GOOD.read_text("utf-8"))
    before = json.dumps(raw)
    load(raw, changes={"cells.dSPN.parameters.C": "16 pF"}, overlay="parkinsonian.dopamine")
    assert json.dumps(raw) == before


def test_deepest_circuit_is_read(tmp_path):
    path = tmp_path / "deep.toml"
    for depth, fits in ((MAX_DEPTH - 1, True), (MAX_DEPTH, False)):
        path.write_text("x = " + "[" * depth + "]" * depth)
        if fits:
            read_data(path)
        else:
            with pytest.raises(CircuitError, match="nested deeper"):
                read_data(path)


def test_aliases(small):
    raw = tomllib.loads(GOOD.read_text("utf-8"))
    raw["cells"] = {{"dSPN": "SP1", "iSPN": "MSND2", "FS": "FSI"}[name]: said
                    for name, said in reversed(raw["cells"].items())}
    raw["pathways"] = {name.replace("iSPN", "D2").replace("dSPN", "MSN_D1"): said
                       for name, said in raw["pathways"].items()}
    raw["gap_junctions"] = {"FSN-FSI": raw["gap_junctions"]["FS-FS"]}
    raw["noise"] = {"FSI": "0.1 mV"}
    made = load(raw)
    assert made == small
    assert made.types == ("dSPN", "iSPN", "FS")


# ---- where numbers come from ----------------------------------------------------------------


def test_provenance_is_kept():
    row = rows(load(load("striatum_v1").to_dict()))["cells.dSPN.parameters.C"]
    assert row == {"value": "15.2 pF", "source": "humphries2009b", "how": "fitted",
                   "note": "Table 2"}
    # What a time course says of its source holds for its numbers.
    assert rows(load("striatum_v1"))["dopamine.d1.constant"]["source"] == "fountas2017"


def test_every_source_is_known():
    text = (files("neostriatum.circuit") / "sources.toml").read_text("utf-8")
    known = set(tomllib.loads(text))
    made = [*map(load, presets()), *(load(name, overlay=part)
                                     for name in ("striatum", "striatum_v1")
                                     for part in overlays(name))]
    used = {row["source"] for circuit in made for row in rows(circuit).values()}
    assert used - {None} <= known


def test_replace_leaves_the_original(small):
    before = json.dumps(small.to_dict())
    other = small.replace({"cells.dSPN.parameters.C": "0.016 nF"})
    assert json.dumps(small.to_dict()) == before
    assert changed(small, other) == {"cells.dSPN.parameters.C": {
        "value": "16.0 pF", "source": "override", "how": "override", "note": None}}
    with pytest.raises(ValueError, match="frozen"):
        small.dt = "0.2 ms"


OVERRIDES = {
    "dt": ("0.05 ms", "dt", "0.05 ms"),
    "dopamine.d2": (0.8, "dopamine.d2.constant", 0.8),
    "dopamine.d2.constant": (0.8, "dopamine.d2.constant", 0.8),
    "cells.dSPN.parameters.d": ("90 pA", "cells.dSPN.parameters.d", "90.0 pA"),
    "cells.dSPN.parameters.d.value": ("90 pA", "cells.dSPN.parameters.d", "90.0 pA"),
    "cells.SP1.parameters.d": ("90 pA", "cells.dSPN.parameters.d", "90.0 pA"),
    "cells.dSPN.dopamine.0.coefficient": (0.4, "cells.dSPN.dopamine.0.coefficient", 0.4),
    "noise.FSI": ("0.2 mV", "noise.FS", "0.2 mV"),
    "noise.dSPN": ("0.2 mV", "noise.dSPN", "0.2 mV"),
    "spread.dSPN.C": ("1 pF", "spread.dSPN.C", "1.0 pF"),
    "pathways.iSPN->dSPN.wiring.scale": (0.3, "pathways.iSPN->dSPN.wiring.scale", 0.3),
    'pathways."SP2->SP1".wiring.scale': (0.3, "pathways.iSPN->dSPN.wiring.scale", 0.3),
    "pathways.FS->dSPN.delay": ("2 ms", "pathways.FS->dSPN.delay.offset", "2.0 ms"),
    "pathways.FS->dSPN.wiring.bins.1.p": (0.2, "pathways.FS->dSPN.wiring.bins.1.p", 0.2),
    "inputs.cortex.targets.FS.rate": ("6 Hz", "inputs.cortex.targets.FS.rate.constant", "6.0 Hz"),
    "inputs.cortex.targets.dSPN.rate.pulse.peak": (
        "6 Hz", "inputs.cortex.targets.dSPN.rate.pulse.peak", "6.0 Hz"),
}


@pytest.mark.parametrize("path", OVERRIDES)
def test_replaced_number_has_the_source_override(path, small):
    value, key, shown = OVERRIDES[path]
    assert changed(small, small.replace({path: value})) == {
        key: {"value": shown, "source": "override", "how": "override", "note": None}}


@pytest.mark.parametrize(("path", "value"), [
    ("inputs.cortex.targets.FS.afferents", 300),
    ("inputs.cortex.targets.iSPN.shared_trains", 500),
    ("inputs.cortex.targets.FS.process", "poisson"),
    ("inputs.electrode.targets.FS.channel", "some"),
    ("volume.boundary", "open"),
])
def test_replaced_word_or_count(path, value, small):
    assert changed(small, small.replace({path: value})) == {
        path: {"value": value, "source": None, "how": None, "note": None}}


def test_replaced_text_may_look_like_a_number(small):
    other = small.replace({"summary": "3 cell types", "left_out": ["5 of them"]})
    assert (other.summary, other.left_out) == ("3 cell types", ("5 of them",))


def test_replaced_shape_replaces_the_course(small):
    other = small.replace({"inputs.cortex.targets.dSPN.rate": "3 Hz"})
    assert other.inputs["cortex"].targets["dSPN"].rate.pulse is None
    ramp = {"ramp": {"base": 0.0, "peak": 1.0, "start": "0 ms", "stop": "1 s"}}
    assert small.replace({"dopamine.d2": ramp}).dopamine.d2.at(500.0) == 0.5


def test_none_removes(small):
    other = small.replace({"pathways.FS->dSPN.stp": None, "receptors.NMDA.magnesium": None})
    assert other.pathways["FS->dSPN"].stp is None
    assert other.receptors["NMDA"].magnesium is None


def test_quantities_are_accepted(small):
    brian2 = pytest.importorskip("brian2")
    from neostriatum.units import registry

    texts = small.replace({"cells.dSPN.parameters.C": "16 pF", "cells.FS.parameters.k": "2 nS/mV"})
    assert small.replace({"cells.dSPN.parameters.C": 16 * brian2.pfarad,
                          "cells.FS.parameters.k": 2 * brian2.nsiemens / brian2.mV}) == texts
    unit = registry()
    assert small.replace({"cells.dSPN.parameters.C": 0.016 * unit.nF,
                          "cells.FS.parameters.k": 2 * unit.nS / unit.mV}) == texts


# ---- overlays -------------------------------------------------------------------------------


def test_parts_of_an_overlay():
    plain = load("striatum_v1")
    dopamine = changed(plain, load("striatum_v1", overlay="parkinsonian.dopamine"))
    assert set(dopamine) == {"dopamine.d1.constant", "dopamine.d2.constant"}
    rewiring = changed(plain, load("striatum_v1", overlay="parkinsonian.rewiring"))
    assert {key.rpartition(".")[2] for key in rewiring} == {"scale"}
    drive = changed(plain, load("striatum_v1", overlay="parkinsonian.drive"))
    assert set(drive) == {"inputs.cortex.targets.FS.rate.constant"}
    parts = ["parkinsonian.dopamine", "parkinsonian.drive", "parkinsonian.rewiring"]
    assert load("striatum_v1", overlay=parts) == load("striatum_v1", overlay="parkinsonian")


def test_later_overlay_wins_and_changes_come_last():
    path = "pathways.iSPN->dSPN.wiring.scale"
    scales = {}
    for order in (["dense", "parkinsonian"], ["parkinsonian", "dense"]):
        made = load("striatum_v1", overlay=order)
        scales[order[-1]] = made.pathways["iSPN->dSPN"].wiring.scale.value
    assert scales == {"parkinsonian": 0.4067, "dense": 1.0}
    last = load("striatum_v1", overlay="dense", changes={path: 0.5})
    assert rows(last)[path]["value"] == 0.5
    assert rows(last)[path]["source"] == "override"


@pytest.fixture
def overlay(tmp_path):
    """Return what writes an overlay of one part and gives its path."""

    def write(text):
        path = tmp_path / "change.toml"
        path.write_text(text)
        return path

    return write


def test_overlay_adds_an_input_of_any_name(small, overlay):
    # "pulse" is the name of a shape too; only a time course has shapes.
    made = load(small, overlay=overlay('[parts.x.inputs.pulse.targets.dSPN]\ncurrent = "20 pA"'))
    assert list(made.inputs) == ["cortex", "electrode", "pulse"]


def test_overlay_changes_the_rule_of_a_cell(small, overlay):
    made = load(small, overlay=overlay(
        '[parts.x.cells.iSPN]\nrule = "cubic"\n'
        'parameters = { b = "0.01 nS/mV^2", v_b = "-60 mV" }'))
    assert made.cells["iSPN"].rule == "cubic"
    assert made.cells["iSPN"].fraction.value == 0.45


def test_overlay_replaces_courses_channels_and_wiring(small, overlay):
    made = load(small, overlay=overlay("""
        [parts.x]
        inputs.cortex.targets.dSPN.rate = { constant = "1 Hz" }
        channels.ball = { all = true }
        pathways."FS->dSPN".wiring = { rule = "fixed_probability", p = 0.2 }
        pathways."FSI->SP1".delay = "2 ms"
        """))
    assert made.inputs["cortex"].targets["dSPN"].rate.pulse is None
    assert made.channels["ball"].sphere is None
    assert made.pathways["FS->dSPN"].wiring.p.value == 0.2
    assert made.pathways["FS->dSPN"].delay.offset.value == 2.0
    assert list(made.pathways) == list(small.pathways)


def test_python_names():
    assert ns.load() == load("striatum")
    assert issubclass(CircuitError, ns.NeostriatumError)
    with pytest.raises(ns.NeostriatumError, match="must be a name, a path or a dict"):
        ns.load(3)


def test_a_table_is_a_step_only_where_its_points_lie_one_step_apart():
    def rates(course):
        made = load("striatum_v1", changes={"dopamine.d1": course}).dopamine.d1
        return made.at(np.arange(10_000) * 0.1)

    pulse = rates({"pulse": {"base": 0.1, "peak": 0.3, "start": "500 ms", "stop": "100 s"}})
    near = rates({"table": {"times": ["499.9 ms", "500 ms"], "values": [0.1, 0.3]}})
    far = rates({"table": {"times": ["0 ms", "500 ms"], "values": [0.1, 0.3]}})
    assert near == pytest.approx(pulse, abs=1e-9)
    assert (far[1:4999] > 0.1).all()
