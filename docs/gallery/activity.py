"""Activity in space.

Every soma where it lies, coloured by its rate.
"""

import neostriatum as ns

run = ns.run("striatum_v1", size=1000, duration="2 s", figures=False)
figure, axes = ns.plot.activity(run)
figure.savefig("figure.png", dpi=150)
