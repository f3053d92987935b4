"""Who connects to whom.

Mean number of synapses that a cell of one type gets from another.
"""

import neostriatum as ns

figure, axes = ns.plot.connectivity(ns.build("striatum", size=1000, seed=1))
figure.savefig("figure.png", dpi=150)
