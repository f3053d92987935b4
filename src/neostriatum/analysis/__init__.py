"""Turn spikes into numbers.

Flat arrays go in (``times_ms`` float64, ``ids`` int64), plain arrays or one small frozen
dataclass come out. Nothing here reads a file or draws a picture.
"""

from neostriatum.analysis.assemblies import Assemblies, cell_assemblies
from neostriatum.analysis.correlation import CountCorrelation, count_correlation
from neostriatum.analysis.counts import fano_factor
from neostriatum.analysis.distance import DistanceCorrelation, correlation_by_distance
from neostriatum.analysis.field import kernel_field, reference_weighted_sum
from neostriatum.analysis.irregularity import isi, isi_cv, isi_cv2
from neostriatum.analysis.psth import peristimulus_rate
from neostriatum.analysis.rates import population_rate, rates_hz
from neostriatum.analysis.spectrum import population_spectrum, power_spectrum
from neostriatum.analysis.states import UpDown, up_down_states
from neostriatum.analysis.synchrony import count_synchrony, signal_synchrony

__all__ = [
    "Assemblies",
    "CountCorrelation",
    "DistanceCorrelation",
    "UpDown",
    "cell_assemblies",
    "correlation_by_distance",
    "count_correlation",
    "count_synchrony",
    "fano_factor",
    "isi",
    "isi_cv",
    "isi_cv2",
    "kernel_field",
    "peristimulus_rate",
    "population_rate",
    "population_spectrum",
    "power_spectrum",
    "rates_hz",
    "reference_weighted_sum",
    "signal_synchrony",
    "up_down_states",
]
