"""How long each measure takes on 100,000 neurons, 100 s and 20 million spikes.

    python verify/analysis_speed.py [neurons] [seconds]

Prints one line per measure: user seconds, and the answer for the Poisson spikes it is made of
(2 Hz). Each must stay below 20 s.
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from neostriatum import analysis

LIMIT_S = 20.0


def main() -> int:
    """Print the table; return 1 where a measure is too slow."""
    slow = 0
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 100.0
    duration_ms, rng = 1000 * seconds, np.random.default_rng(1)
    count = rng.poisson(2.0 * n * seconds)
    # Steps without a repeat of neuron and step, sorted by time as a run has them.
    keys = np.unique(rng.integers(0, round(duration_ms * 10) * n, count))
    times_ms, ids = (keys // n + 1) * 0.1, keys % n
    times_ms = np.minimum(times_ms, duration_ms)
    at = rng.random((n, 3)) * (n / 77_520 * 1e9) ** (1 / 3)
    print(f"{n:,} neurons, {seconds:g} s, {len(ids):,} spikes")
    edges = np.linspace(0, 500, 11)
    rows: dict[str, Callable[[], float]] = {
        "rates_hz": lambda: analysis.rates_hz(ids, n, duration_ms).mean(),
        "population_rate": lambda: analysis.population_rate(times_ms, 10, duration_ms, n)[1].mean(),
        "peristimulus_rate": lambda: analysis.peristimulus_rate(
            times_ms, np.arange(1000, duration_ms - 500, 1000), 100, 200, 10, duration_ms,
            n)[1].mean(),
        "isi_cv": lambda: analysis.isi_cv(times_ms, ids)[1].mean(),
        "isi_cv2": lambda: analysis.isi_cv2(times_ms, ids)[1].mean(),
        "fano_factor": lambda: np.nanmean(analysis.fano_factor(times_ms, ids, n, duration_ms, 500)),
        "count_synchrony": lambda: analysis.count_synchrony(times_ms, ids, n, duration_ms, 20)
        * np.sqrt(n),
        "population_spectrum": lambda: analysis.population_spectrum(
            times_ms, n, duration_ms)[1][3:].mean() * n / 4,
        "kernel_field": lambda: analysis.kernel_field(
            times_ms, ids, at, at.mean(axis=0), duration_ms).mean(),
        "count_correlation": lambda: analysis.count_correlation(
            times_ms, ids, n, duration_ms, 50).mean,
        "correlation_by_distance": lambda: analysis.correlation_by_distance(
            times_ms, ids, at, duration_ms, 50, edges).pairs.sum(),
        "cell_assemblies": lambda: len(analysis.cell_assemblies(
            times_ms, ids, n, duration_ms).members),
    }
    for name, call in rows.items():
        started = time.process_time()
        answer = float(call())
        took = time.process_time() - started
        slow |= took > LIMIT_S
        print(f"{name:25s} {took:7.2f} s   {answer:.4g}", flush=True)
    # Linux counts in kB.
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    own_gb = (times_ms.nbytes + ids.nbytes) / 1e9
    print(f"peak memory {peak_gb:.2f} GB, of which the spikes {own_gb:.2f} GB")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
