"""Blind second transcription of the preset `humphries2010`: the network of that paper.

Made from docs/parameters.md, section 2, without seeing the preset. EXPECTED: dotted path ->
(number, unit), or a bare number where there is no unit. Conductances follow section 9a: the
archive adds an event and decays before use, so a weight w is stored as (w/tau) exp(-0.1 ms/tau).
The sheet does not give the d_max of the delay (2c), so no velocity is transcribed.
"""

from math import exp


def peak(weight: float, tau: float) -> float:
    """The peak conductance in nS of a weight over tau [ms], after one decay of 0.1 ms."""
    return weight / tau * exp(-0.1 / tau)


EXPECTED = {
    # 2f: 84,900 MSN half and half, FS 1 % of that (849)
    "cells.dSPN.fraction": 0.5 * 84900 / (84900 + 849),
    "cells.iSPN.fraction": 0.5 * 84900 / (84900 + 849),
    "cells.FS.fraction": 849 / (84900 + 849),
    # 2a: the older MSN used in the network
    "cells.dSPN.parameters.C": (50, "pF"),
    "cells.dSPN.parameters.k": (1.14, "nS/mV"),
    "cells.dSPN.parameters.v_r": (-80, "mV"),
    "cells.dSPN.parameters.v_t": (-33.8, "mV"),
    "cells.dSPN.parameters.v_peak": (40, "mV"),
    "cells.dSPN.parameters.c": (-55, "mV"),
    "cells.dSPN.parameters.a": (0.05, "1/ms"),
    "cells.dSPN.parameters.b": (-20, "nS"),
    "cells.dSPN.parameters.d": (377, "pA"),
    "cells.iSPN.parameters.C": (50, "pF"),
    "cells.iSPN.parameters.k": (1.14, "nS/mV"),
    "cells.iSPN.parameters.v_r": (-80, "mV"),
    "cells.iSPN.parameters.v_t": (-33.8, "mV"),
    "cells.iSPN.parameters.v_peak": (40, "mV"),
    "cells.iSPN.parameters.c": (-55, "mV"),
    "cells.iSPN.parameters.a": (0.05, "1/ms"),
    "cells.iSPN.parameters.b": (-20, "nS"),
    "cells.iSPN.parameters.d": (377, "pA"),
    # 2b: FS
    "cells.FS.parameters.C": (80, "pF"),
    "cells.FS.parameters.k": (1, "nS/mV"),
    "cells.FS.parameters.v_r": (-70, "mV"),
    "cells.FS.parameters.v_t": (-50, "mV"),
    "cells.FS.parameters.v_peak": (25, "mV"),
    "cells.FS.parameters.c": (-60, "mV"),
    "cells.FS.parameters.a": (0.2, "1/ms"),
    "cells.FS.parameters.b": (0.025, "nS/mV^2"),
    "cells.FS.parameters.d": (0, "pA"),
    "cells.FS.parameters.v_b": (-55, "mV"),
    # 2a: NMDA x (1 + 3.75 phi), I_DA = 22.7 (v + 68.4); k (1 - 0.03 phi), AMPA x (1 + 0.156 phi)
    "cells.dSPN.dopamine.D1.I_NMDA": 3.75,
    "cells.dSPN.dopamine.D1.current.conductance": (22.7, "nS"),
    "cells.dSPN.dopamine.D1.current.reversal": (-68.4, "mV"),
    "cells.iSPN.dopamine.D2.k": -0.03,
    "cells.iSPN.dopamine.D2.I_AMPA": 0.156,
    # 2b: eta, epsilon
    "cells.FS.dopamine.D1.v_r": -0.1,
    "cells.FS.dopamine.D2.I_GABA": -0.625,
    # 2c: reversals and time constants; 0b: [Mg] 1 mM
    "receptors.AMPA.E": (0, "mV"),
    "receptors.AMPA.tau": (6, "ms"),
    "receptors.NMDA.E": (0, "mV"),
    "receptors.NMDA.tau": (160, "ms"),
    "receptors.NMDA.magnesium": (1, "mM"),
    "receptors.GABA.E": (-60, "mV"),
    "receptors.GABA.tau": (4, "ms"),
    # 2c: MSN->MSN 4.36; FSI->MSN, FSI->FSI 5 x 4.36
    "pathways.dSPN->dSPN.conductance.GABA": (peak(4.36, 4), "nS"),
    "pathways.dSPN->iSPN.conductance.GABA": (peak(4.36, 4), "nS"),
    "pathways.iSPN->dSPN.conductance.GABA": (peak(4.36, 4), "nS"),
    "pathways.iSPN->iSPN.conductance.GABA": (peak(4.36, 4), "nS"),
    "pathways.FS->dSPN.conductance.GABA": (peak(5 * 4.36, 4), "nS"),
    "pathways.FS->iSPN.conductance.GABA": (peak(5 * 4.36, 4), "nS"),
    "pathways.FS->FS.conductance.GABA": (peak(5 * 4.36, 4), "nS"),
    # 2c: distance/d_max x 2 ms, plus one step of 0.1 ms
    "pathways.dSPN->dSPN.delay.offset": (0.1, "ms"),
    "pathways.dSPN->iSPN.delay.offset": (0.1, "ms"),
    "pathways.iSPN->dSPN.delay.offset": (0.1, "ms"),
    "pathways.iSPN->iSPN.delay.offset": (0.1, "ms"),
    "pathways.FS->dSPN.delay.offset": (0.1, "ms"),
    "pathways.FS->iSPN.delay.offset": (0.1, "ms"),
    "pathways.FS->FS.delay.offset": (0.1, "ms"),
    # 2e: the law as it stands
    "pathways.dSPN->dSPN.wiring.scale": 1,
    "pathways.dSPN->iSPN.wiring.scale": 1,
    "pathways.iSPN->dSPN.wiring.scale": 1,
    "pathways.iSPN->iSPN.wiring.scale": 1,
    "pathways.FS->dSPN.wiring.scale": 1,
    "pathways.FS->iSPN.wiring.scale": 1,
    "pathways.FS->FS.wiring.scale": 1,
    "gap_junctions.FS-FS.wiring.scale": 1,
    # 2c: gap 150/5 = 30 nS, 11 ms
    "gap_junctions.FS-FS.conductance": (30, "nS"),
    "gap_junctions.FS-FS.tau": (11, "ms"),
    # 2d: 250 x 1.9 Hz; 2c: AMPA 6.1 to both, NMDA 0.5 x 6.1 to the MSN only
    "inputs.cortex.targets.dSPN.afferents": 250,
    "inputs.cortex.targets.dSPN.rate.constant": (1.9, "Hz"),
    "inputs.cortex.targets.dSPN.conductance.AMPA": (peak(6.1, 6), "nS"),
    "inputs.cortex.targets.dSPN.conductance.NMDA": (peak(0.5 * 6.1, 160), "nS"),
    "inputs.cortex.targets.iSPN.afferents": 250,
    "inputs.cortex.targets.iSPN.rate.constant": (1.9, "Hz"),
    "inputs.cortex.targets.iSPN.conductance.AMPA": (peak(6.1, 6), "nS"),
    "inputs.cortex.targets.iSPN.conductance.NMDA": (peak(0.5 * 6.1, 160), "nS"),
    "inputs.cortex.targets.FS.afferents": 250,
    "inputs.cortex.targets.FS.rate.constant": (1.9, "Hz"),
    "inputs.cortex.targets.FS.conductance.AMPA": (peak(6.1, 6), "nS"),
    # design.md, section 5: dopamine 0
    "dopamine.d1": 0,
    "dopamine.d2": 0,
    # 2c: dt 0.1 ms
    "dt": (0.1, "ms"),
    # 2f: 84,900 MSN and 849 FS per mm^3; minimum distance
    "volume.density": (84900 + 849, "1/mm^3"),
    "volume.minimum_distance": (10, "um"),
}

