"""What figures read from a run, so that whatever has it can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunView(Protocol):
    """What a figure reads from a run."""

    @property
    def spikes(self) -> Any:
        """Their times_ms float64 (n_spikes,), ascending, and ids int64 (n_spikes,), global."""

    @property
    def populations(self) -> Mapping[str, range]:
        """Global ids by type, in the order of the circuit."""

    @property
    def duration_ms(self) -> float:
        """Recorded time [ms]."""

    @property
    def traces(self) -> Mapping[str, Any]:
        """By type: ids (k,), times_ms (t,), v_mv (t, k)."""

    @property
    def circuit_name(self) -> str:
        """Name of the circuit."""

    @property
    def dopamine(self) -> tuple[Any, Any]:
        """Activation of D1 and D2 receptors."""

    @property
    def seed(self) -> int:
        """Master seed."""
