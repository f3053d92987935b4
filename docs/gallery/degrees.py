"""How many partners a neuron has.

Sources and targets of each type, with mean and standard deviation.
"""

import neostriatum as ns

network = ns.build("striatum_v1", size=4000, seed=1)
figure, axes = ns.plot.degrees(network)
figure.savefig("figure.png", dpi=150)
