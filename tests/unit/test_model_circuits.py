"""Circuit files that name any model: what they say, and what is refused."""

import copy
import pickle
import re

import pytest
from adex import GOOD, NUMBERS, adex, plain

import neostriatum as ns
from neostriatum.circuit.cautions import static_threshold, warnings_of
from neostriatum.circuit.stability import return_rates
from neostriatum.errors import CircuitError, ModelError
from neostriatum.models import registry
from neostriatum.models.striatal import STRIATAL

CUBIC = {"C": "80 pF", "k": "1 nS/mV", "v_r": "-70 mV", "v_t": "-50 mV", "v_peak": "25 mV",
         "a": "0.2 1/ms", "b": "0.025 nS/mV^2", "c": "-60 mV", "d": "0 pA", "v_b": "-55 mV"}
TWO = {"model": "two_exponentials", "E": "-60 mV", "tau": "8 ms", "tau_rise": "1 ms"}


def effect(**keys):
    return {"effects": [{"level": "D1"} | keys]}


def number(**numbers):
    return {"parameters": NUMBERS | numbers}


def test_a_cell_of_any_model():
    circuit = ns.load(plain())
    cell = circuit.cells["FS"]
    assert (cell.cell_model.name, cell.rule, cell.peak_mv) == ("adex", None, 0.0)
    assert (cell.parameters.C.value, cell.values["I_spon"]) == (80.0, 0.0)
    assert circuit.to_dict()["cells"]["FS"]["parameters"]["tau_w"] == "100.0 ms"
    assert "rule" not in circuit.to_dict()["cells"]["FS"]
    assert ns.load(circuit.to_dict()) == circuit == copy.deepcopy(circuit)
    assert pickle.loads(pickle.dumps(circuit)) == circuit  # noqa: S301 - the test's own
    changed = circuit.replace({"cells.FS.parameters.C": "90 pF"})
    assert changed.to_dict()["cells"]["FS"]["parameters"]["C"] == {
        "value": "90.0 pF", "source": "override", "how": "override"}


def test_the_older_spelling_is_kept():
    old, new = (plain(cell={"parameters": CUBIC} | keys) for keys in (
        {"model": "izhikevich", "rule": "cubic"}, {"model": "izhikevich_fs"}))
    old, new = ns.load(old), ns.load(new)
    assert old.cells["FS"].cell_model is new.cells["FS"].cell_model
    assert old.cells["FS"].values == new.cells["FS"].values
    assert old.to_dict()["cells"]["FS"]["rule"] == "cubic"
    assert ns.load(GOOD).to_dict()["cells"]["dSPN"]["rule"] == "linear"
    assert static_threshold(new, "FS") == static_threshold(old, "FS") == -60.0


def test_every_parameter_of_the_third_model_has_its_default():
    needed = {"C": "39 pF", "g_L": "2 nS", "E_L": "-60 mV", "k": "1 nS/mV", "v_T": "-45 mV",
              "a": "0.02 1/ms", "b": "0 nS", "v_r": "-60 mV", "d": "20 pA", "c": "-50 mV"}
    circuit = ns.load(plain("striatal", {"parameters": needed}, start={"FS": {"z": "1 pA"}}))
    defaults = {one.name: one.default for one in STRIATAL.parameters if one.default is not None}
    assert circuit.cells["FS"].values.items() >= defaults.items()
    assert circuit.start["FS"].z.value == 1.0
    assert return_rates(circuit.cells["FS"])["v"] == pytest.approx(2.0 / 39.0, rel=1e-6)
    assert static_threshold(circuit, "FS") is None
    assert not [line for line in warnings_of(circuit) if "on FS" in line]


