"""Second transcription of the preset `lindahl2016`.

Made from the fact sheet of the basal ganglia (its tables of cells, receptors, pathways and drive)
before the preset was there; the preset was written from the authors' code. One person did both, so
that it is blind in its text and not in its reader. First plain tables, then dotted paths.
"""

# ---- plain tables ----------------------------------------------------------------------------

#: neurons of the rat
COUNTS = {"dSPN": 2_791_000 * .475, "iSPN": 2_791_000 * .475, "FS": 2_791_000 * .02,
          "GPeTI": 45_960 * .675, "GPeTF": 45_960 * .075, "GPeTA": 45_960 * .25, "STN": 13_560,
          "SNr": 26_320}
NUCLEUS = {"GPeTI": "GPe", "GPeTF": "GPe", "GPeTA": "GPe", "STN": "STN", "SNr": "SNr"}

#: C pF, g_L nS, E_L mV, v_T mV, D_T mV, a below and above v_a nS, v_a mV, tau_w ms, b pA,
#: v_reset mV, v_peak mV, I in the network pA
ADEX_COLUMNS = ("C", "g_L", "E_L", "v_T", "D_T", "a_low", "a_high", "v_a", "tau_w", "b",
                "v_reset", "v_peak", "I_spon")
ADEX = {
    "STN": (60, 10, -80.2, -64.0, 16.2, .3, 0, -70, 333, .05, -70, 15, 6.0),
    "GPeTI": (40, 1, -55.1, -54.7, 1.7, 2.5, 2.5, -55.1, 20, 70, -60, 15, 4.5),
    "GPeTF": (40, 1, -55.1, -54.7, 1.7, 2.5, 2.5, -55.1, 20, 70, -60, 15, 4.5),
    "GPeTA": (60, 1, -55.1, -54.7, 2.55, 2.5, 2.5, -55.1, 20, 105, -60, 15, -3.6),
    "SNr": (80, 3, -55.8, -55.2, 1.8, 3, 3, -55.8, 20, 200, -65, 20, 19.2),
}
#: rebound of STN: mV/pA, mV
REBOUND = {"slope_low": (-10, "mV/pA"), "max_low": (-60, "mV")}

IZHIKEVICH_COLUMNS = ("C", "k", "v_r", "v_t", "v_peak", "a", "b", "c", "d")
IZHIKEVICH = {
    "dSPN": (15.2, 1, -81.85, -29.7, 40, .01, -20, -55, 66.9),
    "iSPN": (15.2, 1, -80, -29.7, 40, .01, -20, -55, 91),
    "FS": (80, 1, -70, -50, 25, .2, .025, -60, 0),
}
V_B_FS = -55


def f(x):
    """Dopamine factor of a receptor from the ratio of depleted to normal."""
    return (1 - x) / (.8 + .2 * x)


#: E mV, tau ms
RECEPTORS = {
    "AMPA": (0, 12), "NMDA": (0, 160), "AMPA_STN": (0, 12), "AMPA_ctx_STN": (0, 4),
    "AMPA_ext": (0, 5), "GABA_FS": (-74, 8), "GABA_SPN": (-74, 12), "GABA_TA_dSPN": (-74, 87),
    "GABA_TA_iSPN": (-74, 76), "GABA_FS_FS": (-74, 6), "GABA_TA_FS": (-74, 66),
    "GABA_TF_FS": (-74, 17), "GABA_TI_STN": (-84, 8), "GABA_iSPN_GPe": (-65, 6),
    "GABA_GPe": (-65, 5), "GABA_dSPN_SNr": (-80, 5.2), "GABA_TI_SNr": (-72, 2.1),
}
#: dopamine on the current of a receptor
BETA = {
    ("dSPN", "NMDA"): 1.04, ("iSPN", "AMPA"): -.26,
    ("dSPN", "GABA_SPN"): f(.25), ("iSPN", "GABA_SPN"): f(.25),
    ("dSPN", "GABA_TA_dSPN"): f(2.6), ("iSPN", "GABA_TA_iSPN"): f(2.5),
    ("FS", "GABA_FS_FS"): -.83, ("FS", "GABA_TA_FS"): f(1.6),
    ("STN", "AMPA_ctx_STN"): f(2.5), ("STN", "NMDA"): f(2.5), ("STN", "GABA_TI_STN"): -.24,
    **{(cell, "AMPA_STN"): -.45 for cell in ("GPeTI", "GPeTF", "GPeTA")},
    **{(cell, "GABA_GPe"): -.83 for cell in ("GPeTI", "GPeTF", "GPeTA")},
    **{(cell, "GABA_iSPN_GPe"): f(2) for cell in ("GPeTI", "GPeTF")},
    ("SNr", "GABA_dSPN_SNr"): .56,
}
#: dopamine on parameters: x (1 - beta phi)
BETA_OF = {
    ("dSPN", "v_r"): -.0282, ("dSPN", "d"): .45, ("FS", "v_r"): .078,
    **{(cell, key): .181 for cell in ("GPeTI", "GPeTF", "GPeTA") for key in ("E_L", "v_a")},
    ("SNr", "E_L"): .0896, ("SNr", "v_a"): .0896,
}
#: whose dopamine receptors are taken as D1; all others as D2
OF_D1 = {("dSPN", "NMDA"), ("dSPN", "v_r"), ("dSPN", "d"), ("FS", "v_r"), ("SNr", "GABA_dSPN_SNr")}

