"""Rows of measured against wanted, printed as they come; the exit code says whether all held."""

from __future__ import annotations

import sys


class Table:
    """Collects rows of (what, measured, lowest, highest)."""

    def __init__(self) -> None:
        self.missed = 0
        print(f"{'what':<62}{'measured':>12}{'wanted':>22}")

    def row(self, what: str, measured: float, low: float = -float("inf"),
            high: float = float("inf")) -> None:
        """Print a row and note whether it lies in [low, high]."""
        held = low <= measured <= high
        self.missed += not held
        bounds = "" if low == -float("inf") and high == float("inf") else f"{low:g} to {high:g}"
        print(f"{what:<62}{measured:>12.4g}{bounds:>22}{'' if held else '   MISSED'}", flush=True)

    def finish(self) -> None:
        """Exit with 1 if a row missed its bounds."""
        print(f"{self.missed} missed")
        sys.exit(1 if self.missed else 0)
