"""The functions of models in Brian2: the same bits as the reference in NumPy, Cython and C++.

Brian2's own functions are those of its target, whose last bits differ from one to another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.quantum import QUANTUM, quantised
from neostriatum.models.evaluate import evaluate
from neostriatum.models.expression import exp, log, logistic2
from neostriatum.models.symbol import Symbol
from neostriatum.rng import EVEN_SERIES, EXP_SERIES, LOG_SERIES, ODD_SERIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: What the operations of trees are called in Brian2. No name of Brian2 begins so.
WORDS = {"&": "and", "|": "or", "abs": "abs", "where": "ns_where", "exp": "ns_exp",
         "log": "ns_log", "logistic2": "ns_logistic2"}
#: A conductance rounded to a multiple of `QUANTUM`.
QUANTISED = "ns_quantised"

_X, _M = Symbol("x", "1"), Symbol("m", "1")


def functions(b2: Any) -> dict[str, Any]:
    """Return Brian2's functions by name; ``b2`` is the imported module."""
    numbers: dict[str, tuple[Callable[..., Any], int, str]] = {
        "ns_exp": (lambda x: evaluate(exp(_X), {"x": x}), 1, _EXP),
        "ns_log": (lambda x: evaluate(log(_X), {"x": x}), 1, _LOG),
        "ns_logistic2": (lambda m, x: evaluate(logistic2(_M, _X), {"m": m, "x": x}), 2,
                         _LOGISTIC2),
        QUANTISED: (quantised, 1, f"return rint(x/{QUANTUM!r})*{QUANTUM!r};"),
    }
    made = {name: _function(b2, name, python, ["float"] * count,
                            ", ".join(["double m", "double x"][-count:]), body)
            for name, (python, count, body) in numbers.items()}
    made["ns_where"] = _function(b2, "ns_where", np.where, ["boolean", "float", "float"],
                                 "int condition, double a, double b", "return condition ? a : b;")
    return made


def _function(b2: Any, name: str, python: Callable[..., Any], kinds: list[str], arguments: str,
              body: str) -> Any:
    function = b2.Function(python, arg_units=[1] * len(kinds),
                           return_unit=1, arg_types=kinds, return_type="float")
    text = f"static inline double {name}({arguments}) {{\n{body}\n}}\n"
    function.implementations.add_implementation("numpy", python)
    function.implementations.add_implementation("cpp", text)
    function.implementations.add_implementation("cython", (
        f'cdef extern from *:\n    """\n#include <math.h>\n{text}    """\n'
        f"    double {name}({arguments}) nogil\n"))
    return function


def _series(coefficients: Sequence[float], x: str) -> str:
    text = repr(coefficients[0])
    for coefficient in coefficients[1:]:
        text = f"({text}*{x} + {coefficient!r})"
    return text


_EXP = f"""\
    union {{ double real; long long bits; }} power;
    x = x < -700.0 ? -700.0 : x;
    x = x > 700.0 ? 700.0 : x;
    const double n = floor(x*1.4426950408889634 + 0.5);
    const double r = (x - n*0.6931471803691238) - n*1.9082149292705877e-10;
    power.bits = ((long long)n + 1023) << 52;
    return {_series(EXP_SERIES, "r")}*power.real;"""
_LOG = f"""\
    union {{ double real; long long bits; }} mantissa;
    mantissa.real = x;
    const double exponent = (double)((mantissa.bits >> 52) - 1023);
    mantissa.bits = (mantissa.bits & 0xFFFFFFFFFFFFFLL) | 0x3FF0000000000000LL;
    const int large = mantissa.real > 1.4142135623730951;
    const double half = large ? mantissa.real*0.5 : mantissa.real;
    const double scale = exponent + (large ? 1.0 : 0.0);
    const double s = (half - 1.0)/(half + 1.0);
    const double square = s*s;
    return scale*0.6931471805599453 + s*{_series(LOG_SERIES, "square")};"""
_LOGISTIC2 = f"""\
    union {{ double real; long long bits; }} power;
    const double shifted = x + (6755399441055744.0 + 1023.0);
    const double f = x - (shifted - (6755399441055744.0 + 1023.0));
    const double square = f*f;
    const double a = {_series(EVEN_SERIES, "square")};
    const double b = {_series(ODD_SERIES, "square")}*f;
    const double fall = a - b;
    power.real = shifted;
    power.bits = power.bits << 52;
    return fall/(fall + (a + b)*(m*power.real));"""
