"""Blind second transcription of the preset `fountas2017`: the code of Fountas and Shanahan 2017.

Made from docs/parameters.md, section 3, without seeing the preset. EXPECTED: dotted path ->
(number, unit), or a bare number where there is no unit. Of three channels one is the neuron's
own, so a probability is (p_in + 2 p_out)/3.
"""


def mean(inside: float, outside: float) -> float:
    """The connection probability over three channels of equal size."""
    return (inside + 2 * outside) / 3


EXPECTED = {
    # 3, row "size": FSI 1 %, the rest half and half
    "cells.dSPN.fraction": 0.495,
    "cells.iSPN.fraction": 0.495,
    "cells.FS.fraction": 0.01,
    # 3, row "MSN"
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
    # 3, row "FSI": linear u; k as in 2b
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
    # 3: 10 % Gaussian spread of the MSN's C
    "spread.dSPN.C": (0.1 * 15.2, "pF"),
    "spread.iSPN.C": (0.1 * 15.2, "pF"),
    # 3: KAPA, L, BITA1, ALPHA, BITA2, HTA (sign reversed), EPSILON
    "cells.dSPN.dopamine.D1.v_r": 0.0289,
    "cells.dSPN.dopamine.D1.d": -0.331,
    "cells.dSPN.dopamine.D1.I_NMDA": 0.5,
    "cells.iSPN.dopamine.D2.k": -0.032,
    "cells.iSPN.dopamine.D2.I_AMPA": -0.3,
    "cells.FS.dopamine.D1.v_r": 0.1,
    "cells.FS.dopamine.D2.I_GABA": -0.625,
    # 3, row "synapse"; 0b: [Mg] 1 mM
    "receptors.AMPA.E": (0, "mV"),
    "receptors.AMPA.tau": (6, "ms"),
    "receptors.NMDA.E": (0, "mV"),
    "receptors.NMDA.tau": (160, "ms"),
    "receptors.NMDA.magnesium": (1, "mM"),
    "receptors.GABA.E": (-60, "mV"),
    "receptors.GABA.tau": (4, "ms"),
    # 3, row "G (nS)"
    "pathways.dSPN->dSPN.conductance.GABA": (0.75 * 0.4, "nS"),
    "pathways.dSPN->iSPN.conductance.GABA": (0.75 * 1.0, "nS"),
    "pathways.iSPN->dSPN.conductance.GABA": (0.75 * 1.2, "nS"),
    "pathways.iSPN->iSPN.conductance.GABA": (0.75 * 1.0, "nS"),
    "pathways.FS->dSPN.conductance.GABA": (3.75, "nS"),
    "pathways.FS->iSPN.conductance.GABA": (3.75, "nS"),
    "pathways.FS->FS.conductance.GABA": (1.1, "nS"),
    "gap_junctions.FS-FS.conductance": (5, "nS"),
    "gap_junctions.FS-FS.tau": (5, "ms"),
    # 3, row "delays": inside the striatum 1 ms
    "pathways.dSPN->dSPN.delay.offset": (1, "ms"),
    "pathways.dSPN->iSPN.delay.offset": (1, "ms"),
    "pathways.iSPN->dSPN.delay.offset": (1, "ms"),
    "pathways.iSPN->iSPN.delay.offset": (1, "ms"),
    "pathways.FS->dSPN.delay.offset": (1, "ms"),
    "pathways.FS->iSPN.delay.offset": (1, "ms"),
    "pathways.FS->FS.delay.offset": (1, "ms"),
    # 3, row "P": in channel / out of channel
    "pathways.dSPN->dSPN.wiring.p": mean(0.0718, 0.0082),
    "pathways.iSPN->iSPN.wiring.p": mean(0.0718, 0.0082),
    "pathways.FS->FS.wiring.p": mean(0.5864, 0.0092),
    # 3, row "size": 1000 cortical trains, 3 Hz, P .084
    "inputs.cortex.targets.dSPN.afferents": 84,
    "inputs.cortex.targets.dSPN.shared_trains": 1000,
    "inputs.cortex.targets.dSPN.rate.constant": (3, "Hz"),
    "inputs.cortex.targets.dSPN.conductance.AMPA": (0.6, "nS"),
    "inputs.cortex.targets.dSPN.conductance.NMDA": (0.3, "nS"),
    "inputs.cortex.targets.iSPN.afferents": 84,
    "inputs.cortex.targets.iSPN.shared_trains": 1000,
    "inputs.cortex.targets.iSPN.rate.constant": (3, "Hz"),
    "inputs.cortex.targets.iSPN.conductance.AMPA": (0.6, "nS"),
    "inputs.cortex.targets.iSPN.conductance.NMDA": (0.3, "nS"),
    "inputs.cortex.targets.FS.afferents": 84,
    "inputs.cortex.targets.FS.shared_trains": 1000,
    "inputs.cortex.targets.FS.rate.constant": (3, "Hz"),
    "inputs.cortex.targets.FS.conductance.AMPA": (0.55, "nS"),
    # 3, row "SD1 / SD2": DOP 0.8 in the module
    "dopamine.d1": 0.8,
    "dopamine.d2": 0.8,
    # 3: sigma_msn, sigma_fsi (stand-alone)
    "noise.dSPN": (14, "mV"),
    "noise.iSPN": (14, "mV"),
    "noise.FS": (4.6, "mV"),
    # 3, row "dt"
    "dt": (0.25, "ms"),
}

# Relative tolerance where the preset may round (p_in + 2 p_out)/3 to the four decimals of F17.
ROUNDED = {path: 1e-3 for path in EXPECTED if path.endswith(".wiring.p")}

# Checked only where the preset states it: 3, "STP of MSN outputs", which may mean those that
# leave the striatum.
IF_GIVEN = {
    "pathways.dSPN->dSPN.stp.U": 0.0192,
    "pathways.dSPN->dSPN.stp.tau_rec": (623, "ms"),
    "pathways.dSPN->dSPN.stp.tau_fac": (559, "ms"),
    "pathways.dSPN->iSPN.stp.U": 0.0192,
    "pathways.dSPN->iSPN.stp.tau_rec": (623, "ms"),
    "pathways.dSPN->iSPN.stp.tau_fac": (559, "ms"),
    "pathways.iSPN->dSPN.stp.U": 0.24,
    "pathways.iSPN->dSPN.stp.tau_rec": (11, "ms"),
    "pathways.iSPN->dSPN.stp.tau_fac": (73, "ms"),
    "pathways.iSPN->iSPN.stp.U": 0.24,
    "pathways.iSPN->iSPN.stp.tau_rec": (11, "ms"),
    "pathways.iSPN->iSPN.stp.tau_fac": (73, "ms"),
}

WORDS = {
    "cells.FS.rule": "linear",  # 3
    "gap_junctions.FS-FS.kind": "node",  # 0d
}

ABSENT = (
    "cells.FS.parameters.v_b",  # 3: vb unused
    "pathways.dSPN->FS",
    "pathways.iSPN->FS",
    "inputs.cortex.targets.FS.conductance.NMDA",  # 3: Ctx-FSI .55 alone
    "pathways.dSPN->dSPN.delay.velocity",  # 3: a fixed 1 ms
)
