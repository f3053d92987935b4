"""Correlation against distance.

Spike counts of pairs of neurons, by how far apart their somas are.
"""

import neostriatum as ns

run = ns.run("striatum_v1", size=1000, duration="5 s", figures=False)
figure, axes = ns.plot.correlation_distance(run)
figure.savefig("figure.png", dpi=150)