BAD_CELLS = {
    "unknown model": ("no_such", {}, 'cells.FS.model: unknown cell model (got "no_such"). Known: '),
    "near model": ("adx", {}, 'unknown cell model (got "adx"). Known: adex; or name the module'),
    "model is a number": (3, {}, "cells.FS.model: must be a text (got 3)"),
    "rule": ("adex", {"rule": "cubic"}, "cells.FS.rule: belongs to model izhikevich (got cubic)"),
    "unknown parameter": ("adex", number(v_t="1 mV"), "cells.FS.parameters.v_t: unknown key. Near"),
    "of another model": ("adex", number(xyz="1 mV"), "xyz: unknown key. adex has C, g_L, E_L"),
    "missing": ("adex", {"parameters": {}}, "cells.FS.parameters.C: is missing"),
    "no table": ("adex", {"parameters": 3}, "cells.FS.parameters: must be a table"),
    "dimension": ("adex", number(C="1 nS"), "cells.FS.parameters.C: must have the dimension of pF"),
    "below": ("adex", number(g_L="0 nS"), "cells.FS.parameters.g_L: must be > 0 nS (got 0 nS)"),
    "above": ("adex", number(v_T="300 mV"), "parameters.v_T: must be <= 200 mV (got 300 mV)"),
    "requires": ("adex", number(v_T="10 mV"),
                 "cells.FS.parameters: v_T must be below v_peak (got 10 and 0 mV)"),
    "too fast": ("adex", number(C="0.4 pF"), "dt: must be below 0.08 ms (got 0.1 ms): the time "
                                             "constant of v of FS is 0.04 ms at the start"),
    "effect on nothing": ("adex", effect(acts_on="k", coefficient=1),
                          "cells.FS.effects.0: acts_on must be one of C, g_L, E_L"),
    "effect on the hold": ("adex", effect(acts_on="t_ref", add="1 ms"),
                           'effects.0: acts_on "t_ref" is how long v is held'),
    "effect in another unit": ("adex", effect(acts_on="v_T", add="1 pA"),
                               "cells.FS.effects.0.add: must have the dimension of mV"),
    "factor": ("adex", effect(acts_on="g_L", coefficient=-4),
               "cells.FS.effects.0.coefficient: must leave g_L positive at every level of D1"),
    "sum": ("adex", effect(acts_on="C", add="-1000 pF"),
            "cells.FS.effects.0.add: must leave C at least 0.001 pF at every level of D1"),
    "dopamine": ("adex", {"dopamine": [{"receptor": "D1", "acts_on": "g_L", "coefficient": -1}]},
                 "cells.FS.dopamine.0: coefficient must be > -1, or dopamine takes g_L to 0"),
}


@pytest.mark.parametrize("name", BAD_CELLS)
def test_bad_cell(name):
    model, cell, message = BAD_CELLS[name]
    refused(plain(model, cell), message)


def refused(raw, message):
    with pytest.raises(CircuitError, match=re.escape(message)) as caught:
        ns.load(raw)
    assert str(caught.value).startswith("small: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("parts", "message"), {
    "hold": ({"spread": {"FS": {"t_ref": "1 ms"}}}, "spread: FS.t_ref is how long v is held"),
    "bound": ({"spread": {"FS": {"g_L": "4 nS"}}}, "spread.FS.g_L: must be below a third of 10 nS"),
    "bound of its own": ({"spread": {"FS": {"C": "30 pF"}}},
                         "spread.FS.C: must leave 0.001 pF or more within three of it below 80 pF"),
    "unknown": ({"spread": {"FS": {"k": "4 nS/mV"}}}, "spread: FS.k is not a parameter of this"),
    "state": ({"start": {"FS": {"u": "1 pA"}}},
              "start.FS.u: unknown key. adex has v_sd, v_low, v_high, v, w"),
    "unit": ({"start": {"FS": {"w": "1 mV"}}}, "start.FS.w: must have the dimension of pA"),
    "number": ({"start": {"FS": 3}}, "start.FS: must be a table"),
}.values())
def test_bad_spread_and_start(parts, message):
    refused(plain(**parts), message)


def test_a_step_for_slow_cells_may_be_long():
    raw = plain()
    raw["cells"] = {"FS": raw["cells"]["FS"] | {"fraction": 1}}
    for key in ("pathways", "gap_junctions", "inputs", "channels"):
        raw.pop(key, None)
    assert ns.load(raw | {"dt": "1 ms"}).dt.value == 1.0
    refused(raw | {"dt": "20 ms", "warmup": "0 ms"}, "dt: must be below 16 ms (got 20 ms): the")


# ---- receptors and release -------------------------------------------------------------------


def test_receptors_of_any_model():
    circuit = ns.load(plain(receptors=ns.load(GOOD).to_dict()["receptors"] | {"GABA": TWO}))
    receptors = circuit.receptors
    assert receptors["GABA"].receptor_model.name == "two_exponentials"
    assert receptors["GABA"].values == {"E": -60.0, "tau": 8.0, "tau_rise": 1.0}
    assert (receptors["NMDA"].receptor_model.name, receptors["NMDA"].values["mg_half"]) == (
        "nmda", 3.57)
    assert receptors["AMPA"].receptor_model.name == "exponential"
    assert "mg_half" not in circuit.to_dict()["receptors"]["NMDA"]
    other = circuit.replace({"receptors.NMDA.magnesium": "0 mM"}).receptors["NMDA"]
    assert other.receptor_model.name == "exponential"
    assert ns.load(circuit.to_dict()) == circuit


