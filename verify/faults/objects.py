"""Python objects by function: numbers, quantities, mappings and lists of other libraries."""

from __future__ import annotations

import datetime
import enum
import tempfile
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from busy import COMMON, network
from case import EITHER, REFUSED, SAME, Case

import neostriatum as ns

KIND = "objects"

Row = tuple[str, Callable[[Any], Any], str]


class Counted:
    """A whole number of another library."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __index__(self) -> int:
        return self._number


class Text(str):
    """A text of another library."""

    __slots__ = ()


def _pandas(value: Any) -> Any:
    import pandas as pd

    return pd.Series([value]).iloc[0]


def _enumerated(value: int) -> Any:
    return enum.IntEnum("Numbers", {"only": value}).only  # type: ignore[call-overload]


#: Kinds of one whole number.
WHOLES: list[Row] = [
    *((f"np.{kind}", getattr(np, kind), SAME) for kind in ("int8", "int64", "uint8", "uint64")),
    ("0-d array", np.array, SAME), ("of pandas", _pandas, SAME),
    ("with __index__", Counted, EITHER),
    ("IntEnum", _enumerated, SAME),
    ("float", float, EITHER), ("np.float64", np.float64, EITHER), ("Fraction", Fraction, EITHER),
    ("Decimal", Decimal, EITHER), ("text", str, EITHER), ("array of one", lambda x: np.array([x]),
                                                          EITHER),
    ("0-d array of a float", lambda x: np.array(float(x)), EITHER),
    ("list of one", lambda x: [x], EITHER), ("True", lambda x: True, REFUSED),
    ("np.True_", lambda x: np.True_, REFUSED), ("a half more", lambda x: x + 0.5, REFUSED),
    ("np.float64 a half more", lambda x: np.float64(x + 0.5), REFUSED),
    ("NaN", lambda x: np.nan, REFUSED), ("minus np.int64", lambda x: np.int64(-x), REFUSED),
    ("complex", complex, REFUSED), ("dict", lambda x: {x: x}, REFUSED),
    ("array of two", lambda x: np.array([x, x]), REFUSED),
]
#: Kinds of one real number without a unit.
REALS: list[Row] = [
    *((f"np.{kind}", getattr(np, kind), SAME) for kind in ("float16", "float32", "float64",
                                                           "longdouble")),
    ("0-d array", np.array, SAME), ("0-d array of float32", lambda x: np.array(x, "f4"), SAME),
    ("of pandas", _pandas, SAME), ("Fraction", Fraction, EITHER),
    ("Decimal", lambda x: Decimal(str(x)), EITHER), ("text", str, EITHER),
    ("dimensionless of pint", lambda x: pint_unit("1") * x, EITHER),
    ("percent of pint", lambda x: pint_unit("percent") * (100 * x), EITHER),
    ("dimensionless of quantities", lambda x: x * quantities().dimensionless, EITHER),
    ("array of one", lambda x: np.array([x]), EITHER), ("True", lambda x: True, REFUSED),
    ("np.True_", lambda x: np.True_, REFUSED), ("complex", complex, REFUSED),
    ("NaN", lambda x: np.float64("nan"), REFUSED),
    ("above one", lambda x: np.float32(1.5), REFUSED),
    ("array of two", lambda x: np.array([x, x]), REFUSED),
    ("with a unit", lambda x: f"{x} mV", REFUSED), ("set", lambda x: {x}, REFUSED),
]


@cache
def registry() -> Any:
    """Return a registry of pint that is not the package's."""
    import pint

    return pint.UnitRegistry()


def pint_unit(name: str) -> Any:
    """Return one of a unit of pint."""
    return registry().Quantity(1, name)


def quantities() -> Any:
    """Return the library quantities."""
    import quantities as pq

    return pq


def _brian(name: str) -> Any:
    import brian2

    return getattr(brian2, name)