# Relative tolerance where the preset stores a rounded (w/tau) exp(-0.1 ms/tau) ...
ROUNDED = {path: 1e-5 for path in EXPECTED if ".conductance." in path}
# ... or four decimals that sum to one.
ROUNDED |= {f"cells.{cell}.fraction": 2e-4 for cell in ("dSPN", "iSPN", "FS")}

# Checked only where the preset states it. 2d: no correlation by default.
IF_GIVEN = {
    "inputs.cortex.targets.dSPN.correlation.within": 0,
    "inputs.cortex.targets.iSPN.correlation.within": 0,
    "inputs.cortex.targets.FS.correlation.within": 0,
}

WORDS = {
    "cells.FS.rule": "cubic",  # 2b
    "gap_junctions.FS-FS.kind": "node",  # 2c
    "pathways.dSPN->dSPN.wiring.connection": "MSN-MSN",  # 2e
    "pathways.dSPN->iSPN.wiring.connection": "MSN-MSN",
    "pathways.iSPN->dSPN.wiring.connection": "MSN-MSN",
    "pathways.iSPN->iSPN.wiring.connection": "MSN-MSN",
    "pathways.FS->dSPN.wiring.connection": "FSI-MSN",
    "pathways.FS->iSPN.wiring.connection": "FSI-MSN",
    "pathways.FS->FS.wiring.connection": "FSI-FSI",
    "gap_junctions.FS-FS.wiring.connection": "FSI-gap",
    "volume.boundary": "open",  # design.md, section 5
}

ABSENT = (
    "noise",  # design.md, section 5
    "pathways.dSPN->FS",
    "pathways.iSPN->FS",
    "inputs.cortex.targets.FS.conductance.NMDA",  # 2b: FS without NMDA
    "cells.dSPN.dopamine.D1.v_r",  # 2a: the 2009b effects are not in this code
    "cells.dSPN.dopamine.D1.d",
)
