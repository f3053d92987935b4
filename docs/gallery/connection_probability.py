"""Connection probability against distance.

Counted in a network of 2,000 neurons.
"""

import neostriatum as ns

figure, axes = ns.plot.connection_probability(ns.build("striatum_v1", size=2000, seed=1))
figure.savefig("figure.png", dpi=150)
