"""Small networks that are taught tasks: choices, reversals, stimulated cells, delays."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.errors import CircuitError
from neostriatum.runs.learn import learn
from neostriatum.validation.lab import Lab, Unsuited

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The circuit that tasks are played on unless another one is judged.
USUAL = "striatum_v1"
#: Probabilities of the two arms, and trials that are judged.
P, LAST = (0.8, 0.2), 15
#: A current that makes cells fire [pA].
STIMULUS = "60 pA"


def session(lab: Lab, task: str, size: int, seed: int, **options: Any) -> dict[str, Any]:
    """Return the numbers of a session.

    Raises
    ------
    Unsuited
        The circuit cannot play the task.
    """
    judged = lab.circuit != USUAL or lab.overlay or lab.changes
    with TemporaryDirectory() as folder:
        try:
            run = learn(task, circuit=lab.load() if judged else None, size=size, seed=seed,
                        engine=lab.engine, threads=lab.threads, figures=False,
                        out=Path(folder) / "run", **options)
        except CircuitError as reason:
            if judged:
                raise Unsuited(str(reason)) from None
            raise
        return dict(run.summary["learning"])


def bandit(lab: Lab, trials: int = 80, reverse_at: int = 45, seeds: Sequence[int] = (1, 2),
           size: int = 300) -> dict[str, Any]:
    """Return what networks learn of two arms whose probabilities change places.

    Shares of best choices in the last 15 trials before the reversal and of the session, over all
    sessions; "se", the standard error of the first over sessions; "reward", mean rewards of the
    first and of the last ten trials before the reversal; "balance", the mean weight onto dSPN over
    that onto iSPN by arm before the reversal.
    """
    shares, rewards, balance = [], [], []
    for seed in seeds:
        made = session(lab, "bandit", size, seed, trials=trials,
                       parameters={"p": list(P), "reverse_at": reverse_at})
        right, reward = np.array(made["correct"], float), np.array(made["rewards"], float)
        shares.append([right[max(reverse_at - LAST, 0) : reverse_at].mean(), right[-LAST:].mean(),
                       right[:10].mean()])
        rewards.append([reward[:10].mean(), reward[max(reverse_at - 10, 0) : reverse_at].mean()])
        balance.append(_balance(made["weights"], reverse_at - 1))
    share, gain = np.array(shares), np.array(rewards).mean(axis=0)
    return {"before": float(share[:, 0].mean()), "after": float(share[:, 1].mean()),
            "first": float(share[:, 2].mean()),
            "se": float(share[:, 0].std(ddof=1) / np.sqrt(len(share))) if len(share) > 1 else None,
            "reward": {"first": float(gain[0]), "last": float(gain[1])},
            "balance": dict(zip(("worse", "better"), np.mean(balance, axis=0)[::-1].tolist(),
                                strict=True))}


def _balance(weights: dict[str, dict[str, list[float]]], trial: int) -> list[float]:
    """Return by channel the mean weight onto dSPN over that onto iSPN after a trial."""
    ends = {cell: [means for name, means in weights.items() if name.endswith(f"->{cell}")]
            for cell in ("dSPN", "iSPN")}
    return [float(np.mean([means[channel][trial] for means in ends["dSPN"]])
                  / np.mean([means[channel][trial] for means in ends["iSPN"]]))
            for channel in ends["dSPN"][0]]


def stimulated(lab: Lab, trials: int = 16, seeds: Sequence[int] = (1,),
               size: int = 300) -> dict[str, Any]:
    """Return the share of trials with an action while dSPN, iSPN or neither are stimulated."""
    shares = {}
    for what, cell in (("iSPN", "iSPN"), ("none", None), ("dSPN", "dSPN")):
        stimuli = [{"channel": "go", "type": cell, "current": STIMULUS, "phase": "choice"}]
        acted = [np.mean(session(lab, "pavlovian", size, seed, trials=trials, critic="none",
                                 parameters={"p": [0.5]}, fixed=("dSPN", "iSPN"),
                                 stimulate=stimuli if cell else [])["choices"])
                 for seed in seeds]
        shares[what] = float(np.mean(acted))
    return {"acted": shares}


def delayed(lab: Lab, delays_ms: tuple[float, ...] = (500.0, 1000.0, 3000.0), trials: int = 6,
            size: int = 300) -> dict[str, Any]:
    """Return the gain of weights onto dSPN by rewards at delays from the end of a cue of 0.4 s.

    Keys are "N ms": the gain over that at the first delay. Every cue is followed by a full burst.
    """
    gains = []
    for delay in delays_ms:
        made = session(lab, "pavlovian", size, 1, trials=trials, critic="none",
                       parameters={"p": [1.0]}, efference="0 Hz", inhibition="0 pA",
                       phases={"choice": "400 ms", "action": "0 ms", "delay": f"{delay} ms"})
        gains.append(float(np.mean([means[-1] for name, channels in made["weights"].items()
                                    if name.endswith("->dSPN") for means in channels.values()]))
                     - 1.0)
    return {"gain": gains[0], **{f"{delay:g} ms": gain / gains[0] if gains[0] else None
                                 for delay, gain in zip(delays_ms, gains, strict=True)}}


def depleted(lab: Lab, trials: int = 24, seeds: Sequence[int] = (1,),
             size: int = 300) -> dict[str, Any]:
    """Return how often networks without dopamine act, at first and with practice.

    "change" is the share of the last third of the trials less that of the first; "weights" are the
    mean ones onto each cell type in the end.
    """
    acted, weights = [], []
    for seed in seeds:
        made = session(lab, "pavlovian", size, seed, trials=trials, parameters={"p": [1.0]},
                       limits={"D1": (0.0, 0.0), "D2": (0.0, 0.0)})
        choices, third = np.array(made["choices"], float), trials // 3
        acted.append([choices[:third].mean(), choices[-third:].mean()])
        means = {name: float(np.mean([row[-1] for row in channels.values()]))
                 for name, channels in made["weights"].items()}
        weights.append([np.mean([size for name, size in means.items() if name.endswith(cell)])
                        for cell in ("->dSPN", "->iSPN")])
    first, last = np.mean(acted, axis=0).tolist()
    dspn, ispn = np.mean(weights, axis=0).tolist()
    return {"first": first, "change": last - first, "weights": {"dSPN": dspn, "iSPN": ispn}}
