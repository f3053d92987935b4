"""What a pair of cells, or two groups, did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neostriatum.card import Card, Carded

if TYPE_CHECKING:
    import numpy as np

    from neostriatum.engines.base import Trace


@dataclass(frozen=True, repr=False)
class PairResult(Carded):
    """A pair or two groups of cells.

    For one pair, ``v_mv`` and ``reference_mv`` (t,) are the target with and without the spike.
    For groups, ``spikes`` holds (times_ms, ids) by role and ``traces`` potentials by role, the
    roles being ``"source"`` and ``"target"``.
    """

    source: str
    target: str
    n: int
    psp_mv: float | None
    psp_peak_ms: float | None
    delay_ms: float
    conductance_ns: float
    holding_mv: float | None
    times_ms: np.ndarray
    v_mv: np.ndarray
    reference_mv: np.ndarray
    connections: int = 1
    spikes: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    traces: dict[str, Trace] = field(default_factory=dict)
    rates_hz: dict[str, float] = field(default_factory=dict)
    spike_ms: float | None = None
    v_peak_mv: dict[str, float] = field(default_factory=dict)
    #: Levels that the whole circuit computes, and that are held here.
    levels_held: list[str] = field(default_factory=list)

    def card(self) -> Card:
        """Return what it says of itself."""
        psp = "" if self.psp_mv is None else (f"{self.psp_mv:+.3f} mV at {self.holding_mv:g} mV, "
                                              f"peak {self.psp_peak_ms:g} ms after the spike")
        return Card(f"{self.source} -> {self.target}", [
            ("synapse", f"{self.conductance_ns:g} nS, delay {self.delay_ms:g} ms"),
            ("potential", psp),
            ("cells", f"{self.n} of each, {self.connections} connection(s)"),
            ("rates", ", ".join(f"{role} {rate:.2f} Hz"
                                for role, rate in self.rates_hz.items()))])

    def to_dict(self) -> dict[str, Any]:
        """Return what ``neostriatum pair --json`` prints."""
        keys = ("source", "target", "psp_mv", "psp_peak_ms", "delay_ms", "conductance_ns",
                "holding_mv", "n", "connections")
        said = {key: getattr(self, key) for key in keys}
        said |= {"levels_held": self.levels_held} if self.levels_held else {}
        return said | ({"rates_hz": self.rates_hz} if self.rates_hz else {})
