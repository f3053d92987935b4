"""A lesion during a run.

FS cells lose their synapses onto projection neurons after one second. The line marks the event.
"""

import neostriatum as ns

cut = {"pathways.FS->dSPN.conductance.GABA": "0 nS", "pathways.FS->iSPN.conductance.GABA": "0 nS"}
run = ns.run("striatum_v1", size=1000, duration="2 s", figures=False,
             events=[{"at": "1 s", "set": cut, "note": "lesion of FS synapses"}])
figure, axes = ns.plot.psth(run, bin_ms=50.0)
figure.savefig("figure.png", dpi=150)
