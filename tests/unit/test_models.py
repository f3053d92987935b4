"""Models as data: their equations are checked while they are built."""

import json
import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest
from adex import adex, declared, v, w

import neostriatum as ns
from neostriatum.errors import ModelError
from neostriatum.models import (
    CellModel,
    I,
    ReceptorModel,
    ReleaseModel,
    State,
    exp,
    gain,
    parameters,
    rate,
    registry,
    where,
)
from neostriatum.models.evaluate import evaluate
from neostriatum.models.plain import plain, rebuilt

C, g_L, E_L, v_T, D_T, a, b, tau_w, v_reset, v_peak, t_ref = declared()
G = State("g", "nS")
E, TAU = parameters("E mV", "tau ms > 0")
U, REC = parameters("U 1 > 0 <= 1", "tau_rec ms >= 0")
X = State("x", "1")


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Forget what the tests of a module register."""
    for name in ("_registered", "_modules", "_described", "broken"):
        monkeypatch.setattr(registry, name, {})
    monkeypatch.setattr(registry, "_used", set())
    monkeypatch.setattr(registry, "_looked", True)


def cell(**changes):
    """Return a leaky cell with changes."""
    fields = {"name": "leaky", "states": (v,), "rates": (rate(v, g_L * (E_L - v) + I, per=C),),
              "fires": v >= v_T, "then": {v: E_L}, "starts": {v: E_L}}
    return CellModel(**fields | changes)


BAD = {
    "dimensions": (lambda: g_L * (E_L - v) + w * v,
                   r"g_L\*\(E_L - v\) \+ w\*v: the left is in pA, the right in pA\*mV|"
                   r"the left is in pA, the right in mV\^1\*pA\^1"),
    "deep dimensions": (lambda: exp((v - v_T) / D_T) * g_L + C, "left is in nS, the right in pF"),
    "exp of mV": (lambda: exp(v), r"exp\(v\): must have no unit \(got mV\)"),
    "division by 0": (lambda: v / 0, r"v / 0\.0: divides by 0"),
    "division by 0 pF": (lambda: v / (0 * C), "divides by 0"),
    "chained comparison": (lambda: E_L < v < v_T, "has no truth value while a model is built"),
    "power": (lambda: v ** 0.5, "a power must be a whole number from 2 to 8"),
    "infinite": (lambda: v * float("inf"), "must be finite"),
    "text": (lambda: v + "w", "is made of states, parameters and plain numbers"),
    "sum of comparison": (lambda: (v > v_T) + 1, "a comparison is no number"),
    "where without one": (lambda: where(v, 1, 2), "the first must be a comparison"),
    "unit": (lambda: parameters("tau s > 0"), r'unit "s": .* Write ms'),
    "bound": (lambda: parameters("tau ms > soon"), "bounds and default must be numbers"),
    "line": (lambda: parameters("tau"), 'must be a name, a unit and bounds, as "C pF > 0"'),
    "name": (lambda: State("2v", "mV"), "a name is a letter"),
    "rate in another unit": (lambda: rate(v, g_L * (E_L - v)), "rate of v: .* must give mV/ms"),
    "rate of a parameter": (lambda: rate(C, C), "the first must be a state"),
    "both coefficients": (lambda: rate(v, I, per=C, times=C), "takes one of per and times"),
    "state without a rate": (lambda: cell(states=(v, w), starts={v: E_L, w: 0}),
                             r"leaky.rates: w must have one rate \(got 0\)"),
    "two rates": (lambda: cell(rates=(rate(v, I, per=C), rate(v, I, per=C))),
                  r"v must have one rate \(got 2\)"),
    "rate of a stranger": (lambda: cell(rates=(rate(v, I, per=C), rate(w, a * v, per=tau_w))),
                           "rates: w is not among its states"),
    "reset of a parameter": (lambda: cell(then={C: 2 * C}), "then: C is not among its states"),
    "reset in another unit": (lambda: cell(then={v: b}), "then: v is in mV, b in pA"),
    "threshold always true": (lambda: cell(fires=v >= v), "does not depend on its states"),
    "threshold of parameters": (lambda: cell(fires=C > 0), "does not depend on its states"),
    "threshold is a number": (lambda: cell(fires=v - v_T), "must be a comparison, such as"),
    "no start": (lambda: cell(starts={}), "starts: v is missing"),
    "start of a state": (lambda: cell(starts={v: v}), "must be made of parameters alone"),
    "no v": (lambda: CellModel(name="x", states=(w,), rates=(rate(w, I, per=tau_w),),
                               fires=w > 0, then={}, starts={w: 0}), "one must be v in mV"),
    "unknown state": (lambda: cell(rates=(rate(v, I - w, per=C),)), "unknown state w. It has v"),
    "two meanings": (lambda: cell(fires=v >= parameters("C mV")[0]), "C: is the name of two"),
    "hold in mV": (lambda: cell(hold=v_T), "hold: must be a parameter in ms"),
    "name of a model": (lambda: cell(name="My Cell"), "a name has small letters, digits and _"),
    "requires a state": (lambda: cell(requires=(v > v_T,)), "a comparison of parameters"),
    "receptor: no current": (lambda: ReceptorModel(name="x", states=(G,), decays={G: TAU}),
                             "must have one of current and modulation"),
    "receptor: in nS": (lambda: ReceptorModel(name="x", states=(G,), decays={G: TAU},
                                              current=gain * G), r"must be in pA \(got nS\)"),
    "receptor: stays": (lambda: ReceptorModel(name="x", states=(G,), current=G * E),
                        "g must decay or have a rate"),
    "release: no rest": (lambda: ReleaseModel(
        name="x", states=(X,), rests={}, decays={X: REC}, jumps={}, released=X, most=1,
        after={}),
        "x must rest at 0 or 1"),
    "release: unit": (lambda: ReleaseModel(
        name="x", states=(X,), rests={X: 1}, decays={X: REC}, jumps={}, released=X * REC,
        most=1, after={}), "must be a number without unit"),
}


@pytest.mark.parametrize("name", BAD)
def test_equations_that_do_not_fit(name):
    build, message = BAD[name]
    with pytest.raises(ModelError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)


def test_dimensions_are_named_with_the_subtree():
    with pytest.raises(ModelError) as caught:
        rate(v, g_L * (E_L - v) + (a * v - C) + I, per=C)
    assert str(caught.value) == "a*v - C: the left is in pA, the right in pF"


def test_the_cell_of_the_document_is_the_shipped_one():
    ns.register(adex())  # the same equations: nothing changes
    assert registry.find("cell", "adex").summary
    assert adex().resets.keys() == {"v", "w"}
    assert [parameter.name for parameter in adex().parameters][:3] == ["C", "g_L", "E_L"]


def test_models_are_equal_by_their_canonical_text():
    """Two of one text are one in a set; other equations, and another kind, are another."""
    assert cell() == cell()
    assert len({cell(), cell(), cell(name="other"), cell(fires=v > v_T)}) == 3
    assert cell() != cell().text
    assert rebuilt(plain(cell())) == cell()


class TestRegister:
    def test_a_name_that_exists(self):
        with pytest.raises(ModelError, match='cell "adex" exists with other equations'):
            ns.register(adex(fires=v > v_peak))
        ns.register(adex("mine"))
        ns.register(adex("mine"))
        with pytest.raises(ModelError, match=r'cell "mine" exists with other equations\. Choose'):
            ns.register(adex("mine", fires=v > v_peak))

    def test_a_name_that_a_circuit_was_loaded_with(self):
        ns.register(adex("mine"))
        registry.find("cell", "mine")
        with pytest.raises(ModelError, match='circuit was loaded with cell "mine" already'):
            ns.register(adex("mine", fires=v > v_peak))

    @pytest.mark.parametrize("model", [None, "adex", CellModel, 3])
    def test_no_model(self, model):
        with pytest.raises(ModelError, match="a CellModel, ReceptorModel, ReleaseModel or L"):
            ns.register(model)

    def test_modules(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [*sys.path])
        (tmp_path / "broken_cells.py").write_text("1 / 0")
        with pytest.raises(ModelError, match=r"broken_cells could not be imported \(ZeroDivision"):
            registry.read_modules(["broken_cells"])
        with pytest.raises(ModelError, match=r"models: no\.such could not be imported"):
            registry.read_modules(["no.such"])

    def test_entry_points(self, monkeypatch):
        class Entry:
            name, module = "good", "somewhere"

            def load(self):
                return adex("from_afar")

        class Broken(Entry):
            name = "bad"

            def load(self):
                msg = "no such library"
                raise ImportError(msg)

        monkeypatch.setattr(registry, "_looked", False)
        monkeypatch.setattr(registry, "entry_points", lambda group: [Broken(), Entry()])
        assert registry.find("cell", "from_afar").name == "from_afar"
        assert registry.module_of(adex("from_afar")) == "somewhere"
        assert registry.broken == {"bad": "ImportError: no such library"}
        with pytest.raises(ModelError, match="broken entry points: bad"):
            registry.find("cell", "from_nowhere")


@pytest.mark.parametrize("model", list(registry.every()), ids=lambda model: model.name)
class TestShipped:
    def test_as_plain_data(self, model):
        copy = rebuilt(json.loads(json.dumps(plain(model))))
        assert (copy.text, copy.equations) == (model.text, model.equations)
        assert replace(copy, summary="").hash == model.hash

    def test_pickled(self, model):
        copy = pickle.loads(pickle.dumps(model))  # noqa: S301 - the test's own
        assert copy.text == model.text

    def test_source_is_known(self, model):
        from neostriatum.circuit.sources import sources

        assert not model.source or model.source in sources()


@pytest.mark.parametrize("data", [
    None, {}, {"kind": "cell"}, {"kind": "axon", "fields": {}}, {"kind": "cell", "fields": []},
    {"kind": "cell", "fields": {"name": ["operation", "exec", "1"]}},
    {"kind": "cell", "fields": {"name": ["given", "os"]}},
    {"kind": "cell", "fields": {"name": ["operation", "+", ["state", "v", "mV"],
                                         ["state", "w", "pA"]]}}])
def test_plain_data_of_no_model(data):
    with pytest.raises(ModelError):
        rebuilt(data)


def test_trees_mean_what_python_means():
    tree = g_L * D_T * exp((v - v_T) / D_T) - w
    given = {"g_L": 10.0, "D_T": 2.0, "v": np.array([-50.0, -48.0]), "v_T": -50.0, "w": 3.0}
    assert evaluate(tree, given) == pytest.approx([17.0, 20 * np.e - 3], rel=1e-15)


def test_what_a_receptor_or_a_release_requires_is_made_of_parameters():
    for model in (registry.find("receptor", "two_exponentials"),
                  registry.find("release", "two_pools")):
        state = model.states[0]
        for condition in (state > state * 2.0, "tau > 1"):
            with pytest.raises(ModelError, match=r"requires: .* a comparison of parameters"):
                replace(model, requires=(condition,))