@pytest.mark.parametrize(("keys", "message"), {
    "model": ({"model": "gaba"}, 'receptors.GABA.model: unknown receptor model (got "gaba")'),
    "number": ({"model": 3}, "receptors.GABA.model: must be a text (got 3)"),
    "of another kind": ({"model": "adex"}, "unknown receptor model"),
    "equal": (TWO | {"tau": "1 ms"}, "receptors.GABA: tau_rise must be below tau (got 1 and 1 ms)"),
    "missing": ({"model": "two_exponentials", "E": "0 mV", "tau": "1 ms"}, "tau_rise: is missing"),
    "unknown": (TWO | {"tau_ries": "1 ms"}, "receptors.GABA.tau_ries: unknown key. Nearest: tau_r"),
    "none needed": ({"model": "exponential", "E": "0 mV", "tau": "1 ms", "magnesium": "1 mM"},
                    "receptors.GABA.magnesium: unknown key. exponential has E, tau"),
    "half alone": ({"E": "0 mV", "tau": "1 ms", "mg_half": "2.62 mM"}, "mg_half: needs magnesium"),
    "no magnesium": ({"model": "nmda", "E": "0 mV", "tau": "1 ms"}, "magnesium: is missing"),
}.values())
def test_bad_receptor(keys, message):
    refused(plain(receptors=ns.load(GOOD).to_dict()["receptors"] | {"GABA": keys}), message)


def with_release(keys):
    raw = plain()
    raw["pathways"]["FS->dSPN"]["stp"] = keys
    return raw


def test_release_of_any_model():
    stp = ns.load(GOOD).pathways["FS->dSPN"].stp
    assert (stp.release_model.name, stp.model) == ("tsodyks_markram", None)
    assert stp.values == {"U": stp.U.value, "tau_rec": stp.tau_rec.value,
                          "tau_fac": stp.tau_fac.value}
    two = ns.load(with_release({"model": "two_pools", "U": 0.3, "share": 0.5,
                                "tau_fast": "10 ms", "tau_slow": "1 s"}))
    assert two.pathways["FS->dSPN"].stp.values["tau_slow"] == 1000.0


@pytest.mark.parametrize(("keys", "message"), {
    "model": ({"model": "none"}, 'stp.model: unknown release model (got "none")'),
    "unknown": ({"model": "two_pools", "tau_rec": "1 ms"}, "stp.tau_rec: unknown key. two_pools"),
    "bound": ({"model": "two_pools", "U": 0.3, "share": 2, "tau_fast": "1 ms",
               "tau_slow": "1 ms"}, "stp.share: must be <= 1 (got 2)"),
}.values())
def test_bad_release(keys, message):
    refused(with_release(keys), message)


# ---- what lies over a circuit ----------------------------------------------------------------


def test_another_model_replaces_the_parameters(tmp_path):
    table = "\n".join(f'{key} = "{value}"' for key, value in NUMBERS.items())
    (tmp_path / "new.toml").write_text(
        f'extends = "striatum_v1"\n[cells.FS]\nmodel = "adex"\ndopamine = []\n[cells.FS.parameters]'
        f'\n{table}\n[receptors.GABA]\nmodel = "two_exponentials"\nE = "-60 mV"\ntau = "8 ms"\n'
        'tau_rise = "1 ms"\n[receptors.NMDA]\nmg_half = "2.62 mM"\n')
    (tmp_path / "newer.toml").write_text(
        'extends = "new.toml"\n[cells.FS]\nmodel = "adex"\nparameters = { C = "90 pF" }\n'
        '[receptors.GABA]\nmodel = "two_exponentials"\ntau = "9 ms"\n')
    new, newer = (ns.load(tmp_path / name) for name in ("new.toml", "newer.toml"))
    assert new.cells["FS"].values["tau_w"] == newer.cells["FS"].values["tau_w"] == 100.0
    assert newer.cells["FS"].values["C"] == 90.0
    assert newer.receptors["GABA"].values == {"E": -60.0, "tau": 9.0, "tau_rise": 1.0}
    assert new.receptors["NMDA"].values["mg_half"] == 2.62
    assert new.receptors["NMDA"].magnesium.value == 1.0


def test_a_parameter_that_tables_cannot_have(monkeypatch):
    from neostriatum.models import I, parameters, rate

    for name in ("_registered", "_modules"):
        monkeypatch.setattr(registry, name, {})
    monkeypatch.setattr(registry, "_used", set())
    model = adex("odd")
    (odd,) = parameters("values pF > 0")
    v = model.states[0]
    ns.register(adex("odd", rates=(rate(v, I, per=odd), model.rates[1])))
    refused(plain("odd"), "cells.FS.model: odd: values has another meaning in circuits")


def test_a_circuit_reaches_a_process_that_lacks_its_model(monkeypatch):
    for name in ("_registered", "_modules", "_described"):
        monkeypatch.setattr(registry, name, {})
    ns.register(adex("elsewhere"))
    circuit = ns.load(plain("elsewhere", start={"FS": {"w": "1 pA"}}))
    sent = pickle.dumps(circuit)
    monkeypatch.setattr(registry, "_registered", {})
    again = pickle.loads(sent)  # noqa: S301 - the test's own
    assert again == circuit
    assert again.start["FS"].w.value == 1.0
    with pytest.raises(ModelError, match="unknown cell model"):
        _ = again.cells["FS"].cell_model
