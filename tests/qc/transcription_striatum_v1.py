"""Blind second transcription of the preset `striatum_v1`, which `striatum` extends.

Made from docs/parameters.md (and the table of presets in docs/design.md, section 5), without
seeing the preset. EXPECTED: dotted path -> (number, unit), or a bare number where there is no
unit.
"""

EXPECTED = {
    # 5a: dSPN .475, iSPN .475, FS .013 of all cells, renormalised over the three (see ROUNDED)
    "cells.dSPN.fraction": 0.475 / (0.475 + 0.475 + 0.013),
    "cells.iSPN.fraction": 0.475 / (0.475 + 0.475 + 0.013),
    "cells.FS.fraction": 0.013 / (0.475 + 0.475 + 0.013),
    # 0a, 1a: SPN of Humphries et al. 2009 (Frontiers), rounded values of the paper
    "cells.dSPN.parameters.C": (15.2, "pF"),
    "cells.dSPN.parameters.k": (1, "nS/mV"),
    "cells.dSPN.parameters.v_r": (-80, "mV"),
    "cells.dSPN.parameters.v_t": (-29.7, "mV"),
    "cells.dSPN.parameters.v_peak": (40, "mV"),
    "cells.dSPN.parameters.c": (-55, "mV"),
    "cells.dSPN.parameters.a": (0.01, "1/ms"),
    "cells.dSPN.parameters.b": (-20, "nS"),
    "cells.dSPN.parameters.d": (91, "pA"),
    "cells.iSPN.parameters.C": (15.2, "pF"),
    "cells.iSPN.parameters.k": (1, "nS/mV"),
    "cells.iSPN.parameters.v_r": (-80, "mV"),
    "cells.iSPN.parameters.v_t": (-29.7, "mV"),
    "cells.iSPN.parameters.v_peak": (40, "mV"),
    "cells.iSPN.parameters.c": (-55, "mV"),
    "cells.iSPN.parameters.a": (0.01, "1/ms"),
    "cells.iSPN.parameters.b": (-20, "nS"),
    "cells.iSPN.parameters.d": (91, "pA"),
    # 0a, 2b: FS of Humphries et al. 2010, cubic recovery
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
    # 1a: K, L, alpha; 3: BITA1, BITA2 (the pair of F17's conductances); 2b: eta, epsilon
    "cells.dSPN.dopamine.D1.v_r": 0.0289,
    "cells.dSPN.dopamine.D1.d": -0.331,
    "cells.dSPN.dopamine.D1.I_NMDA": 0.5,
    "cells.iSPN.dopamine.D2.k": -0.032,
    "cells.iSPN.dopamine.D2.I_AMPA": -0.3,
    "cells.FS.dopamine.D1.v_r": -0.1,
    "cells.FS.dopamine.D2.I_GABA": -0.625,
    # 0b, 1a: receptors; 9a and 4: E_GABA -74 mV
    "receptors.AMPA.E": (0, "mV"),
    "receptors.AMPA.tau": (6, "ms"),
    "receptors.NMDA.E": (0, "mV"),
    "receptors.NMDA.tau": (160, "ms"),
    "receptors.NMDA.magnesium": (1, "mM"),
    "receptors.GABA.E": (-74, "mV"),
    "receptors.GABA.tau": (4, "ms"),
    # 3: MSN-MSN .75 nS x {DD .4, DI 1.0, ID 1.2, II 1.0}; FSI-FSI 1.1 nS
    "pathways.dSPN->dSPN.conductance.GABA": (0.75 * 0.4, "nS"),
    "pathways.dSPN->iSPN.conductance.GABA": (0.75 * 1.0, "nS"),
    "pathways.iSPN->dSPN.conductance.GABA": (0.75 * 1.2, "nS"),
    "pathways.iSPN->iSPN.conductance.GABA": (0.75 * 1.0, "nS"),
    "pathways.FS->FS.conductance.GABA": (1.1, "nS"),
    # 4, 9a: FS->SPN, first spike 6 nS, Tsodyks-Markram
    "pathways.FS->dSPN.conductance.GABA": (6, "nS"),
    "pathways.FS->dSPN.stp.U": 0.29,
    "pathways.FS->dSPN.stp.tau_rec": (902, "ms"),
    "pathways.FS->dSPN.stp.tau_fac": (53, "ms"),
    "pathways.FS->iSPN.conductance.GABA": (6, "nS"),
    "pathways.FS->iSPN.stp.U": 0.29,
    "pathways.FS->iSPN.stp.tau_rec": (902, "ms"),
    "pathways.FS->iSPN.stp.tau_fac": (53, "ms"),
    # 5a, 9a: delay 1 ms + d/(0.8 m/s)
    "pathways.dSPN->dSPN.delay.offset": (1, "ms"),
    "pathways.dSPN->dSPN.delay.velocity": (0.8, "m/s"),
    "pathways.dSPN->iSPN.delay.offset": (1, "ms"),
    "pathways.dSPN->iSPN.delay.velocity": (0.8, "m/s"),
    "pathways.iSPN->dSPN.delay.offset": (1, "ms"),
    "pathways.iSPN->dSPN.delay.velocity": (0.8, "m/s"),
    "pathways.iSPN->iSPN.delay.offset": (1, "ms"),
    "pathways.iSPN->iSPN.delay.velocity": (0.8, "m/s"),
    "pathways.FS->dSPN.delay.offset": (1, "ms"),
    "pathways.FS->dSPN.delay.velocity": (0.8, "m/s"),
    "pathways.FS->iSPN.delay.offset": (1, "ms"),
    "pathways.FS->iSPN.delay.velocity": (0.8, "m/s"),
    "pathways.FS->FS.delay.offset": (1, "ms"),
    "pathways.FS->FS.delay.velocity": (0.8, "m/s"),
    # 9a: law of 2e times a scale per pathway (FS->FS and gap unscaled), out to 500 um
    "pathways.dSPN->dSPN.wiring.scale": 0.26,
    "pathways.dSPN->iSPN.wiring.scale": 0.17,
    "pathways.iSPN->dSPN.wiring.scale": 0.45,
    "pathways.iSPN->iSPN.wiring.scale": 0.45,
    "pathways.FS->dSPN.wiring.scale": 1,
    "pathways.FS->iSPN.wiring.scale": 0.7,
    "pathways.FS->FS.wiring.scale": 1,
    "gap_junctions.FS-FS.wiring.scale": 1,
    "pathways.dSPN->dSPN.wiring.range": (500, "um"),
    "pathways.dSPN->iSPN.wiring.range": (500, "um"),
    "pathways.iSPN->dSPN.wiring.range": (500, "um"),
    "pathways.iSPN->iSPN.wiring.range": (500, "um"),
    "pathways.FS->dSPN.wiring.range": (500, "um"),
    "pathways.FS->iSPN.wiring.range": (500, "um"),
    "pathways.FS->FS.wiring.range": (500, "um"),
    "gap_junctions.FS-FS.wiring.range": (500, "um"),
    # 9a: ohmic gap junctions of 1 nS
    "gap_junctions.FS-FS.conductance": (1, "nS"),
    # 9a: 250 independent afferents, 600 / 610 / 575 events/s (variant B); 3: conductances
    "inputs.cortex.targets.dSPN.afferents": 250,
    "inputs.cortex.targets.dSPN.rate.constant": (600 / 250, "Hz"),
    "inputs.cortex.targets.dSPN.conductance.AMPA": (0.6, "nS"),
    "inputs.cortex.targets.dSPN.conductance.NMDA": (0.3, "nS"),
    "inputs.cortex.targets.iSPN.afferents": 250,
    "inputs.cortex.targets.iSPN.rate.constant": (610 / 250, "Hz"),
    "inputs.cortex.targets.iSPN.conductance.AMPA": (0.6, "nS"),
    "inputs.cortex.targets.iSPN.conductance.NMDA": (0.3, "nS"),
    "inputs.cortex.targets.FS.afferents": 250,
    "inputs.cortex.targets.FS.rate.constant": (575 / 250, "Hz"),
    "inputs.cortex.targets.FS.conductance.AMPA": (0.55, "nS"),
    # 0a: "normal" dopamine 0.3
    "dopamine.d1": 0.3,
    "dopamine.d2": 0.3,
    # 9a: Euler 0.1 ms; silent for 450 ms, steady after 1 s
    "dt": (0.1, "ms"),
    "warmup": (1, "s"),
    # 5a: 80,500/mm^3 x (.475 + .475 + .013) = 77,521.5, stored as 77,520 (design.md,
    # section 5); d_min
    "volume.density": (77520, "1/mm^3"),
    "volume.minimum_distance": (15, "um"),
}

