"""Models of cells, receptors, release and learning as data, with units.

Whoever writes a model of their own needs the names that are listed here, and no others.
"""

from neostriatum.models.cell import CellModel
from neostriatum.models.expression import (
           clip,
           exp,
           log,
           logistic2,
           maximum,
           minimum,
           positive,
           where,
)
from neostriatum.models.learning import LearningRule
from neostriatum.models.rate import rate
from neostriatum.models.receptor import ReceptorModel
from neostriatum.models.release import ReleaseModel
from neostriatum.models.symbol import I, State, constant, gain, parameters

__all__ = ["CellModel", "I", "LearningRule", "ReceptorModel", "ReleaseModel", "State", "clip",
           "constant", "exp", "gain", "log", "logistic2", "maximum", "minimum", "parameters",
           "positive", "rate", "where"]
