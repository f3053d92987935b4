"""Spikes of a network.

Every spike of three cell types, and the rate of each type below.
"""

import neostriatum as ns

run = ns.run("striatum_v1", size=1000, duration="1 s", figures=False)
figure, axes = ns.plot.raster(run)
figure.savefig("figure.png", dpi=150)
