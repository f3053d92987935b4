"""One spike through one synapse.

An FS cell fires once; the spiny cell is held at -50 mV by a constant current.
"""

import neostriatum as ns

result = ns.pair("FS", "dSPN", holding="-50 mV")
figure, axes = ns.plot.psp(result.times_ms, result.v_mv, result.reference_mv, result.spike_ms,
                           result.source, result.target)
figure.savefig("figure.png", dpi=150)