def spans(ms: float) -> list[Row]:
    """Return kinds of one span of time."""
    import pandas as pd

    us = round(1000 * ms)
    return [
        ("np.str_", lambda x: np.str_(f"{ms} ms"), SAME), ("str of a class", lambda x: Text(
            f"{ms} ms"), SAME), ("in s", lambda x: f"{ms / 1000!r} s", SAME),
        ("pint", lambda x: ms * pint_unit("ms"), SAME), ("pint in s", lambda x: (
            ms / 1000) * pint_unit("s"), SAME),
        ("pint of a 0-d array", lambda x: registry().Quantity(np.array(ms), "ms"), SAME),
        ("pint of an np.int64", lambda x: registry().Quantity(np.int64(us), "us"), SAME),
        ("pint of a Fraction", lambda x: registry().Quantity(Fraction(us), "us"), EITHER),
        ("pint of a Decimal", lambda x: registry().Quantity(Decimal(us), "us"), EITHER),
        ("brian2", lambda x: ms * _brian("ms"), SAME), ("brian2 in s", lambda x: (
            ms / 1000) * _brian("second"), SAME),
        ("quantities", lambda x: ms * quantities().ms, EITHER),
        ("quantities in s", lambda x: (ms / 1000) * quantities().s, EITHER),
        ("timedelta", lambda x: datetime.timedelta(microseconds=us), EITHER),
        ("pd.Timedelta", lambda x: pd.Timedelta(us, "us"), EITHER),
        ("np.timedelta64", lambda x: np.timedelta64(us, "us"), EITHER),
        ("bytes", lambda x: f"{ms} ms".encode(), EITHER),
        ("number", lambda x: ms, REFUSED), ("np.float64", lambda x: np.float64(ms), REFUSED),
        ("0-d array", lambda x: np.array(ms), REFUSED), ("pair", lambda x: (ms, "ms"), EITHER),
        ("pint of mV", lambda x: ms * pint_unit("mV"), REFUSED),
        ("brian2 of mV", lambda x: ms * _brian("mV"), REFUSED),
        ("quantities of mV", lambda x: ms * quantities().mV, REFUSED),
        ("pint of an array", lambda x: registry().Quantity(np.array([ms, ms]), "ms"), REFUSED),
        ("NaN of pint", lambda x: registry().Quantity(np.nan, "ms"), REFUSED),
        ("True", lambda x: True, REFUSED), ("None in a list", lambda x: [None], REFUSED),
        ("Path", lambda x: Path(f"{ms} ms"), REFUSED)]


def others(number: float, unit: str, brian: str) -> list[Row]:
    """Return kinds of one quantity that is no time."""
    return [
        ("np.str_", lambda x: np.str_(f"{number} {unit}"), SAME),
        ("pint", lambda x: number * pint_unit(unit), SAME),
        ("pint of a 0-d array", lambda x: registry().Quantity(np.array(number), unit), SAME),
        ("brian2", lambda x: number * _brian(brian), SAME),
        ("quantities", lambda x: number * getattr(quantities(), unit, quantities().dimensionless),
         EITHER), ("number", lambda x: number, REFUSED),
        ("pint of kg", lambda x: number * pint_unit("kg"), REFUSED),
        ("timedelta", lambda x: datetime.timedelta(seconds=1), REFUSED)]


def ran(**options: Any) -> str:
    """Run a small circuit."""
    options = {**COMMON, "size": 30, "duration": "4 ms", "changes": {"warmup": "0 ms"}, **options}
    return ns.run("striatum_v1", **options).summary["spike_hash"][:12]


def about(run: Any) -> tuple[Any, ...]:
    """Return what a run was asked for."""
    return run.duration_ms, run.dt_ms, run.dopamine, len(run.populations["dSPN"])


def asked(**options: Any) -> tuple[Any, ...]:
    """Run a small circuit and return what was understood."""
    options = {**COMMON, "size": 30, "duration": "2 ms", "changes": {"warmup": "0 ms"}, **options}
    return about(ns.run("striatum_v1", **options))


def resumed(**options: Any) -> Any:
    """Run, and go on."""
    result = ns.run("striatum_v1", **{**COMMON, "size": 30, "duration": "1 ms", "out": _beside(),
                                 "changes": {"warmup": "0 ms"}})
    return about(ns.resume(result, **options))


def _beside() -> Path:
    return Path(tempfile.mkdtemp(dir=Path.cwd().parent)) / "run"


def replaced(key: str, value: Any) -> str:
    """Return a circuit's text with one value replaced."""
    return str(ns.load("striatum_v1").replace({key: value}).to_dict())


def drawn(**options: Any) -> list[str]:
    """Draw the raster of a run."""
    result = ns.run("striatum_v1", **{**COMMON, "size": 30, "duration": "4 ms", "out": _beside(),
                                 "changes": {"warmup": "0 ms"}})
    return ns.draw(result, **{"names": ["raster"], "out": "f", **options})["files"]


def few(rows: list[Row]) -> list[Row]:
    """Return some of the kinds, for calls that take long."""
    kept = ("np.int64", "np.uint8", "0-d array", "with __index__", "float", "np.True_", "NaN",
            "np.float64 a half more", "array of two", "np.float32", "of pandas", "np.str_", "pint",
            "brian2", "quantities", "timedelta", "np.float64", "pint of mV", "pint of an array")
    return [row for row in rows if row[0] in kept]


