"""Which published numbers of docs/parameters.md are targets, and why the others are not."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from neostriatum.circuit.value import Frozen


class Row(Frozen):
    """Rows of a section, the targets that were made of them, and the reason of the rest."""

    section: Annotated[str, Field(min_length=1)]
    labels: tuple[str, ...] = Field(min_length=1)
    targets: tuple[str, ...] = ()
    #: Whether a number of each target can be read in each row.
    by_number: bool = True
    rest: str | None = None


class Coverage(Frozen):
    """Everything in coverage.toml."""

    rows: tuple[Row, ...]


@lru_cache(maxsize=1)
def coverage() -> tuple[Row, ...]:
    """Return the rows in file order.

    Examples
    --------
    >>> len(coverage()) > 50
    True
    """
    text = (files("neostriatum.validation") / "coverage.toml").read_text("utf-8")
    return Coverage.model_validate(tomllib.loads(text)).rows
