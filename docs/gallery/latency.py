"""The late first spike of a spiny cell.

Steps just above the rheobase of a dSPN; the first spike comes up to half a second late.
"""

import neostriatum as ns

figure, axes = ns.plot.protocol(ns.protocol("dSPN", "latency", dopamine=0))
figure.savefig("figure.png", dpi=150)
