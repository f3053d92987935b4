"""Rate against current.

A spiny cell and a fast-spiking cell of the default circuit.
"""

import neostriatum as ns

spiny = ns.cell("dSPN", sweep="250:600:50 pA", duration="500 ms")
fast = ns.cell("FS", sweep="250:600:50 pA", duration="500 ms")
figure, axes = ns.plot.fi_curve(spiny.currents_pa, spiny.rates_hz, label="dSPN")
ns.plot.fi_curve(fast.currents_pa, fast.rates_hz, label="FS", axes=axes)
figure.savefig("figure.png", dpi=150)