def _table() -> list[tuple[str, Callable[[Any], Any], Any, list[Row], tuple[str, ...]]]:
    """Return rows of (function, call, plain value, kinds, words)."""
    c = "cells.dSPN.parameters.C"
    afferents = "inputs.cortex.targets.FS.afferents"
    return [
        ("run size", lambda x: asked(size=x), 30, few(WHOLES), ("size",)),
        ("run seed", lambda x: ran(seed=x), 7, few(WHOLES), ("seed",)),
        ("run threads", lambda x: asked(threads=x), 2, few(WHOLES), ("threads",)),
        ("build size", lambda x: ns.build("striatum_v1", size=x).hash()[:8], 30, WHOLES, ("size",)),
        ("build seed", lambda x: ns.build("striatum_v1", 30, seed=x).hash()[:8], 7, WHOLES,
         ("seed",)),
        ("build threads", lambda x: ns.build("striatum_v1", 30, threads=x).hash()[:8], 2, WHOLES,
         ("threads",)),
        ("estimate size", lambda x: ns.estimate("striatum_v1", x).neurons["FS"], 30, WHOLES,
         ("size",)),
        ("pair n", lambda x: ns.pair("FS", "dSPN", n=x, duration="2 ms").n, 3, WHOLES, ("n:",)),
        ("pair_recordings pairs", lambda x: ns.pair_recordings(
            network(), "FS->dSPN", pairs=x).tested, 5, WHOLES, ("pairs",)),
        ("pair_recordings seed", lambda x: ns.pair_recordings(
            network(), "FS->dSPN", pairs=5, seed=x).connected, 7, WHOLES, ("seed",)),
        ("resume threads", lambda x: resumed(threads=x), 2, few(WHOLES), ("threads",)),
        ("load changes afferents", lambda x: str(ns.load("striatum_v1", changes={
            afferents: x}).to_dict()), 9, WHOLES, ("afferents",)),
        ("replace afferents", lambda x: replaced(afferents, x), 9, WHOLES, ("afferents",)),
        ("run dopamine", lambda x: asked(dopamine=x), 0.25, few(REALS), ("dopamine",)),
        ("run d2", lambda x: asked(d2=x), 0.25, few(REALS), ("dopamine", "d2")),
        ("cell dopamine", lambda x: ns.cell("dSPN", "300 pA", duration="2 ms", dopamine=x).dopamine,
         0.25, REALS, ("dopamine",)),
        ("replace dopamine", lambda x: replaced("dopamine.d1", x), 0.25, REALS, ("dopamine",)),
        ("replace scale", lambda x: replaced("pathways.iSPN->dSPN.wiring.scale", x), 0.25,
         [row for row in REALS if row[0] != "above one"], ("scale",)),
        ("run duration", lambda x: asked(duration=x), "4 ms", few(spans(4)), ("duration",)),
        ("run dt", lambda x: asked(dt=x), "0.2 ms", few(spans(0.2)), ("dt",)),
        ("run checkpoint_every", lambda x: asked(checkpoint_every=x), "4 ms", few(spans(4)),
         ("checkpoint_every",)),
        ("cell duration", lambda x: ns.cell("dSPN", "300 pA", duration=x).duration_ms, "4 ms",
         spans(4), ("duration",)),
        ("resume duration", lambda x: resumed(duration=x), "4 ms", few(spans(4)), ("duration",)),
        ("draw stop", lambda x: drawn(stop=x), "4 ms", few(spans(4)), ("stop",)),
        ("replace tau", lambda x: replaced("receptors.GABA.tau", x), "4 ms", spans(4), ("tau",)),
        ("cell current", lambda x: ns.cell("dSPN", x, duration="2 ms").currents_pa.tolist(),
         "300 pA", others(300, "pA", "pamp"), ("current",)),
        ("replace C", lambda x: replaced(c, x), "16 pF", others(16, "pF", "pF"), (".C",)),
        ("pair distance", lambda x: ns.pair("FS", "dSPN", distance=x, duration="40 ms").delay_ms,
         "90 um", others(90, "um", "um"), ("distance",)),
        ("pair_recordings within", lambda x: ns.pair_recordings(
            network(), "FS->dSPN", within=x, pairs=5).within_um, "40 um", others(40, "um", "um"),
         ("within",)),
    ]


def _same(label: str, call: Callable[[], Any], right: Callable[[], Any], expect: str = SAME,
          words: tuple[str, ...] = ()) -> Case:
    return Case(label, lambda folder: call(), expect, right, words)


def _numbers() -> list[Case]:
    listed = []
    for where, call, plain, kinds, words in _table():
        right = cache(lambda call=call, plain=plain: _somewhere(lambda: call(plain)))
        for label, make, expect in kinds:
            listed.append(_same(f"{where}: {label}", lambda call=call, make=make, plain=plain: call(
                make(plain)), right, expect, words))
    return listed


def _somewhere(call: Callable[[], Any]) -> Any:
    """Call in a folder of its own, so that nothing comes to the working one."""
    import os

    back = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(_result(Path(place) / "here"))
        try:
            return call()
        finally:
            os.chdir(back)


def _result(folder: Path) -> Path:
    folder.mkdir()
    return folder


def cases() -> list[Case]:
    """Return every case of this kind."""
    return _numbers()
