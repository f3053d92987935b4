"""Turn spikes into numbers.

Flat arrays go in (``times_ms`` float64, ``ids`` int64), plain arrays or one small frozen
dataclass come out. Nothing here reads a file or draws a picture.
"""

from neostriatum.analysis.action import channel_contrast, selection, selection_in_turn
from neostriatum.analysis.assemblies import Assemblies, cell_assemblies
from neostriatum.analysis.correlation import CountCorrelation, count_correlation
from neostriatum.analysis.counts import fano_factor
from neostriatum.analysis.distance import DistanceCorrelation, correlation_by_distance
from neostriatum.analysis.field import kernel_field, reference_weighted_sum
from neostriatum.analysis.irregularity import isi, isi_cv, isi_cv2
from neostriatum.analysis.oscillation import oscillation_index, synchrony_index
from neostriatum.analysis.phase import Phase, coherence, phase
from neostriatum.analysis.psth import peristimulus_rate
from neostriatum.analysis.rates import population_rate, rates_hz
from neostriatum.analysis.spectrum import population_spectrum, power_spectrum
from neostriatum.analysis.states import UpDown, up_down_states
from neostriatum.analysis.synchrony import count_synchrony, signal_synchrony

__all__ = [
    "Assemblies",
    "CountCorrelation",
    "DistanceCorrelation",
    "Phase",
    "UpDown",
    "cell_assemblies",
    "channel_contrast",
    "coherence",
    "correlation_by_distance",
    "count_correlation",
    "count_synchrony",
    "fano_factor",
    "isi",
    "isi_cv",
    "isi_cv2",
    "kernel_field",
    "oscillation_index",
    "peristimulus_rate",
    "phase",
    "population_rate",
    "population_spectrum",
    "power_spectrum",
    "rates_hz",
    "reference_weighted_sum",
    "selection",
    "selection_in_turn",
    "signal_synchrony",
    "synchrony_index",
    "up_down_states",
]
