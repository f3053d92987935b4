"""Signatures of the public functions name the options that their settings have."""

import inspect
from dataclasses import MISSING, fields

import pytest

import neostriatum as ns
from neostriatum.circuit.resolve import Changes
from neostriatum.errors import CircuitError
from neostriatum.experiments.protocol import Stimulus
from neostriatum.information import describe
from neostriatum.learning.options import SessionOptions
from neostriatum.recording.export import Simulation
from neostriatum.runs.settings import Settings

#: Functions, their settings, the fields that are no keywords, and other defaults.
SHOWN = [
    (ns.run, (Settings,), {"session"}, {}),
    (ns.learn, (SessionOptions, Settings),
     {"session", "duration", "events", "dopamine", "d1", "d2", "weight_unit"}, {"record": "none"}),
    (ns.cell, (Changes,), set(), {}), (ns.pair, (Changes,), set(), {}),
    (ns.protocol, (Stimulus, Changes), set(), {}), (ns.export, (Simulation,), set(), {}),
    (describe, (Changes,), set(), {}),
]


@pytest.mark.parametrize(("function", "settings", "left_out", "defaults"), SHOWN,
                         ids=lambda one: getattr(one, "__name__", ""))
def test_signature_and_settings_agree(function, settings, left_out, defaults):
    shown = inspect.signature(function).parameters
    assert not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in shown.values())
    code = inspect.unwrap(function).__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    for field in (field for each in settings for field in fields(each)):
        if field.name in left_out:
            assert field.name not in shown
            continue
        one = shown[field.name]
        assert one.kind is inspect.Parameter.KEYWORD_ONLY
        if field.name in own:
            continue  # with a default of the function
        default = field.default if field.default_factory is MISSING else field.default_factory()
        assert one.default == defaults.get(field.name, default)


def test_what_is_no_option_is_refused_as_before():
    with pytest.raises(CircuitError, match="run: got an unexpected keyword argument 'durations'"):
        ns.run("striatum_v1", durations="1 s")
