"""How irregular single neurons fire.

The coefficient of variation of the intervals: 1 for Poisson, 0 for a clock.
"""

import neostriatum as ns

run = ns.run("striatum_v1", size=1000, duration="4 s", figures=False)
figure, axes = ns.plot.cv_histogram(run)
figure.savefig("figure.png", dpi=150)
