"""Rates against dopamine.

One network, five levels of dopamine.
"""

import matplotlib.pyplot as plt

import neostriatum as ns

network = ns.build("striatum_v1", size=1000, seed=1)
levels = [0.0, 0.2, 0.4, 0.6, 0.8]
runs = [ns.run("striatum_v1", network=network, dopamine=level, duration="1 s", figures=False)
        for level in levels]

with ns.plot.paper():
    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for name in ("dSPN", "iSPN", "FS"):
        means = [run.rates()[name].mean() for run in runs]
        axes.plot(levels, means, "o-", color=ns.plot.colour(name), label=name)
    axes.set(xlabel="dopamine (activation, 0 to 1)", ylabel="mean rate (spikes/s)", ylim=(0, None))
    axes.legend()
    figure.savefig("figure.png", dpi=150)
