"""Up and down states.

Slow waves of the cortex as in deep anaesthesia: the potential of spiny cells has two peaks,
and they fire in the upper one.
"""

import neostriatum as ns

run = ns.run("striatum", overlay=["slow_waves"], size=400, duration="4 s", figures=False,
             record=[f"{name}:1:v:1" for name in ("dSPN", "iSPN", "FS", "LTS", "ChIN")])
figure, axes = ns.plot.states(run)
figure.savefig("figure.png", dpi=150)
