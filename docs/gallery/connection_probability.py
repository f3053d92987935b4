"""Connection probability against distance.

Counted in a network of 20,000 neurons. Its cube wraps around, so that cells
also meet the images of others: far points follow the law of all images, above the plain one.
"""

import neostriatum as ns

figure, axes = ns.plot.connection_probability(ns.build("striatum_v1", size=20_000, seed=1))
figure.savefig("figure.png", dpi=150)