FS_STP, TI_STP = (.29, 902, 53), (.24, 77, 13)
#: receptor, nS of the first spike, delay ms, in-degree, (U, tau_rec ms, tau_fac ms)
PATHWAYS = {
    "dSPN->dSPN": ("GABA_SPN", .15, 1.7, 364, None),
    "dSPN->iSPN": ("GABA_SPN", .375, 1.7, 84, None),
    "iSPN->dSPN": ("GABA_SPN", .45, 1.7, 392, None),
    "iSPN->iSPN": ("GABA_SPN", .35, 1.7, 504, None),
    "FS->dSPN": ("GABA_FS", 20.7 * .29, 1.7, 16, FS_STP),
    "FS->iSPN": ("GABA_FS", 20.7 * .29, 1.7, 11, FS_STP),
    "FS->FS": ("GABA_FS_FS", 1.0, 1.7, 9, FS_STP),
    "GPeTA->FS": ("GABA_TA_FS", 2 * 17 / 66, 7.0, 10, FS_STP),
    "GPeTF->FS": ("GABA_TF_FS", 2.0, 7.0, 10, FS_STP),
    "GPeTA->dSPN": ("GABA_TA_dSPN", .04, 1.7, 10, None),
    "GPeTA->iSPN": ("GABA_TA_iSPN", .08, 1.7, 10, None),
    "GPeTI->STN": ("GABA_TI_STN", .08, 1.0, 27, None),
    "GPeTF->STN": ("GABA_TI_STN", .08, 1.0, 3, None),
    "STN->GPeTI": ("AMPA_STN", .35, 2.0, 30, None),
    "STN->GPeTF": ("AMPA_STN", .35, 2.0, 30, None),
    "STN->GPeTA": ("AMPA_STN", .105, 2.0, 30, None),
    **{f"{source}->{target}": ("GABA_GPe", g, 1.0, n, None)
       for source, n in (("GPeTA", 5), ("GPeTI", 22), ("GPeTF", 3))
       for target, g in (("GPeTI", 1.3), ("GPeTF", 1.3), ("GPeTA", .325))},
    "iSPN->GPeTI": ("GABA_iSPN_GPe", 2.0, 7.0, 500, TI_STP),
    "iSPN->GPeTF": ("GABA_iSPN_GPe", 2.0, 7.0, 500, TI_STP),
    "dSPN->SNr": ("GABA_dSPN_SNr", 2.0, 7.3, 500, (.0192, 559, 623)),
    "STN->SNr": ("AMPA_STN", .91 * 3.8, 4.6, 30, (.35, 800, 0)),
    "GPeTI->SNr": ("GABA_TI_SNr", 76, 3.0, 29, (.196, 969, 0)),
    "GPeTF->SNr": ("GABA_TI_SNr", 76, 3.0, 3, (.196, 969, 0)),
}
#: half of the delay and of the weight more or less; 2,800 nearest of each type for SPN to SPN
SPREAD, NEAREST = .5, 2800

#: Hz, {receptor: nS}
DRIVE = {
    "dSPN": (560 * .975, {"AMPA": .5, "NMDA": .11}),
    "iSPN": (740 * .975, {"AMPA": .41, "NMDA": .019}),
    "FS": (807.5 * .975, {"AMPA": .25}),
    "STN": (250, {"AMPA_ctx_STN": .25, "NMDA": .00625}),
    "GPeTI": (1430, {"AMPA_ext": .167}),
    "GPeTF": (1430, {"AMPA_ext": .167}),
    "GPeTA": (300, {"AMPA_ext": .167}),
    "SNr": (2000, {"AMPA_ext": .5}),
}
INPUT = {cell: "external" if cell[:3] in ("GPe", "SNr") else "cortex" for cell in DRIVE}

#: C 20 % and v_T 1 mV, cut at 3 sd; v from v_T - 20 mV to v_T
V_T = {**{cell: row[3] for cell, row in ADEX.items()},
       **{cell: row[3] for cell, row in IZHIKEVICH.items()}}
CAPACITANCE = {**{cell: row[0] for cell, row in ADEX.items()},
               **{cell: row[0] for cell, row in IZHIKEVICH.items()}}

# ---- dotted paths ----------------------------------------------------------------------------

UNITS = {"C": "pF", "g_L": "nS", "E_L": "mV", "v_T": "mV", "D_T": "mV", "a_low": "nS",
         "a_high": "nS", "v_a": "mV", "tau_w": "ms", "b": "pA", "v_reset": "mV", "v_peak": "mV",
         "I_spon": "pA"}
IZHIKEVICH_UNITS = {"C": "pF", "k": "nS/mV", "v_r": "mV", "v_t": "mV", "v_peak": "mV",
                    "a": "1/ms", "b": "nS", "c": "mV", "d": "pA"}


