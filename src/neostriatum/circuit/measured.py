"""Measured probabilities of a connection by distance: tables of data, each number with a source."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, TypeAdapter

from neostriatum.circuit.value import Fraction, Frozen, Reach


class MeasuredBin(Frozen):
    """The probability of a directed pair out to ``below`` [um], from the bin before on."""

    below: Reach
    p: Fraction
    #: Pairs or directions that were tested, where p was counted.
    tested: Annotated[int, Field(gt=0)] | None = None
    #: Lower and upper end of the 95 % interval, where p was fitted.
    interval: tuple[Fraction, Fraction] | None = None


@lru_cache(maxsize=1)
def measured() -> dict[str, dict[str, tuple[MeasuredBin, ...]]]:
    """Return the tables by name, each with the bins of the pathways that it measured."""
    text = (files("neostriatum.circuit") / "measured.toml").read_text("utf-8")
    kind = TypeAdapter(dict[str, dict[str, tuple[MeasuredBin, ...]]])
    return kind.validate_python(tomllib.loads(text))
