"""Blind second transcription of the preset `seed`: the notebook, corrected.

Made from docs/parameters.md, section 8 (corrections) and section 3 (conductances, dopamine), and
the table of presets in docs/design.md, section 5, without seeing the preset. EXPECTED: dotted
path -> (number, unit), or a bare number where there is no unit. The sheet names no fractions,
volume or gap probability for it.
"""

EXPECTED = {
    # 3, 8: SPN (v_peak +40 not 4, k = 1)
    "cells.dSPN.parameters.C": (15.2, "pF"),
    "cells.dSPN.parameters.k": (1, "nS/mV"),
    "cells.dSPN.parameters.v_r": (-80, "mV"),
    "cells.dSPN.parameters.v_t": (-29.7, "mV"),
    "cells.dSPN.parameters.v_peak": (40, "mV"),
    "cells.dSPN.parameters.c": (-55, "mV"),
    "cells.dSPN.parameters.a": (0.01, "1/ms"),
    "cells.dSPN.parameters.b": (-20, "nS"),
    "cells.dSPN.parameters.d": (91, "pA"),
    "cells.dSPN.parameters.I_spon": (0, "pA"),
    "cells.iSPN.parameters.C": (15.2, "pF"),
    "cells.iSPN.parameters.k": (1, "nS/mV"),
    "cells.iSPN.parameters.v_r": (-80, "mV"),
    "cells.iSPN.parameters.v_t": (-29.7, "mV"),
    "cells.iSPN.parameters.v_peak": (40, "mV"),
    "cells.iSPN.parameters.c": (-55, "mV"),
    "cells.iSPN.parameters.a": (0.01, "1/ms"),
    "cells.iSPN.parameters.b": (-20, "nS"),
    "cells.iSPN.parameters.d": (91, "pA"),
    "cells.iSPN.parameters.I_spon": (0, "pA"),
    # 3, 8: FS with the linear recovery of F17, b = +0.025
    "cells.FS.parameters.C": (80, "pF"),
    "cells.FS.parameters.k": (1, "nS/mV"),
    "cells.FS.parameters.v_r": (-70, "mV"),
    "cells.FS.parameters.v_t": (-50, "mV"),
    "cells.FS.parameters.v_peak": (25, "mV"),
    "cells.FS.parameters.c": (-60, "mV"),
    "cells.FS.parameters.a": (0.2, "1/ms"),
    "cells.FS.parameters.b": (0.025, "nS"),
    "cells.FS.parameters.d": (0, "pA"),
    "cells.FS.parameters.I_spon": (0, "pA"),
    # 3: KAPA, L, ALPHA, BITA1, BITA2; 8: D1 on v_r and d, D2 on k and AMPA; FS v_r (1 - 0.1 phi1)
    "cells.dSPN.dopamine.D1.v_r": 0.0289,
    "cells.dSPN.dopamine.D1.d": -0.331,
    "cells.dSPN.dopamine.D1.I_NMDA": 0.5,
    "cells.iSPN.dopamine.D2.k": -0.032,
    "cells.iSPN.dopamine.D2.I_AMPA": -0.3,
    "cells.FS.dopamine.D1.v_r": -0.1,
    "cells.FS.dopamine.D2.I_GABA": -0.625,
    # 8, 3: tau 6, 160, 4 ms; E 0, 0, -60 mV; 0b: [Mg] 1 mM
    "receptors.AMPA.E": (0, "mV"),
    "receptors.AMPA.tau": (6, "ms"),
    "receptors.NMDA.E": (0, "mV"),
    "receptors.NMDA.tau": (160, "ms"),
    "receptors.NMDA.magnesium": (1, "mM"),
    "receptors.GABA.E": (-60, "mV"),
    "receptors.GABA.tau": (4, "ms"),
    # 8, 3: .75 nS x {DD .4, ID 1.2, DI 1.0, II 1.0}; FSI-MSN 3.75, FSI-FSI 1.1
    "pathways.dSPN->dSPN.conductance.GABA": (0.75 * 0.4, "nS"),
    "pathways.dSPN->iSPN.conductance.GABA": (0.75 * 1.0, "nS"),
    "pathways.iSPN->dSPN.conductance.GABA": (0.75 * 1.2, "nS"),
    "pathways.iSPN->iSPN.conductance.GABA": (0.75 * 1.0, "nS"),
    "pathways.FS->dSPN.conductance.GABA": (3.75, "nS"),
    "pathways.FS->iSPN.conductance.GABA": (3.75, "nS"),
    "pathways.FS->FS.conductance.GABA": (1.1, "nS"),
    # 3: delays inside the striatum 1 ms
    "pathways.dSPN->dSPN.delay.offset": (1, "ms"),
    "pathways.dSPN->iSPN.delay.offset": (1, "ms"),
    "pathways.iSPN->dSPN.delay.offset": (1, "ms"),
    "pathways.iSPN->iSPN.delay.offset": (1, "ms"),
    "pathways.FS->dSPN.delay.offset": (1, "ms"),
    "pathways.FS->iSPN.delay.offset": (1, "ms"),
    "pathways.FS->FS.delay.offset": (1, "ms"),
    # 5b, 8: Taverna below 50 um, Planert from 50 to 100 um (ID 10/80, II 7/31)
    "pathways.dSPN->dSPN.wiring.bins.0.below": (50, "um"),
    "pathways.dSPN->dSPN.wiring.bins.0.p": 0.26,
    "pathways.dSPN->dSPN.wiring.bins.1.below": (100, "um"),
    "pathways.dSPN->dSPN.wiring.bins.1.p": 0.07,
    "pathways.dSPN->iSPN.wiring.bins.0.below": (50, "um"),
    "pathways.dSPN->iSPN.wiring.bins.0.p": 0.06,
    "pathways.dSPN->iSPN.wiring.bins.1.below": (100, "um"),
    "pathways.dSPN->iSPN.wiring.bins.1.p": 0.045,
    "pathways.iSPN->dSPN.wiring.bins.0.below": (50, "um"),
    "pathways.iSPN->dSPN.wiring.bins.0.p": 0.28,
    "pathways.iSPN->dSPN.wiring.bins.1.below": (100, "um"),
    "pathways.iSPN->dSPN.wiring.bins.1.p": 0.125,
    "pathways.iSPN->iSPN.wiring.bins.0.below": (50, "um"),
    "pathways.iSPN->iSPN.wiring.bins.0.p": 0.36,
    "pathways.iSPN->iSPN.wiring.bins.1.below": (100, "um"),
    "pathways.iSPN->iSPN.wiring.bins.1.p": 0.226,
    "pathways.FS->dSPN.wiring.bins.0.below": (100, "um"),
    "pathways.FS->dSPN.wiring.bins.0.p": 0.89,
    "pathways.FS->iSPN.wiring.bins.0.below": (100, "um"),
    "pathways.FS->iSPN.wiring.bins.0.p": 0.67,
    "pathways.FS->FS.wiring.bins.0.below": (50, "um"),
    "pathways.FS->FS.wiring.bins.0.p": 0.58,
    "pathways.FS->FS.wiring.bins.1.below": (100, "um"),
    "pathways.FS->FS.wiring.bins.1.p": 0.58,
    # 0b, 3: gap 5 nS, tau 5 ms
    "gap_junctions.FS-FS.conductance": (5, "nS"),
    "gap_junctions.FS-FS.tau": (5, "ms"),
    # design.md, section 5: 20 pA, 90 pA on [50, 70) ms
    "inputs.stimulus.targets.dSPN.current.pulse.base": (20, "pA"),
    "inputs.stimulus.targets.dSPN.current.pulse.peak": (90, "pA"),
    "inputs.stimulus.targets.dSPN.current.pulse.start": (50, "ms"),
    "inputs.stimulus.targets.dSPN.current.pulse.stop": (70, "ms"),
    # 3: 1000 trains x .084 = 84 afferents at 3 Hz; Ctx-MSN .6 / .3, Ctx-FSI .55
    "inputs.cortex.targets.dSPN.afferents": 84,
    "inputs.cortex.targets.dSPN.rate.constant": (3, "Hz"),
    "inputs.cortex.targets.dSPN.conductance.AMPA": (0.6, "nS"),
    "inputs.cortex.targets.dSPN.conductance.NMDA": (0.3, "nS"),
    "inputs.cortex.targets.iSPN.afferents": 84,
    "inputs.cortex.targets.iSPN.rate.constant": (3, "Hz"),
    "inputs.cortex.targets.iSPN.conductance.AMPA": (0.6, "nS"),
    "inputs.cortex.targets.iSPN.conductance.NMDA": (0.3, "nS"),
    "inputs.cortex.targets.FS.afferents": 84,
    "inputs.cortex.targets.FS.rate.constant": (3, "Hz"),
    "inputs.cortex.targets.FS.conductance.AMPA": (0.55, "nS"),
    # 0a: 0.3
    "dopamine.d1": 0.3,
    "dopamine.d2": 0.3,
    # 3, 8: 14 mV, the same for both SPN types; 4.6 mV
    "noise.dSPN": (14, "mV"),
    "noise.iSPN": (14, "mV"),
    "noise.FS": (4.6, "mV"),
    # 8: dt at most .1 ms
    "dt": (0.1, "ms"),
}

WORDS = {
    "cells.FS.rule": "linear",  # design.md, section 5
    "gap_junctions.FS-FS.kind": "node",  # 0d
}

ABSENT = (
    "cells.FS.parameters.v_b",  # the linear rule has none
    "pathways.dSPN->FS",  # 8: no SPN->FS input
    "pathways.iSPN->FS",
    "inputs.cortex.targets.FS.conductance.NMDA",  # 8: no NMDA on FS
    "pathways.FS->dSPN.wiring.bins.1",  # one bin
    "pathways.FS->iSPN.wiring.bins.1",
    "pathways.dSPN->dSPN.delay.velocity",  # 3: a fixed 1 ms
)