def unit_of(cell, key):
    """Return the unit of a parameter of the quadratic cells."""
    return "nS/mV^2" if (cell, key) == ("FS", "b") else IZHIKEVICH_UNITS[key]


def level(cell, target):
    """Return whose dopamine receptor acts."""
    return "D1" if (cell, target) in OF_D1 else "D2"


EXPECTED = {
    **{f"cells.{cell}.fraction": count / sum(COUNTS.values()) for cell, count in COUNTS.items()},
    **{f"cells.{cell}.parameters.{key}": (value, UNITS[key]) for cell, row in ADEX.items()
       for key, value in zip(ADEX_COLUMNS, row, strict=True)},
    **{f"cells.STN.parameters.{key}": value for key, value in REBOUND.items()},
    **{f"cells.{cell}.parameters.{key}": (value, unit_of(cell, key))
       for cell, row in IZHIKEVICH.items()
       for key, value in zip(IZHIKEVICH_COLUMNS, row, strict=True)},
    "cells.FS.parameters.v_b": (V_B_FS, "mV"),
    **{f"receptors.{name}.{key}": (value, unit) for name, row in RECEPTORS.items()
       for key, value, unit in zip(("E", "tau"), row, ("mV", "ms"), strict=True)},
    "receptors.NMDA.v_half": (-20, "mV"),
    "receptors.NMDA.v_slope": (16, "mV"),
    **{f"cells.{cell}.effects.{level(cell, target)}.I_{target}": beta
       for (cell, target), beta in BETA.items()},
    **{f"cells.{cell}.effects.{level(cell, target)}.{target}": -beta
       for (cell, target), beta in BETA_OF.items()},
    **{f"pathways.{name}.conductance.{row[0]}": (row[1], "nS") for name, row in PATHWAYS.items()},
    **{f"pathways.{name}.delay.offset": (row[2], "ms") for name, row in PATHWAYS.items()},
    **{f"pathways.{name}.delay.spread": SPREAD for name in PATHWAYS},
    **{f"pathways.{name}.weight_spread": SPREAD for name in PATHWAYS},
    **{f"pathways.{name}.wiring.n": row[3] for name, row in PATHWAYS.items()},
    **{f"pathways.{source}->{target}.wiring.nearest": NEAREST for source in ("dSPN", "iSPN")
       for target in ("dSPN", "iSPN")},
    **{f"pathways.{name}.stp.{key}": (value, unit) for name, row in PATHWAYS.items() if row[4]
       for key, value, unit in zip(("U", "tau_rec", "tau_fac"), row[4], (None, "ms", "ms"),
                                   strict=True)},
    **{f"inputs.{INPUT[cell]}.targets.{cell}.rate.constant": (row[0], "Hz")
       for cell, row in DRIVE.items()},
    **{f"inputs.{INPUT[cell]}.targets.{cell}.conductance.{name}": (g, "nS")
       for cell, row in DRIVE.items() for name, g in row[1].items()},
    **{f"spread.{cell}.C": (.2 * c, "pF") for cell, c in CAPACITANCE.items()},
    **{f"spread.{cell}.{'v_T' if cell in ADEX else 'v_t'}": (1, "mV") for cell in V_T},
    **{f"start.{cell}.v_low": (v - 20, "mV") for cell, v in V_T.items()},
    **{f"start.{cell}.v_high": (v, "mV") for cell, v in V_T.items()},
    "dopamine.d1": .8,
    "dopamine.d2": .8,
    "modulators.D1.reference": .8,
    "modulators.D2.reference": .8,
    "dt": (.1, "ms"),
    "warmup": (1, "s"),
}

ROUNDED = {**{path: 1e-7 for path in EXPECTED if path.endswith(".fraction")},
           **{path: 1e-6 for path in EXPECTED if ".effects." in path or ".conductance." in path}}

WORDS = {
    **{f"cells.{cell}.nucleus": nucleus for cell, nucleus in NUCLEUS.items()},
    **{f"cells.{cell}.model": "adex_rebound" for cell in ADEX},
    "cells.FS.model": "izhikevich_fs",
    "cells.dSPN.model": "izhikevich",
    "cells.iSPN.model": "izhikevich",
    "receptors.NMDA.model": "nmda_sigmoid",
    **{f"pathways.{name}.wiring.rule": "fixed_indegree" for name in PATHWAYS},
}

ABSENT = (
    "noise",
    "gap_junctions",
    "axons",
    "channels",
    "pathways.STN->STN",  # its weight is 0
    "pathways.iSPN->GPeTA",  # lesioned
    "pathways.GPeTI->FS",
    "pathways.GPeTI->dSPN",
    "pathways.GPeTI->iSPN",
    "pathways.GPeTF->dSPN",
    "pathways.GPeTF->iSPN",
    "pathways.FS->dSPN.wiring.nearest",  # global, as the mask never applies
    "cells.iSPN.effects.D2.v_r",
    "cells.STN.effects.D2.E_L",
)
