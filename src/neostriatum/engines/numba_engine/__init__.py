"""The fast engine: tiles of 512 cells, windows of the smallest delay, all cores."""

from __future__ import annotations

from neostriatum.engines.numba_engine.engine import Numba

__all__ = ["Numba"]
