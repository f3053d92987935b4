"""What an environment shows and takes: spaces with the names that Gymnasium's have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Discrete:
    """The whole numbers from 0 to ``n`` - 1."""

    n: int
    start: int = 0
    shape: tuple[int, ...] = ()

    def contains(self, value: Any) -> bool:
        """Return whether a value is one of them."""
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        return whole and 0 <= int(value) < self.n


@dataclass(frozen=True)
class MultiBinary:
    """Vectors of ``n`` zeros and ones."""

    n: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a vector."""
        return (self.n,)

    def contains(self, value: Any) -> bool:
        """Return whether a value is such a vector."""
        array = np.asarray(value)
        return array.shape == (self.n,) and bool(np.isin(array, (0, 1)).all())
