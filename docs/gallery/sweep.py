"""A sweep over dopamine and drive.

Nine short runs: rates against the level of dopamine and a factor on the rate of the cortical axons.
"""

import neostriatum as ns

cortex = [f"inputs.cortex.targets.{name}.rate.constant" for name in ("dSPN", "iSPN", "FS")]
sweep = ns.sweep(circuit="striatum_v1", size=500, duration="1 s", vary={
    "dopamine": [0.0, 0.3, 0.8], "drive": {"factor": cortex, "values": [0.9, 1.0, 1.1]}})
figure, axes = ns.plot.heat_map(sweep.to_pandas().to_dict("list"), "dopamine", "drive")
figure.savefig("figure.png", dpi=150)
