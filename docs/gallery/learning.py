"""Learning a bandit.

The share of best choices of two small circuits over thirty trials; the arms turn round at trial 15.
"""

import neostriatum as ns

runs = [ns.learn("bandit", parameters={"p": [1.0, 0.0], "reverse_at": [15]}, trials=30, size=300,
                 seed=seed, figures=False) for seed in (1, 2)]
figure, axes = ns.plot.learning_curve(runs)
figure.savefig("figure.png", dpi=150)
