"""Blind second transcription of the connection laws of Humphries, Wood and Gurney (2010).

Made from docs/parameters.md, section 2e, column "exact (`*_v3.mat`)", without seeing the
package's own copy. `ln E(d) = -alpha - beta [1 - exp(-gamma (d - delta))] exp(eta d)`, d in um.
"""

EXPECTED = {
    # 2e, row MSN->MSN
    "MSN-MSN.alpha": 0.5107254670320044,
    "MSN-MSN.beta": 1.033044627943106,
    "MSN-MSN.gamma": (0.04199070199515949, "1/um"),
    "MSN-MSN.delta": (26.827632170516825, "um"),
    "MSN-MSN.eta": (0.003892406653498076, "1/um"),
    # 2e, row FSI->MSN
    "FSI-MSN.alpha": -0.9204689992859585,
    "FSI-MSN.beta": 1.033276439406549,
    "FSI-MSN.gamma": (0.0419991894134507, "1/um"),
    "FSI-MSN.delta": (26.81975801164788, "um"),
    "FSI-MSN.eta": (0.003892105185489464, "1/um"),
    # 2e, row FSI->FSI
    "FSI-FSI.alpha": -0.6954173154110468,
    "FSI-FSI.beta": 1.3844851848418689,
    "FSI-FSI.gamma": (0.05716108581777733, "1/um"),
    "FSI-FSI.delta": (15.59757124128264, "um"),
    "FSI-FSI.eta": (0.003629395626828442, "1/um"),
    # 2e, row FSI gap
    "FSI-gap.alpha": 1.3224145608033149,
    "FSI-gap.beta": 2.4004337000404945,
    "FSI-gap.gamma": (0.016213991237480983, "1/um"),
    "FSI-gap.delta": (43.291743302484214, "um"),
    "FSI-gap.eta": (0.0029172302127646946, "1/um"),
}

# 2e, rounded columns: (alpha, beta, gamma, delta, eta) as printed in the paper's Table 4
ROUNDED = {
    "MSN-MSN": (0.511, 1.033, 0.042, 26.8, 0.0039),
    "FSI-MSN": (-0.921, 1.033, 0.042, 26.8, 0.0039),
    "FSI-FSI": (-0.695, 1.38, 0.057, 15.6, 0.0036),
    "FSI-gap": (1.322, 2.4, 0.016, 43.3, 0.0029),
}

# 2e, second table: expected number of contacts at a distance in um (None: printed as ">1" or "-")
DISTANCES = (25, 50, 100, 150, 200, 250, 300, 400)
CONTACTS = {
    "MSN-MSN": (0.657, 0.275, 0.140, 0.095, 0.063, 0.039, 0.022, 0.0045),
    "FSI-MSN": (None, None, 0.586, 0.398, 0.265, 0.163, 0.091, 0.019),
    "FSI-FSI": (None, 0.481, 0.278, 0.185, 0.115, 0.065, 0.033, 0.005),
    "FSI-gap": (0.650, 0.200, 0.0386, 0.0125, 0.0051, 0.0022, 0.0009, None),
}
