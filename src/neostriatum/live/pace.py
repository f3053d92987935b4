"""How fast simulated time goes by, against the clock on the wall."""

from __future__ import annotations

import time

#: Times real time, slowest and fastest.
SLOWEST, FASTEST = 0.1, 10.0
#: Debt that is forgiven: a circuit that is slower than it was asked to be owes nothing [s].
PATIENCE_S = 0.2
#: Weight of the newest window in the mean speed.
_NEWEST = 0.1


class Pace:
    """Says how long to wait after a window, and how fast a circuit is and could be."""

    def __init__(self) -> None:
        self.speed = 1.0
        #: Simulated over wall time as it goes, and as it would go without waiting.
        self.reached = self.possible = 0.0
        self.restart()

    def restart(self) -> None:
        """Count from now on."""
        self._since, self._simulated = time.monotonic(), 0.0
        self._last = self._since

    def window_ms(self) -> float:
        """Return how much time to simulate at once [ms]: little in slow motion."""
        return 5.0 if self.speed < 0.5 else 20.0 if self.speed <= 2.0 else 50.0

    def wait_s(self, simulated_s: float, taken_s: float) -> float:
        """Return how long to wait after a window that took some time of computing [s]."""
        now = time.monotonic()
        self._simulated += simulated_s / self.speed
        ahead = self._simulated - (now - self._since)
        if ahead < -PATIENCE_S:
            self._since -= ahead  # what is owed is forgiven
        self.possible = self._mean(self.possible, simulated_s / max(taken_s, 1e-6))
        whole = max(now - self._last, 1e-6) + max(ahead, 0.0)
        self.reached = self._mean(self.reached, simulated_s / whole)
        self._last = now + max(ahead, 0.0)
        return max(ahead, 0.0)

    @staticmethod
    def _mean(before: float, newest: float) -> float:
        return newest if before == 0.0 else before + _NEWEST * (newest - before)
