"""Potentials of single cells.

Recorded cells of each type, with their spikes.
"""

import neostriatum as ns

run = ns.run("striatum_v1", size=500, duration="1 s", figures=False,
             record=["dSPN:2:v:5", "iSPN:2:v:5", "FS:2:v:5"])
figure, axes = ns.plot.traces(run)
figure.savefig("figure.png", dpi=150)
