"""Blind second transcription of the preset `microcircuit`.

Made before the preset was written, from the recommended numbers of the domain check of the whole
microcircuit: the table of the five cells, then what that check changed in it. First plain tables
of numbers, then the dotted paths of the circuit file, as in the other transcriptions.
"""

from math import exp

# ---- plain tables ----------------------------------------------------------------------------

#: C pF, g_L nS, E_L mV, g_K nS, g_A nS, k nS/mV, v_T mV, a 1/ms, b nS, v_r mV, d pA, c mV,
#: t_ref ms, a_z 1/ms, b_z nS, v_z mV, s, d_z pA, I_spon pA
COLUMNS = ("C", "g_L", "E_L", "g_K", "g_A", "k", "v_T", "a", "b", "v_r", "d", "c", "t_ref",
           "a_z", "b_z", "v_z", "s", "d_z", "I_spon")
CELLS = {
    "dSPN": (120, 7.2, -76.5, 6, 10.2, 12, -48, .01, -.3, -82, 55, -55, 0, 1 / 300, -2.0, -68, 1,
             0, 0),
    "iSPN": (100, 6.7, -74.7, 5, 7.0, 12, -48, .01, -.3, -80, 55, -55, 0, 1 / 300, -1.8, -68, 1,
             0, 0),
    "FS": (90, 12.4, -67, 0, 0, 16, -50, 1 / 150, -1.0, -67, 8, -59, .7, .5, 40, -52, 1, 20, 0),
    # I0 15 in the network, 20 in the slice
    "LTS": (39, 1.0, -59, 0, 0, 5, -44, .02, .44, -59, 10, -50, 1.5, 1 / 60, -5, -64, -1, 0, 15),
    # a 1/280 instead of 1/200, I0 16 instead of 19
    "ChIN": (113, 1.9, -58, 0, 0, 12, -54, 1 / 280, 1.1, -58, 40, -60, 2.5, 1 / 80, -2, -62, -1,
             0, 16),
}
#: EK -95, v0 -108, v1 -56, vA -62, vpeak 0
SHARED = {"E_K": -95, "v_0": -108, "v_1": -56, "v_A": -62, "v_peak": 0}
UNITS = {"C": "pF", "g_L": "nS", "E_L": "mV", "g_K": "nS", "g_A": "nS", "k": "nS/mV", "v_T": "mV",
         "a": "1/ms", "b": "nS", "v_r": "mV", "d": "pA", "c": "mV", "t_ref": "ms", "a_z": "1/ms",
         "b_z": "nS", "v_z": "mV", "s": None, "d_z": "pA", "I_spon": "pA", "E_K": "mV",
         "v_0": "mV", "v_1": "mV", "v_A": "mV", "v_peak": "mV"}
FRACTIONS = {"dSPN": .475, "iSPN": .475, "FS": .013, "LTS": .007, "ChIN": .011}
#: SPN vT 1 mV, FS vT .5 mV, LTS I0 2 pA, ChIN I0 3 pA; size of SPN 15 %
SPREAD = {("dSPN", "v_T"): (1, "mV"), ("iSPN", "v_T"): (1, "mV"), ("FS", "v_T"): (.5, "mV"),
          ("LTS", "I_spon"): (2, "pA"), ("ChIN", "I_spon"): (3, "pA")}
SIZE = .15

#: decay ms, E mV of what arrives on whom; NMDA 90 ms, half concentration 2.62 mM
RECEPTORS = {
    "AMPA_SPN": (5, 0), "AMPA_FS": (4.5, 0), "AMPA_LTS": (8, 0), "AMPA_ChIN": (7, 0),
    "NMDA": (90, 0), "GABA_FS_SPN": (8, -60), "GABA_SPN_SPN": (12, -60), "GABA_LTS_SPN": (40, -60),
    "GABA_FS_INT": (8, -70), "GABA_SPN_INT": (12, -70), "GABA_LTS_INT": (40, -70),
    "nACh": (8, 0),
}
#: receptor, nS, (U, tau_rec ms, tau_fac ms)
SPN_STP, FS_STP, LTS_STP, CHIN_STP = (.48, 130, 420), (.42, 480, 0), (.114, 313, 0), (.95, 800, 100)
RECURRENT = {
    "dSPN->dSPN": ("GABA_SPN_SPN", .31, SPN_STP), "iSPN->dSPN": ("GABA_SPN_SPN", .34, SPN_STP),
    "dSPN->iSPN": ("GABA_SPN_SPN", .37, SPN_STP), "iSPN->iSPN": ("GABA_SPN_SPN", .50, SPN_STP),
    "FS->dSPN": ("GABA_FS_SPN", 4.5, FS_STP), "FS->iSPN": ("GABA_FS_SPN", 4.5, FS_STP),
    "FS->FS": ("GABA_FS_INT", 1.1, FS_STP), "FS->LTS": ("GABA_FS_INT", .15, FS_STP),
    "LTS->dSPN": ("GABA_LTS_SPN", .6, LTS_STP), "LTS->iSPN": ("GABA_LTS_SPN", .6, LTS_STP),
    "LTS->ChIN": ("GABA_LTS_INT", .5, LTS_STP), "ChIN->FS": ("nACh", 1.5, CHIN_STP),
    "dSPN->ChIN": ("GABA_SPN_INT", .24, SPN_STP), "iSPN->ChIN": ("GABA_SPN_INT", .24, SPN_STP),
}
#: The law of Humphries et al. 2010 times
SCALES = {"dSPN->dSPN": .26, "iSPN->dSPN": .45, "dSPN->iSPN": .17, "iSPN->iSPN": .45,
          "FS->dSPN": 1, "FS->iSPN": .7, "FS->FS": 1}
