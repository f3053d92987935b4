"""Damage every kind of file of a run, by cutting it and by flipping bits, and look at it.

Everything must be noticed: one RunFileError of one line, never a crash, a hang or another result.
A list of a running run that lost its end cannot be told from an earlier moment of the same run,
which is what it then must show.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

import neostriatum as ns
from neostriatum.errors import RunFileError

#: Nothing may take longer to be looked at [s].
LIMIT_S = 10.0


class Stop(Exception):
    """Ends a run in its middle."""


def runs(place):
    """Return a finished run and one that stopped in its middle, of the same circuit."""
    raw = ns.load("striatum_v1").to_dict()
    for name, share in (("dSPN", 0.4), ("iSPN", 0.4), ("FS", 0.2)):
        raw["cells"][name]["fraction"] = share
    raw["inputs"]["electrode"] = {"targets": {"FS": {"current": "1 nA"}}}
    raw["inputs"]["file"] = {"targets": {"FS": {"spikes": {"file": "in.csv"},
                                                "conductance": {"AMPA": "1 nS"}}}}
    rows = "".join(f"{0.1 * n:.1f},{n % 5}\n" for n in range(400))
    (place / "in.csv").write_text(f"time_ms,id\n{rows}")
    circuit = ns.load({**raw, "warmup": "0 ms"}, folder=place)
    settings = {"network": ns.build(circuit, size=60, seed=1), "engine": "reference",
                "figures": False, "duration": "80 ms", "checkpoint_every": "0 s",
                "record": ["dSPN:2:v,u"]}
    finished = ns.run(circuit, out=place / "finished", **settings)

    def stop(phase, share):
        if phase == "simulate" and share > 0.5:
            raise Stop

    with suppress(Stop):
        ns.run(circuit, out=place / "stopped", progress=stop, **settings)
    return finished, place / "stopped", settings["network"]


def seen(folder, network):
    """Return what a run on disk holds, and where it would go on from."""
    from neostriatum.recording.checked import record_of
    from neostriatum.recording.checkpoint import read_state
    from neostriatum.recording.manifest import Manifest
    from neostriatum.runs.loop import identity

    run = ns.Run(folder)
    run.verify()
    states = [run.record["state"]] if run.finished else Manifest(folder).states[-2:]
    for state in states:
        read_state(folder / state["state"], state["sha256"], identity(record_of(run)))
    return (run.spikes.times_ms, run.spikes.ids,
            {name: run.recorded(name)["dSPN"].values for name in ("v", "u")})


def earlier(found, right):
    """Return whether what was found is an earlier moment of what is right."""
    n, rows = len(found[0]), len(found[2]["v"])
    return (np.array_equal(found[0], right[0][:n]) and np.array_equal(found[1], right[1][:n])
            and all(np.array_equal(said[:rows], right[2][name][:rows])
                    for name, said in found[2].items()))


def look(folder, network, right):
    """Return "noticed", "earlier", or what went wrong."""
    started = time.monotonic()
    try:
        found = seen(folder, network)
    except RunFileError as error:
        text = str(error)
        fine = len(text.splitlines()) == 1 and error.exit_code == 5
        slow = time.monotonic() - started > LIMIT_S
        return "noticed" if fine and not slow else f"badly said or slow: {text}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "earlier" if earlier(found, right) else "another result"


def damaged(data, cuts, flips, chance):
    """Yield (how, damaged bytes): cut at the first bytes, or with one bit flipped."""
    for size in range(0, min(len(data), cuts)):
        yield "cut", data[:size]
    for _ in range(flips):
        at = chance.randrange(8 * len(data))
        new = bytearray(data)
        new[at // 8] ^= 1 << at % 8
        yield "flip", bytes(new)


def main():
    """Damage, look, and print a table; exit with 1 if something was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=4096, help="cut at each of the first bytes")
    parser.add_argument("--flips", type=int, default=1000, help="flipped bits of each kind")
    arguments = parser.parse_args()
    chance, bad = random.Random(1), []  # noqa: S311
    print(f"{'file':<24}{'bytes':>8}{'cuts':>7}{'noticed':>9}{'earlier':>9}{'flips':>7}"
          f"{'noticed':>9}{'earlier':>9}")
    with tempfile.TemporaryDirectory() as place:
        finished, stopped, network = runs(Path(place))
        for folder, kinds in ((finished.folder, ("run.json", "spikes.h5", "traces.h5",
                                                 "traces-u.h5", "in.csv", "state-*.npz")),
                              (stopped, ("run.json", "manifest.jsonl", "chunk-*.npz",
                                         "state-*.npz"))):
            right = seen(folder, network)
            for kind in kinds:
                path = sorted(folder.glob(kind))[0]
                data, tally = path.read_bytes(), {}
                for how, new in damaged(data, arguments.cuts, arguments.flips, chance):
                    path.write_bytes(new)
                    said = look(folder, network, right)
                    tally[how, said] = tally.get((how, said), 0) + 1
                    allowed = ("noticed", "earlier") if kind == "manifest.jsonl" else ("noticed",)
                    if said not in allowed or (how == "flip" and said == "earlier"):
                        bad.append((folder.name, path.name, how, said))
                path.write_bytes(data)
                row = [tally.get((how, said), 0) for how in ("cut", "flip")
                       for said in ("noticed", "earlier")]
                counts = [sum(n for (how, _), n in tally.items() if how == one)
                          for one in ("cut", "flip")]
                print(f"{folder.name + '/' + kind:<24}{len(data):>8}{counts[0]:>7}{row[0]:>9}"
                      f"{row[1]:>9}{counts[1]:>7}{row[2]:>9}{row[3]:>9}")
        shutil.rmtree(stopped)
    for one in bad[:10]:
        print("not noticed:", *one)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
