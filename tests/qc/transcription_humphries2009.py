"""Blind second transcription of the preset `humphries2009`: the exact archived fit of the MSN.

Made from docs/parameters.md, section 1 (SPN) and section 2b (FS), without seeing the preset.
EXPECTED: dotted path -> (number, unit), or a bare number where there is no unit. Conductances
follow section 9a: the archive adds an event and decays before use, so a weight w is stored as
(w/tau) exp(-0.1 ms/tau).
"""

from math import exp


def peak(weight: float, tau: float) -> float:
    """The peak conductance in nS of a weight over tau [ms], after one decay of 0.1 ms."""
    return weight / tau * exp(-0.1 / tau)


G_AMPA = 6.86875  # 1a, exact

EXPECTED = {
    # 1a, column "exact in .mat"; k, v_r, v_peak, c, a, b fixed
    "cells.dSPN.parameters.C": (15.229419464507725, "pF"),
    "cells.dSPN.parameters.k": (1, "nS/mV"),
    "cells.dSPN.parameters.v_r": (-80, "mV"),
    "cells.dSPN.parameters.v_t": (-29.730317991127805, "mV"),
    "cells.dSPN.parameters.v_peak": (40, "mV"),
    "cells.dSPN.parameters.c": (-55, "mV"),
    "cells.dSPN.parameters.a": (0.01, "1/ms"),
    "cells.dSPN.parameters.b": (-20, "nS"),
    "cells.dSPN.parameters.d": (90.90961934342434, "pA"),
    "cells.iSPN.parameters.C": (15.229419464507725, "pF"),
    "cells.iSPN.parameters.k": (1, "nS/mV"),
    "cells.iSPN.parameters.v_r": (-80, "mV"),
    "cells.iSPN.parameters.v_t": (-29.730317991127805, "mV"),
    "cells.iSPN.parameters.v_peak": (40, "mV"),
    "cells.iSPN.parameters.c": (-55, "mV"),
    "cells.iSPN.parameters.a": (0.01, "1/ms"),
    "cells.iSPN.parameters.b": (-20, "nS"),
    "cells.iSPN.parameters.d": (90.90961934342434, "pA"),
    # 2b: FS of the 2010 network
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
    # 1a: K and L exact; alpha, beta1, beta2; 2b: eta, epsilon
    "cells.dSPN.dopamine.D1.v_r": 0.028850463867187502,
    "cells.dSPN.dopamine.D1.d": -0.33083312988281255,
    "cells.dSPN.dopamine.D1.I_NMDA": 6.3,
    "cells.iSPN.dopamine.D2.k": -0.032,
    "cells.iSPN.dopamine.D2.I_AMPA": -0.215,
    "cells.FS.dopamine.D1.v_r": -0.1,
    "cells.FS.dopamine.D2.I_GABA": -0.625,
    # 1a: reversals and time constants; 0b: [Mg] 1 mM
    "receptors.AMPA.E": (0, "mV"),
    "receptors.AMPA.tau": (6, "ms"),
    "receptors.NMDA.E": (0, "mV"),
    "receptors.NMDA.tau": (160, "ms"),
    "receptors.NMDA.magnesium": (1, "mM"),
    "receptors.GABA.E": (-60, "mV"),
    "receptors.GABA.tau": (4, "ms"),
    # 1d: 84 afferents, binomial; the rate is in decided.py
    "inputs.glutamate.targets.dSPN.afferents": 84,
    "inputs.glutamate.targets.iSPN.afferents": 84,
    "inputs.gaba.targets.dSPN.afferents": 84,
    "inputs.gaba.targets.iSPN.afferents": 84,
    # 1a: g_ampa, g_nmda = g_ampa/2, g_gaba = g_ampa/1.4; 9a: 1.126, .02145, 1.196 nS
    "inputs.glutamate.targets.dSPN.conductance.AMPA": (peak(G_AMPA, 6), "nS"),
    "inputs.glutamate.targets.dSPN.conductance.NMDA": (peak(G_AMPA / 2, 160), "nS"),
    "inputs.glutamate.targets.iSPN.conductance.AMPA": (peak(G_AMPA, 6), "nS"),
    "inputs.glutamate.targets.iSPN.conductance.NMDA": (peak(G_AMPA / 2, 160), "nS"),
    "inputs.gaba.targets.dSPN.conductance.GABA": (peak(G_AMPA / 1.4, 4), "nS"),
    "inputs.gaba.targets.iSPN.conductance.GABA": (peak(G_AMPA / 1.4, 4), "nS"),
    # design.md, section 5: dopamine 0
    "dopamine.d1": 0,
    "dopamine.d2": 0,
    # 1c: forward Euler 0.1 ms
    "dt": (0.1, "ms"),
}

# Relative tolerance where the preset stores a rounded (w/tau) exp(-0.1 ms/tau).
ROUNDED = {path: 1e-5 for path in EXPECTED if ".conductance." in path}

WORDS = {
    "cells.FS.rule": "cubic",  # 2b
    "inputs.glutamate.targets.dSPN.process": "binomial",  # 1d
    "inputs.glutamate.targets.iSPN.process": "binomial",
    "inputs.gaba.targets.dSPN.process": "binomial",
    "inputs.gaba.targets.iSPN.process": "binomial",
}

ABSENT = ("pathways", "gap_junctions", "noise")  # design.md, section 5: single cells
