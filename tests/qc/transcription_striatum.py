"""Blind second transcription of the preset `striatum`.

Made without looking at the preset. The first reading was of the recommended numbers of the domain
check of the whole microcircuit. Where the preset differs from the check, the numbers were read
anew from section 10 of docs/parameters.md. First plain tables of numbers, then the dotted paths
of the circuit file, as in the other transcriptions.
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
    # a 1/280 instead of 1/200, I0 21 instead of 19
    "ChIN": (113, 1.9, -58, 0, 0, 12, -54, 1 / 280, 1.1, -58, 40, -60, 2.5, 1 / 80, -2, -62, -1,
             0, 21),
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
    "AMPA_SPN": (5, 0), "AMPA_Pf_dSPN": (11, 0), "AMPA_Pf_iSPN": (8.9, 0), "AMPA_FS": (4.5, 0),
    "AMPA_LTS": (8, 0), "AMPA_cortex_ChIN": (5.2, 0), "AMPA_ChIN": (7.5, 0), "NMDA": (90, 0),
    "GABA_FS_SPN": (9.5, -60), "GABA_SPN_SPN": (12, -60), "GABA_LTS_SPN": (40, -60),
    "GABA_FS_INT": (9.5, -70), "GABA_SPN_INT": (12, -70), "GABA_LTS_INT": (40, -70),
    "nACh": (8, 0),
}
#: U, then tau_rec ms and tau_fac ms
SPN_STP, LTS_STP, CHIN_STP = (.48, 130, 420), (.114, 313, 0), (.95, 800, 100)
#: two pools: U, the share that recovers fast, tau_fast ms, tau_slow ms
FS_STP = (.60, .63, 60, 2000)
#: receptor, nS, release
RECURRENT = {
    "dSPN->dSPN": ("GABA_SPN_SPN", .31, SPN_STP), "iSPN->dSPN": ("GABA_SPN_SPN", .34, SPN_STP),
    "dSPN->iSPN": ("GABA_SPN_SPN", .37, SPN_STP), "iSPN->iSPN": ("GABA_SPN_SPN", .50, SPN_STP),
    "FS->dSPN": ("GABA_FS_SPN", 3.79, FS_STP), "FS->iSPN": ("GABA_FS_SPN", 3.79, FS_STP),
    "FS->FS": ("GABA_FS_INT", .93, FS_STP), "FS->LTS": ("GABA_FS_INT", .126, FS_STP),
    "LTS->dSPN": ("GABA_LTS_SPN", .6, LTS_STP), "LTS->iSPN": ("GABA_LTS_SPN", .6, LTS_STP),
    "LTS->ChIN": ("GABA_LTS_INT", .5, LTS_STP), "ChIN->FS": ("nACh", 1.5, CHIN_STP),
    "dSPN->ChIN": ("GABA_SPN_INT", .24, SPN_STP), "iSPN->ChIN": ("GABA_SPN_INT", .24, SPN_STP),
}
ONE_POOL = {path: stp for path, (_, _, stp) in RECURRENT.items() if len(stp) == 3}
TWO_POOLS = {path: stp for path, (_, _, stp) in RECURRENT.items() if len(stp) == 4}
#: The law of Humphries et al. 2010 times; it reaches 500 um, and 300 um from FS
SCALES = {"dSPN->dSPN": .26, "iSPN->dSPN": .45, "dSPN->iSPN": .17, "iSPN->iSPN": .45,
          "FS->dSPN": 1, "FS->iSPN": .7, "FS->FS": 1}
REACH = {path: 300 if path.startswith("FS") else 500 for path in SCALES}
#: p within 250 um
FLAT = {"FS->LTS": .12, "dSPN->ChIN": .016, "iSPN->ChIN": .016}
#: p at 0 of p exp(-d / 200 um), cut at 500 um
FALLING = {"LTS->dSPN": .077, "LTS->iSPN": .077, "LTS->ChIN": .19, "ChIN->FS": .25}
#: axons, groups, sd of the log of a group's rate; correlation time 100 ms, mean rate 2 Hz
AXONS = {"cortex": (20000, 200, .8), "CL": (6000, 60, .3), "Pf": (4000, 40, .3)}
RATE_HZ, TAU_MS = 2, 100
#: axons of a cell, AMPA nS, NMDA over AMPA, (U, tau_rec ms, tau_fac ms), (share from home, groups)
CTX_STP, CL_STP, PF_STP = (.10, 1900, 36), (.085, 570, 53), (.35, 500, 0)
NO_HOME = (0, 1)
INPUTS = {
    ("cortex", "dSPN"): (300, .48, .25, CTX_STP, (.6, 2)),
    ("cortex", "iSPN"): (184, .75, .25, CTX_STP, (.6, 2)),
    ("CL", "dSPN"): (110, 1.0, .30, CL_STP, NO_HOME),
    ("CL", "iSPN"): (60, 1.4, .30, CL_STP, NO_HOME),
    ("Pf", "dSPN"): (70, .49, 1.02, PF_STP, NO_HOME),
    ("Pf", "iSPN"): (40, .66, 1.22, PF_STP, NO_HOME),
    ("cortex", "FS"): (350, 1.3, .05, (.149, 3100, 27), (.5, 2)),
    ("Pf", "FS"): (250, 1.3, 0, (.14, 1753, 28), NO_HOME),
    ("cortex", "LTS"): (24, .5, .4, (.101, 3150, 33), (.5, 1)),
    ("cortex", "ChIN"): (20, .187, 1.59, (.101, 2034, 18), NO_HOME),
    ("Pf", "ChIN"): (40, .45, 1.31, (.113, 848, 33), NO_HOME),
}
#: the AMPA receptor of a cell, and of a pathway that has one of its own
FAST = {"dSPN": "AMPA_SPN", "iSPN": "AMPA_SPN", "FS": "AMPA_FS", "LTS": "AMPA_LTS",
        "ChIN": "AMPA_ChIN"}
OWN_FAST = {("Pf", "dSPN"): "AMPA_Pf_dSPN", ("Pf", "iSPN"): "AMPA_Pf_iSPN",
            ("cortex", "ChIN"): "AMPA_cortex_ChIN"}
#: 1.5 times the size in 1 - size h(m1) on g_A, -size pA h(m4) and -size pA h(A) of a current
ACETYLCHOLINE = {
    "cells.iSPN.effects.M1.g_A": -1.5 * .6,
    "cells.dSPN.effects.M1.g_A": -1.5 * .15,
    "cells.LTS.effects.M4.I_spon": (-1.5 * 25, "pA"),
    "cells.ChIN.effects.ACh.I_spon": (-1.5 * 50, "pA"),
}


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
    "cells.iSPN.effects.D2.I_AMPA_Pf_iSPN": -.3,
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
    **{f"pathways.{path}.stp.tau_rec": (stp[1], "ms") for path, stp in ONE_POOL.items()},
    **{f"pathways.{path}.stp.tau_fac": (stp[2], "ms") for path, stp in ONE_POOL.items()},
    **{f"pathways.{path}.stp.share": stp[1] for path, stp in TWO_POOLS.items()},
    **{f"pathways.{path}.stp.tau_fast": (stp[2], "ms") for path, stp in TWO_POOLS.items()},
    **{f"pathways.{path}.stp.tau_slow": (stp[3], "ms") for path, stp in TWO_POOLS.items()},
    # delay 1 ms + d / (.8 m/s); a log-normal spread of 30 % on every weight
    **{f"pathways.{path}.delay.offset": (1, "ms") for path in RECURRENT},
    **{f"pathways.{path}.delay.velocity": (.8, "m/s") for path in RECURRENT},
    **{f"pathways.{path}.weight_cv": .3 for path in RECURRENT},
    **{f"pathways.{path}.wiring.scale": scale for path, scale in SCALES.items()},
    **{f"pathways.{path}.wiring.range": (reach, "um") for path, reach in REACH.items()},
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
    **{f"axons.{name}.size": row[0] for name, row in AXONS.items()},
    **{f"axons.{name}.groups": row[1] for name, row in AXONS.items()},
    **{f"axons.{name}.rate.constant": (RATE_HZ, "Hz") for name in AXONS},
    **{f"axons.{name}.slow.sd": row[2] for name, row in AXONS.items()},
    **{f"axons.{name}.slow.tau": (TAU_MS, "ms") for name in AXONS},
    **{f"pathways.{source}->{cell}.wiring.n": row[0] for (source, cell), row in INPUTS.items()},
    **{f"pathways.{source}->{cell}.wiring.home.{key}": value
       for (source, cell), row in INPUTS.items() if row[4][0]
       for key, value in zip(("share", "groups"), row[4], strict=True)},
    **{f"pathways.{source}->{cell}.conductance.{OWN_FAST.get((source, cell), FAST[cell])}":
       (row[1], "nS") for (source, cell), row in INPUTS.items()},
    **{f"pathways.{source}->{cell}.conductance.NMDA": (row[1] * row[2], "nS")
       for (source, cell), row in INPUTS.items() if row[2]},
    **{f"pathways.{source}->{cell}.stp.U": row[3][0] for (source, cell), row in INPUTS.items()},
    **{f"pathways.{source}->{cell}.stp.{tau}": (row[3][at], "ms")
       for (source, cell), row in INPUTS.items() for at, tau in ((1, "tau_rec"), (2, "tau_fac"))},
    # A' = -A / 400 ms + spikes, A = 1 at 4 Hz; m1 follows with 1 s, m4 with .5 s
    "modulators.ACh.tonic": (4, "Hz"),
    "modulators.ACh.tau": (400, "ms"),
    "modulators.M1.tau": (1000, "ms"),
    "modulators.M4.tau": (500, "ms"),
    # h(x) = 1.5 (x/(x+2) - 1/3): 1.5 times the size, half at 2, first order, nothing at 1
    **ACETYLCHOLINE,
    **{f"{path}.curve.{key}": value for path in ACETYLCHOLINE
       for key, value in (("half", 2), ("order", 1), ("reference", 1))},
    # cortical weights (1 - .6 H(A)) / (1 - .6 H(1)), H = A^2 / (A^2 + 16)
    **{f"pathways.cortex->{cell}.effects.ACh.weight{key}": value for cell in ("dSPN", "iSPN")
       for key, value in (("", -.6), (".curve.half", 4), (".curve.order", 2),
                          (".curve.reference", 1))},
    "dt": (.1, "ms"),
    "warmup": (1, "s"),
    "volume.density": (80_500 * .981, "1/mm^3"),
    "volume.minimum_distance": (15, "um"),
}

#: Relative tolerance where the preset may store rounded numbers.
ROUNDED = {
    **{path: 5e-4 for path in EXPECTED if ".bins." in path},
    **{path: 1e-5 for path in EXPECTED if path.endswith((".a", ".a_z", ".fraction"))},
    # the product of AMPA and NMDA/AMPA, stored to about three digits
    **{f"pathways.{path}.conductance.NMDA": 5e-3
       for path in ("Pf->dSPN", "Pf->iSPN", "cortex->ChIN", "Pf->ChIN")},
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
    "modulators.ACh.released_by": "ChIN",
    "modulators.M1.follows": "ACh",
    "modulators.M4.follows": "ACh",
    **{f"pathways.{path}.stp.model": "two_pools" for path in TWO_POOLS},
    # release starts at the stationary value of the mean rate
    **{f"pathways.{path}.stp.start": "stationary" for path in RECURRENT},
    **{f"pathways.{source}->{cell}.stp.start": "stationary" for source, cell in INPUTS},
    **{f"pathways.{source}->{cell}.wiring.rule": "fixed_indegree" for source, cell in INPUTS},
    **{f"pathways.{source}->{cell}.wiring.home.by": "random"
       for (source, cell), row in INPUTS.items() if row[4][0]},
}

ABSENT = (
    "noise",
    "pathways.dSPN->FS",
    "pathways.iSPN->FS",
    "pathways.FS->ChIN",  # none (Szydlowski et al. 2013)
    "pathways.LTS->FS",
    "pathways.LTS->LTS",
    "pathways.ChIN->LTS",
    "inputs",
    "pathways.CL->FS",
    "pathways.Pf->LTS",  # none (Johansson and Silberberg 2020)
    "pathways.Pf->FS.conductance.NMDA",
    *(f"pathways.{path}.stp.{tau}" for path in TWO_POOLS for tau in ("tau_rec", "tau_fac")),
    *(f"pathways.{source}->{cell}.wiring.home"
      for (source, cell), row in INPUTS.items() if not row[4][0]),
)