# Relative tolerance where the preset may store four decimals that sum to one.
ROUNDED = {
    "cells.dSPN.fraction": 2e-4,
    "cells.iSPN.fraction": 2e-4,
    "cells.FS.fraction": 1e-2,
}

WORDS = {
    "cells.FS.rule": "cubic",  # 2b
    "gap_junctions.FS-FS.kind": "ohmic",  # 9a
    "pathways.dSPN->dSPN.wiring.connection": "MSN-MSN",  # 9a, 2e
    "pathways.dSPN->iSPN.wiring.connection": "MSN-MSN",
    "pathways.iSPN->dSPN.wiring.connection": "MSN-MSN",
    "pathways.iSPN->iSPN.wiring.connection": "MSN-MSN",
    "pathways.FS->dSPN.wiring.connection": "FSI-MSN",
    "pathways.FS->iSPN.wiring.connection": "FSI-MSN",
    "pathways.FS->FS.wiring.connection": "FSI-FSI",
    "gap_junctions.FS-FS.wiring.connection": "FSI-gap",
    "volume.boundary": "periodic",  # 9a: a torus
}

ABSENT = (
    "noise",  # 9a
    "pathways.dSPN->FS",  # 5b: SPN->FS none
    "pathways.iSPN->FS",
    "inputs.cortex.targets.FS.conductance.NMDA",  # 2b: FS without NMDA
)
