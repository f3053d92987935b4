"""Where the cells are.

Somas of a small network in three dimensions.
"""

import neostriatum as ns

figure, axes = ns.plot.positions(ns.build("striatum", size=1000, seed=1))
figure.savefig("figure.png", dpi=150)
