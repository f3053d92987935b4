"""Units at the edge: text, pint and Brian2 agree, and what is not a quantity is refused."""

import math
import warnings
from datetime import timedelta
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from neostriatum.errors import BuildError, CircuitError
from neostriatum.units import USUAL, _factor, quantity, registry, text, whole_number


def _bare_span(number: int) -> np.timedelta64:
    """A span of time of NumPy without a unit, which it advises against."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return np.timedelta64(number)


#: One quantity of every unit of the package: (as text, unit, number in it).
SPELLED = [
    ("15.2 pF", "pF", 15.2),
    ("15.2pF", "pF", 15.2),
    ("0.0152 nF", "pF", 15.2),
    ("1.52e-11 F", "pF", 15.2),
    ("15.2 picofarad", "pF", 15.2),
    ("1 nS/mV", "nS/mV", 1.0),
    ("1 mS/V", "nS/mV", 1000.0),
    ("0.025 nS/mV^2", "nS/mV^2", 0.025),
    ("0.025 nS/mV**2", "nS/mV^2", 0.025),
    ("0.025 nS mV^-2", "nS/mV^2", 0.025),
    ("0.025 nS/mV/mV", "nS/mV^2", 0.025),
    ("-80 mV", "mV", -80.0),
    ("-0.08 V", "mV", -80.0),
    ("0.01 / ms", "1/ms", 0.01),
    ("0.01 /ms", "1/ms", 0.01),
    ("0.01 1/ms", "1/ms", 0.01),
    ("10 Hz", "1/ms", 0.01),
    ("91 pA", "pA", 91.0),
    ("+.091 nA", "pA", 91.0),
    ("0.75 nS", "nS", 0.75),
    ("2 s", "ms", 2000.0),
    ("0.8 m/s", "um/ms", 800.0),
    ("15 um", "um", 15.0),
    ("15 µm", "um", 15.0),  # micro sign
    ("15 μm", "um", 15.0),  # Greek mu
    ("77520 / mm^3", "1/mm^3", 77520.0),
    ("77520 mm^-3", "1/mm^3", 77520.0),
    ("2.4 Hz", "Hz", 2.4),
    ("2.4 1/s", "Hz", 2.4),
    ("2.4 kHz", "Hz", 2400.0),
    ("1 mM", "mM", 1.0),
    ("1 mmol/l", "mM", 1.0),
    ("0.3", "1", 0.3),
    ("30 %", "1", 0.3),
    (" 5 mV/mV ", "1", 5.0),
]

#: The same in Brian2's units, whose dimensions reach the power 9.
BRIAN = {
    "pF": lambda b: 15.2 * b.pfarad,
    "nS/mV": lambda b: 1.0 * b.nsiemens / b.mV,
    "nS/mV^2": lambda b: 0.025 * b.nsiemens / b.mV**2,
    "mV": lambda b: -80.0 * b.mV,
    "1/ms": lambda b: 0.01 / b.ms,
    "pA": lambda b: 91.0 * b.pA,
    "nS": lambda b: 0.75 * b.nsiemens,
    "ms": lambda b: 2.0 * b.second,
    "um/ms": lambda b: 0.8 * b.metre / b.second,
    "um": lambda b: 15.0 * b.um,
    "1/mm^3": lambda b: 77520.0 / b.mm**3,
    "Hz": lambda b: 2.4 * b.Hz,
    "mM": lambda b: 1.0 * b.mmolar,
    "1": lambda b: 0.3 * b.mV / b.mV,
}


@pytest.mark.parametrize(("said", "unit", "number"), SPELLED)
def test_text(said, unit, number):
    assert quantity(said, unit) == number


@pytest.mark.parametrize(("said", "unit", "number"), SPELLED)
def test_pint_agrees_with_text(said, unit, number):
    given = registry().Quantity(said.strip().replace("μ", "µ"))
    assert quantity(given, unit) == pytest.approx(number, rel=1e-14)


@pytest.mark.parametrize(("unit", "wanted"), USUAL)
def test_pint_agrees_with_the_usual_factors(unit, wanted, monkeypatch):
    usual = quantity(f"3.7 {unit}", wanted)
    monkeypatch.delitem(USUAL, (unit, wanted))
    _factor.cache_clear()
    assert quantity(f"3.7 {unit}", wanted) == usual


@pytest.mark.parametrize("unit", BRIAN)
def test_brian_agrees_with_text(unit):
    brian2 = pytest.importorskip("brian2")
    number = next(number for _, known, number in SPELLED if known == unit)
    assert quantity(BRIAN[unit](brian2), unit) == number


@pytest.mark.parametrize(("said", "unit", "number"), SPELLED)
def test_double_is_double(said, unit, number):
    value, _, rest = said.strip().partition(" ")
    if rest:
        assert quantity(f"{2 * float(value)!r} {rest}", unit) == 2 * number
    given = registry().Quantity(number, "" if unit == "1" else unit)
    assert quantity(2 * given, unit) == 2 * number


@pytest.mark.parametrize("number", [0.1 + 0.2, 1 / 3, -1e-300, 5e-324, 1.7e308, 84900.0, -0.0])
@pytest.mark.parametrize("unit", ["pF", "nS/mV^2", "1/mm^3"])
def test_text_reads_back_the_same_float(number, unit):
    assert math.copysign(1, number) == math.copysign(1, quantity(text(number, unit), unit))
    assert quantity(text(number, unit), unit) == number


REFUSED = [
    # a unit is missing, or must be
    ("15.2", "pF", 'must carry its unit, "15.2 pF"'),
    (15.2, "pF", 'must carry its unit, "15.2 pF"'),
    (3, "pF", 'must carry its unit, "3 pF"'),
    (np.float32(0.5), "pF", 'must carry its unit, "0.5 pF"'),
    ("0.3 mM", "1", "must have no unit"),
    # another dimension
    ("15.2 nS", "pF", "must have the dimension of pF"),
    ("1 nS", "nS/mV", "must have the dimension of nS/mV"),
    ("1 degC", "mV", "must have the dimension of mV"),
    ("1 mm", "1/mm^3", "must have the dimension of 1/mm^3"),
    # no unit at all, or none that we read
    ("15.2 florps", "pF", 'must be in pF, and "florps" is not a unit'),
    ("0x10 pF", "pF", 'must be in pF, and "x10 pF" is not a unit'),
    ("1 2 pF", "pF", 'must be in pF, and "2 pF" is not a unit'),
    ("1 pF 2", "pF", 'must be in pF, and "pF 2" is not a unit'),
    ("1 pF + 1 pF", "pF", 'must be in pF, and "pF + 1 pF" is not a unit'),
    ("1 pF^9999", "pF", 'must be in pF, and "pF^9999" is not a unit'),
    ("1 (pF^3)^3", "pF", 'must be in pF, and "(pF^3)^3" is not a unit'),
    ("1 pF.__class__", "pF", 'must be in pF, and "pF.__class__" is not a unit'),
    ("10**10**10 pF", "pF", 'must be in pF, and "**10**10 pF" is not a unit'),
    # no number
    ("", "1", "must be a number"),
    ("pF", "pF", 'must be a number with its unit, "1 pF"'),
    ("nan pF", "pF", 'must be a number with its unit, "1 pF"'),
    ("٣ pF", "pF", 'must be a number with its unit, "1 pF"'),
    # as other locales and printed papers spell it
    ("0,3", "1", "must have a decimal point, no comma"),
    ("-0,75 nS", "nS", "must have a decimal point, no comma"),
    ("1,000.5 pF", "pF", "must have a decimal point, no comma"),
    ("\u221265 mV", "mV", 'must have the minus sign of the keyboard, "-"'),
    ("\u201365 mV", "mV", 'must have the minus sign of the keyboard, "-"'),
    ("1 pF\n1 pF", "pF", 'must be a number with its unit, "1 pF"'),
    ("1 " + "p" * 1000, "pF", 'must be a number with its unit, "1 pF"'),
    (True, "1", "must be a number"),
    (np.bool_(1), "1", "must be a number"),
    (None, "1", "must be a number"),
    ([1], "1", "must be a number"),
    ({}, "pF", 'must be a number with its unit, "1 pF"'),
    (b"1", "1", "must be a number"),
    (1j, "1", "must be a number"),
    (object(), "1", "must be a number"),
    (np.array([0.3]), "1", "must be a number"),
    (np.array(True), "1", "must be a number"),
    (np.complex128(1 + 1j), "1", "must be a number"),
    (np.ma.masked, "1", "must be a number"),
    (pd.NA, "1", "must be a number"),
    (pd.NaT, "ms", 'must be a number with its unit, "1 ms"'),
    (pd.Series([0.3]), "1", "must be a number"),
    (np.bytes_(b"1"), "1", "must be a number"),
    (Decimal("sNaN"), "1", "must be a finite number"),
    (_bare_span(5), "1", "must be a span of seconds or their parts"),
    (np.timedelta64(1, "M"), "ms", "must be a span of seconds or their parts"),
    (np.timedelta64(5, "ms"), "1", "must have no unit"),
    (timedelta(seconds=1), "mV", "must have the dimension of mV"),
    # not finite
    (float("nan"), "1", "must be a finite number"),
    (math.inf, "pF", "must be a finite number"),
    (10**400, "1", "must be a finite number"),
    ("1e999 pF", "pF", "must be a finite number"),
    ("1e305 F", "pF", "must be a finite number"),
    ("9" * 400 + " pF", "pF", "must be a finite number"),
]


@pytest.mark.parametrize(("raw", "unit", "rule"), REFUSED,
                         ids=[f"{i}-{str(one[0])[:20]!a}" for i, one in enumerate(REFUSED)])
def test_refused(raw, unit, rule):
    with pytest.raises(ValueError, match="must") as caught:
        quantity(raw, unit)
    assert str(caught.value) == rule


def test_refused_arrays_and_fractional_dimensions():
    brian2 = pytest.importorskip("brian2")
    with pytest.raises(ValueError, match="must be a single number"):
        quantity(registry().Quantity([1.0, 2.0], "pF"), "pF")
    with pytest.raises(ValueError, match="must be a single number"):
        quantity(np.array([1.0, 2.0]) * brian2.pfarad, "pF")
    with pytest.raises(ValueError, match="must have the dimension of mV"):
        quantity(brian2.mV * brian2.ms**-0.5, "mV")


SCALARS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64,
           np.intp, np.float16, np.float32, np.float64, np.longdouble]


def test_plain_numbers():
    for raw in (3, 3.0, Fraction(3), Decimal(3), np.array(3), np.array(3.0), np.array(Fraction(3)),
                np.str_("3"), *(kind(3) for kind in SCALARS)):
        value = quantity(raw, "1")
        assert value == 3.0
        assert type(value) is float


#: Spans of 20 ms, and one of 0.1 ms, as other libraries write them.
SPANS = [
    (timedelta(milliseconds=20), 20.0), (pd.Timedelta("20 ms"), 20.0),
    (pd.Timedelta("100 us"), 0.1), (pd.Timedelta("1500 ns"), 0.0015),
    (np.timedelta64(20, "ms"), 20.0), (np.timedelta64(20_000, "us"), 20.0),
    (np.timedelta64(100_000, "ns"), 0.1), (np.array(np.timedelta64(20, "ms")), 20.0),
]


@pytest.mark.parametrize(("span", "ms"), SPANS)
def test_spans_of_time(span, ms):
    assert quantity(span, "ms") == ms


def test_quantities_of_the_neo_export():
    pq = pytest.importorskip("quantities")
    assert quantity(20 * pq.ms, "ms") == 20.0
    assert quantity(2.4 * pq.Hz, "1/ms") == 0.0024
    assert quantity(15.2 * pq.pF, "pF") == 15.2
    assert quantity(0.75 * pq.nS, "nS") == 0.75
    assert quantity(-80 * pq.mV, "V") == -0.08
    assert quantity(0.025 * pq.nS / pq.mV**2, "nS/mV^2") == 0.025
    assert quantity(30 * pq.percent, "1") == 0.3
    with pytest.raises(ValueError, match="must have the dimension of ms"):
        quantity(20 * pq.mV, "ms")
    with pytest.raises(ValueError, match="must be a single number"):
        quantity([20, 30] * pq.ms, "ms")


class Base:
    """What astropy calls a base of a unit; astropy itself is not among what tests install."""

    def __init__(self, name):
        self.name = name


class Like:
    """The part of an astropy quantity that is read: 0.02 s."""

    value, powers = 0.02, (Fraction(1),)
    bases = (Base("s"),)

    @property
    def unit(self):
        return self

    si = unit

    def decompose(self):
        return self


def test_a_quantity_of_astropy():
    assert quantity(Like(), "ms") == 20.0
    with pytest.raises(ValueError, match="must have the dimension of mV"):
        quantity(Like(), "mV")


def test_pint_of_another_registry():
    import pint

    for spelling in ("", "~P", "Lx"):
        other = pint.UnitRegistry(cache_folder=None)
        other.formatter.default_format = spelling
        assert quantity(other.Quantity(0.025, "nS/mV^2"), "nS/mV^2") == 0.025
        assert quantity(other.Quantity(np.array(20), "ms"), "ms") == 20.0
        assert quantity(other.Quantity(Decimal("0.75"), "nS"), "nS") == 0.75
        for raw in (np.bool_(True), 1 + 1j, np.complex128(1)):
            with pytest.raises(ValueError, match="must be a single number"):
                quantity(other.Quantity(raw, "ms"), "ms")


class Code(IntEnum):
    SEVEN = 7


@pytest.mark.parametrize("raw", [7, np.array(7), Code.SEVEN, *(
    kind(7) for kind in SCALARS if issubclass(kind, np.integer))])
def test_whole_number(raw):
    number = whole_number("n", raw, 1, 7)
    assert number == 7
    assert isinstance(number, int)


@pytest.mark.parametrize("raw", [
    True, np.bool_(True), np.array(True), 7.0, np.float64(7), np.array([7]), "7", np.str_("7"),
    None, Fraction(7), Decimal(7), pd.NA, _bare_span(7), np.timedelta64(7, "ms"), 0, 9,
    np.int64(-7)])
def test_no_whole_number(raw):
    with pytest.raises(CircuitError, match=r"^n: must be a whole number from 1 to 8 ") as caught:
        whole_number("n", raw, 1, 8)
    assert "\n" not in str(caught.value)


def test_bounds_of_a_whole_number():
    with pytest.raises(BuildError, match=r"^size: must be a whole number >= 1 \(got 0\)$"):
        whole_number("size", 0, 1, error=BuildError)
    with pytest.raises(CircuitError, match=r"from 0 to 2\^63 - 1 \(got 9223372036854775808\)$"):
        whole_number("seed", 2**63, 0, 2**63 - 1)
    assert whole_number("seed", np.uint64(2**63 - 1), 0, 2**63 - 1) == 2**63 - 1
