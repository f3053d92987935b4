"""Which published numbers are targets, why others are not, and which targets exclude each other."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from neostriatum.circuit.value import Frozen
from neostriatum.validation.targets import Identifier, Text


class Row(Frozen):
    """Rows of a section, the targets that were made of them, and the reason of the rest."""

    section: Annotated[str, Field(min_length=1)]
    labels: tuple[str, ...] = Field(min_length=1)
    targets: tuple[str, ...] = ()
    #: Whether a number of each target can be read in each row.
    by_number: bool = True
    rest: str | None = None


class NotJudged(Frozen):
    """A number or a statement of a source that a protocol could measure and that is no target."""

    #: The name that it would have as a target.
    id: Identifier
    quantity: Text
    #: A key of sources.toml.
    source: Text
    reason: Text


class Excluding(Frozen):
    """Targets of which one circuit cannot meet all."""

    targets: tuple[Identifier, ...] = Field(min_length=2)
    reason: Text


class Coverage(Frozen):
    """Everything in coverage.toml."""

    rows: tuple[Row, ...]
    not_judged: tuple[NotJudged, ...] = ()
    excluding: tuple[Excluding, ...] = ()


@lru_cache(maxsize=1)
def everything() -> Coverage:
    """Return all of coverage.toml.

    Examples
    --------
    >>> all(one.reason for one in everything().not_judged)
    True
    """
    text = (files("neostriatum.validation") / "coverage.toml").read_text("utf-8")
    return Coverage.model_validate(tomllib.loads(text))


def coverage() -> tuple[Row, ...]:
    """Return the rows of the parameter sheet in file order.

    Examples
    --------
    >>> len(coverage()) > 50
    True
    """
    return everything().rows
