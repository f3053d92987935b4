"""Turn spikes into numbers.

Flat arrays go in (``times_ms`` float64, ``ids`` int64), plain arrays or one small frozen
dataclass come out. Nothing here reads a file or draws a picture.
"""

from neostriatum.analysis.correlation import CountCorrelation, count_correlation
from neostriatum.analysis.irregularity import isi, isi_cv, isi_cv2
from neostriatum.analysis.rates import population_rate, rates_hz

__all__ = [
    "CountCorrelation",
    "count_correlation",
    "isi",
    "isi_cv",
    "isi_cv2",
    "population_rate",
    "rates_hz",
]
