"""Rates of single neurons.

How the mean rates of neurons of each type are distributed.
"""

import neostriatum as ns

run = ns.run("striatum_v1", size=1000, duration="1 s", figures=False)
figure, axes = ns.plot.rate_histogram(run)
figure.savefig("figure.png", dpi=150)
