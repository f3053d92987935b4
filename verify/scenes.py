"""Measure what the scenes of the live page say: rates before a change and after it.

    python verify/scenes.py [NAME ...] [--size 10000] [--seconds 10] [--seed 1]

Prints a row per scene, and the lines `before` and `after` of scenes.toml. The change is an event,
as on the page. Exits with 1 where the page shows another rate.
"""

import argparse
import sys
import tempfile
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np

import neostriatum as ns
from neostriatum.live.knobs import knobs

ROOT = Path(__file__).parent.parent
#: What the page shows may be another by this share, and by this much [Hz].
RELATIVE, ABSOLUTE = 0.1, 0.05
#: What is left out after a change, as it settles [s].
SETTLES_S = 1.0


def measured(scene: dict, size: int, seconds: float, seed: int) -> tuple[dict, dict]:
    """Return the rates [Hz] of every type before the change of a scene and after it."""
    circuit = ns.load(ROOT / scene["file"] if "file" in scene else scene["circuit"])
    known = knobs(circuit)
    changes = {key: one for name, value in scene["values"].items()
               for key, one in known[name].changes(value).items()}
    with tempfile.TemporaryDirectory() as folder:
        run = ns.run(circuit, size=size, seed=seed, figures=False, record="none",
                     duration=f"{2 * seconds + SETTLES_S} s", out=Path(folder) / "run",
                     events=[{"at": f"{seconds} s", "set": changes}])
        spikes, spans = run.spikes, run.populations
    rates = []
    for start in (0.0, seconds + SETTLES_S):
        kept = (spikes.times_ms > 1000 * start) & (spikes.times_ms <= 1000 * (start + seconds))
        counts = np.bincount(spikes.ids[kept], minlength=run.summary["neurons"])
        rates.append({name: round(float(counts[span.start : span.stop].mean()) / seconds, 2)
                      for name, span in spans.items()})
    return rates[0], rates[1]


def main() -> None:
    """Print all, or the scenes that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    text = (files("neostriatum.live") / "scenes.toml").read_text("utf-8")
    others = 0
    for scene in tomllib.loads(text)["scene"]:
        if given.names and scene["name"] not in given.names:
            continue
        before, after = measured(scene, given.size, given.seconds, given.seed)
        print(f"{scene['circuit']} {scene['name']}: {scene['question']}")
        for name in before:
            ratio = after[name] / before[name] if before[name] else float("nan")
            print(f"  {name:<5} {before[name]:7.2f} -> {after[name]:7.2f} Hz   x {ratio:.2f}")
        for word, rates in (("before", before), ("after", after)):
            others += sum(abs(rate - scene[word][name]) > ABSOLUTE + RELATIVE * rate
                          for name, rate in rates.items())
            inside = ", ".join(f"{name} = {rate:g}" for name, rate in rates.items())
            print(f"{word} = {{ {inside} }}", flush=True)
    sys.exit(bool(others))


if __name__ == "__main__":
    main()
