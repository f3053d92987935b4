"""Spectrum of the activity.

Power of the spike counts of each type against frequency; ten seconds, so
that peaks stand out of the noise of the estimate.
"""

import neostriatum as ns

run = ns.run("striatum_v1", size=500, duration="10 s", figures=False)
figure, axes = ns.plot.spectrum(run)
figure.savefig("figure.png", dpi=150)
