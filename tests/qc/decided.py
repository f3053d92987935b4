"""Numbers on which the two transcriptions disagreed or the sheet is silent, and what decided.

These were written after comparing the two readings, so they are not blind; each says why.
"""

# stagefour.m of ModelDB 128818 adds the events of both generators (`brate = sum(Sctx+Sgaba)`), so
# the 850 ... 1351 events/s of docs/parameters.md 1d are glutamate and GABA together. The blind
# reading took 1100.4/84 = 13.1 Hz for each; the middle of the sweep is 1100.4/2/84 = 6.55 Hz.
_GENERATORS = {
    f"inputs.{name}.targets.{cell}.rate.constant": (6.55, "Hz")
    for name in ("glutamate", "gaba")
    for cell in ("dSPN", "iSPN")
}


def _mean(inside: float, outside: float) -> float:
    return (inside + 2 * outside) / 3


# model.py of F17 multiplies two probabilities by its default weight_Bahuguna = 1.5 and two by
# 0.5, which the blind reading left out; its gap junctions are int(0.65 x 93) = 60 pairs of the
# 93 x 92 / 2 possible, where the blind reading took P_FSI_GAP, which the code does not use. Its
# 10 % spread of C is on the FS cells too.
_FOUNTAS = {
    "pathways.dSPN->iSPN.wiring.p": (0.5 * _mean(0.0718, 0.0082), None),
    "pathways.iSPN->dSPN.wiring.p": (1.5 * _mean(0.0718, 0.0082), None),
    "pathways.FS->dSPN.wiring.p": (1.5 * _mean(0.2925, 0.0314), None),
    "pathways.FS->iSPN.wiring.p": (0.5 * _mean(0.2925, 0.0314), None),
    "gap_junctions.FS-FS.wiring.p": (60 / (93 * 92 / 2), None),
    "spread.FS.C": (8, "pF"),
    # The model has no geometry; any density serves.
    "volume.density": (80_500, "1/mm^3"),
}

# BuildStriatumNetwork.m of ModelDB 137502 divides by the longest connection that a pathway got,
# about 740, 700 and 570 um in 1 mm^3 (estimated from the laws), and scales it to 2 ms.
_LONGEST_UM = {
    "dSPN->dSPN": 740, "dSPN->iSPN": 740, "iSPN->dSPN": 740, "iSPN->iSPN": 740,
    "FS->dSPN": 700, "FS->iSPN": 700, "FS->FS": 570,
}

# The notebook has no geometry of its own and gives its stimulus to every neuron group that it
# makes; fractions, density and distance are those of the default circuit (5a). Gap junctions as
# in F17: int(0.65 x 135) = 87 of 135 x 134 / 2 pairs at 10,000 neurons.
_SEED = {
    **{f"inputs.stimulus.targets.{cell}.current.pulse.{key}": value
       for cell in ("iSPN", "FS")
       for key, value in (("base", (20, "pA")), ("peak", (90, "pA")),
                          ("start", (50, "ms")), ("stop", (70, "ms")))},
    "cells.dSPN.fraction": (0.475 / 0.963, None),
    "cells.iSPN.fraction": (0.475 / 0.963, None),
    "cells.FS.fraction": (0.013 / 0.963, None),
    "gap_junctions.FS-FS.wiring.p": (87 / (135 * 134 / 2), None),
    "volume.density": (77_520, "1/mm^3"),
    "volume.minimum_distance": (15, "um"),
}

DECIDED = {
    "striatum_v1": {},
    "striatum": {},
    "seed": _SEED,
    "humphries2009": {
        **_GENERATORS,
        "volume.density": (84_900, "1/mm^3"),
        "volume.minimum_distance": (10, "um"),
    },
    "humphries2010": {
        f"pathways.{name}.delay.velocity": (longest / 2, "um/ms")
        for name, longest in _LONGEST_UM.items()
    },
    "fountas2017": _FOUNTAS,
    # The model has no geometry; any density serves.
    "lindahl2016": {"volume.density": (84_900, "1/mm^3")},
}