#: p within 250 um
FLAT = {"FS->LTS": .12, "dSPN->ChIN": .016, "iSPN->ChIN": .016}
#: p at 0 of p exp(-d / 200 um), cut at 500 um
FALLING = {"LTS->dSPN": .077, "LTS->iSPN": .077, "LTS->ChIN": .19, "ChIN->FS": .25}
#: cells, AMPA nS, NMDA over AMPA, (U, tau_rec ms, tau_fac ms); every axon fires at 2 Hz
CTX_STP, CL_STP, PF_STP = (.10, 1900, 36), (.085, 570, 53), (.35, 500, 0)
INPUTS = {
    ("cortex", "dSPN"): (300, .50, .25, CTX_STP), ("cortex", "iSPN"): (260, .55, .25, CTX_STP),
    ("CL", "dSPN"): (110, 1.0, .30, CL_STP), ("CL", "iSPN"): (80, 1.1, .30, CL_STP),
    ("Pf", "dSPN"): (70, 1.2, .35, PF_STP), ("Pf", "iSPN"): (50, 1.3, .35, PF_STP),
    ("cortex", "FS"): (350, 1.3, .05, (.149, 3100, 27)),
    ("Pf", "FS"): (250, 1.3, 0, (.14, 1753, 28)),
    ("cortex", "LTS"): (24, .5, .4, (.101, 3150, 33)),
    ("cortex", "ChIN"): (20, .3, .3, (.101, 2034, 18)),
    ("Pf", "ChIN"): (40, 1.0, .2, (.113, 848, 33)),
}
RATE_HZ = 2
FAST = {"dSPN": "AMPA_SPN", "iSPN": "AMPA_SPN", "FS": "AMPA_FS", "LTS": "AMPA_LTS",
        "ChIN": "AMPA_ChIN"}


def _steady(U: float, tau_rec: float, tau_fac: float) -> float:
    """What a spike releases at the stationary state of 2 Hz, over what a rested synapse does."""
    r = RATE_HZ / 1000
    u = U * (1 + r * tau_fac) / (1 + U * r * tau_fac)
    return u / (1 + u * r * tau_rec) / U


def _shell(p: float, inner: float, outer: float) -> float:
    """Mean of p exp(-d / 200) over a spherical shell."""
    def inside(d: float) -> float:
        return -200 * exp(-d / 200) * (d * d + 400 * d + 80_000)
    return p * 3 * (inside(outer) - inside(inner)) / (outer**3 - inner**3)


# ---- dotted paths ----------------------------------------------------------------------------

def _measure(value: float, unit: str | None) -> object:
    return value if unit is None else (value, unit)


EXPECTED = {
    **{f"cells.{cell}.fraction": share / .981 for cell, share in FRACTIONS.items()},
    **{f"cells.{cell}.parameters.{name}": _measure(value, UNITS[name])
       for cell, row in CELLS.items() for name, value in zip(COLUMNS, row, strict=True)},
    **{f"cells.{cell}.parameters.{name}": (value, "mV")
       for cell in CELLS for name, value in SHARED.items()},
    # vT -2 phi1, d x(1 - .33 phi1), NMDA x(1 + .5 phi1); vT +1.2 phi2, AMPA x(1 - .3 phi2);
    # EL +7 phi1; phi .3 is normal
    "cells.dSPN.effects.D1.v_T": (-2, "mV"),
    "cells.dSPN.effects.D1.d": -.33,
    "cells.dSPN.effects.D1.I_NMDA": .5,
    "cells.iSPN.effects.D2.v_T": (1.2, "mV"),
    "cells.iSPN.effects.D2.I_AMPA_SPN": -.3,
    "cells.FS.effects.D1.E_L": (7, "mV"),
    "dopamine.d1": .3,
    "dopamine.d2": .3,
    **{f"spread.{cell}.{name}": sd for (cell, name), sd in SPREAD.items()},
    "spread.dSPN.size.cv": SIZE,
    "spread.iSPN.size.cv": SIZE,
    **{f"receptors.{name}.tau": (tau, "ms") for name, (tau, _) in RECEPTORS.items()},
    **{f"receptors.{name}.E": (E, "mV") for name, (_, E) in RECEPTORS.items()},
    "receptors.NMDA.magnesium": (1, "mM"),
    "receptors.NMDA.mg_half": (2.62, "mM"),
    "receptors.NMDA.mg_slope": (.062, "1/mV"),
    **{f"pathways.{path}.conductance.{receptor}": (g, "nS")
       for path, (receptor, g, _) in RECURRENT.items()},
    **{f"pathways.{path}.stp.U": stp[0] for path, (_, _, stp) in RECURRENT.items()},
    **{f"pathways.{path}.stp.tau_rec": (stp[1], "ms") for path, (_, _, stp) in RECURRENT.items()},
    **{f"pathways.{path}.stp.tau_fac": (stp[2], "ms") for path, (_, _, stp) in RECURRENT.items()},
    # delay 1 ms + d / (.8 m/s); a log-normal spread of 30 % on every weight
    **{f"pathways.{path}.delay.offset": (1, "ms") for path in RECURRENT},
    **{f"pathways.{path}.delay.velocity": (.8, "m/s") for path in RECURRENT},
    **{f"pathways.{path}.weight_cv": .3 for path in RECURRENT},
    **{f"pathways.{path}.wiring.scale": scale for path, scale in SCALES.items()},
    **{f"pathways.{path}.wiring.range": (500, "um") for path in SCALES},
    **{f"pathways.{path}.wiring.bins.0.p": p for path, p in FLAT.items()},
    **{f"pathways.{path}.wiring.bins.0.below": (250, "um") for path in FLAT},
    # in five shells of 100 um
    **{f"pathways.{path}.wiring.bins.{n}.p": _shell(p, 100 * n, 100 * n + 100)
       for path, p in FALLING.items() for n in range(5)},
    **{f"pathways.{path}.wiring.bins.{n}.below": (100 * n + 100, "um")
       for path in FALLING for n in range(5)},
    "gap_junctions.FS-FS.conductance": (.5, "nS"),
    "gap_junctions.FS-FS.wiring.scale": 1,
    "gap_junctions.FS-FS.wiring.range": (500, "um"),
    # Poisson events that stand for the axons, with what a spike releases in the stationary state
    **{f"inputs.{source}.targets.{cell}.afferents": row[0]
       for (source, cell), row in INPUTS.items()},
    **{f"inputs.{source}.targets.{cell}.rate.constant": (RATE_HZ, "Hz")
       for source, cell in INPUTS},
    **{f"inputs.{source}.targets.{cell}.conductance.{FAST[cell]}":
       (row[1] * _steady(*row[3]), "nS") for (source, cell), row in INPUTS.items()},
    **{f"inputs.{source}.targets.{cell}.conductance.NMDA":
       (row[1] * row[2] * _steady(*row[3]), "nS")
       for (source, cell), row in INPUTS.items() if row[2]},
    "dt": (.1, "ms"),
    "warmup": (1, "s"),
    "volume.density": (80_500 * .981, "1/mm^3"),
    "volume.minimum_distance": (15, "um"),
}

#: Relative tolerance where the preset may store rounded numbers.
ROUNDED = {
    **{path: 5e-4 for path in EXPECTED if path.startswith("inputs.")},
    **{path: 5e-4 for path in EXPECTED if ".bins." in path},
    **{path: 1e-5 for path in EXPECTED if path.endswith((".a", ".a_z", ".fraction"))},
    "volume.density": 1e-4,
}

WORDS = {
    **{f"cells.{cell}.model": "striatal" for cell in CELLS},
    "gap_junctions.FS-FS.kind": "ohmic",
    "gap_junctions.FS-FS.wiring.connection": "FSI-gap",
    "pathways.dSPN->dSPN.wiring.connection": "MSN-MSN",
    "pathways.dSPN->iSPN.wiring.connection": "MSN-MSN",
    "pathways.iSPN->dSPN.wiring.connection": "MSN-MSN",
    "pathways.iSPN->iSPN.wiring.connection": "MSN-MSN",
    "pathways.FS->dSPN.wiring.connection": "FSI-MSN",
    "pathways.FS->iSPN.wiring.connection": "FSI-MSN",
    "pathways.FS->FS.wiring.connection": "FSI-FSI",
    "volume.boundary": "periodic",
}

ABSENT = (
    "noise",
    "pathways.dSPN->FS",
    "pathways.iSPN->FS",
    "pathways.FS->ChIN",  # none (Szydlowski et al. 2013)
    "pathways.LTS->FS",
    "pathways.LTS->LTS",
    "pathways.ChIN->LTS",
    "inputs.CL.targets.FS",
    "inputs.Pf.targets.LTS",  # none (Johansson and Silberberg 2020)
    "inputs.Pf.targets.FS.conductance.NMDA",
)
