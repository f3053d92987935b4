"""Kill runs with signal 9, at every write, sync and rename and at random moments, and resume them.

Each time the folder must open, hold the spikes of the last finished checkpoint at least, and go on
to the hash of the run that nobody killed. Needs a system with fork.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import neostriatum as ns
from neostriatum.durable import left_over
from neostriatum.network.hdf5 import Disk
from neostriatum.recording.writer import Writer
from neostriatum.runs import loop

#: Everything that changes the disk; a write can also stop in its middle.
CALLS = ("write", "fsync", "replace", "unlink", "ftruncate")


def options(arguments):
    """Return the options of a run with a few checkpoints, every cell firing."""
    raw = ns.load("striatum_v1").to_dict()
    for name, share in (("dSPN", 0.4), ("iSPN", 0.4), ("FS", 0.2)):
        raw["cells"][name]["fraction"] = share
    raw["inputs"]["electrode"] = {"targets": {"FS": {"current": "1 nA"},
                                              "dSPN": {"current": "700 pA"}}}
    circuit = ns.load({**raw, "warmup": "2 ms"})
    return {"circuit": circuit, "network": ns.build(circuit, size=60, seed=1),
            "duration": f"{arguments.duration} ms", "engine": "reference", "figures": False,
            "checkpoint_every": "0 s", "record": ["dSPN:2:v,u:5", "FS:1"]}


class Fault:
    """Kills the process at one of its calls; 0 only counts them."""

    def __init__(self, at=0, torn=False):
        self.at, self.torn, self.seen = at, torn, []
        self._real = {name: getattr(os, name) for name in CALLS}

    def __enter__(self):
        for name in CALLS:
            setattr(os, name, lambda *args, name=name, **more: self(
                name, self._real[name], *args, **more))
        real = Disk.write
        Disk.write = lambda disk, data: self("write", lambda _, part: real(disk, part), disk, data)
        return self

    def __exit__(self, *_):
        for name, real in self._real.items():
            setattr(os, name, real)

    def __call__(self, name, real, *args, **more):
        self.seen.append(name)
        if len(self.seen) == self.at:
            if name == "write" and self.torn:
                data = memoryview(args[1]).cast("B")
                real(args[0], data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)


def forked(work, wait=None):
    """Run ``work(say)`` in a process of its own; return (what it said, its exit status)."""
    reader, writer = os.pipe()
    write = os.write
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            work(lambda what: write(writer, json.dumps(what).encode() + b"\n"))
            code = 0
        except BaseException as error:
            write(writer, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        finally:
            os._exit(code)
    os.close(writer)
    if wait is not None:
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader) as said:
        lines = [json.loads(line) for line in said]
    return lines, os.waitpid(child, 0)[1]


def simulate(settings, folder, say=None, fault=None):
    """Run once; say the step of every checkpoint that is complete."""
    real = Writer.checkpoint

    def checkpoint(writer, step, *rest):
        real(writer, step, *rest)
        if say:
            say(max(0, step))

    Writer.checkpoint = checkpoint
    try:
        with fault or contextlib.nullcontext():
            return ns.run(out=folder, **settings)
    finally:
        Writer.checkpoint = real


def opened(folder, whole, saved):
    """Return whether a killed run opens and holds what was saved; None where there is no run."""
    if not folder.exists():
        return None
    if not (folder / "run.json").exists():
        return None if all(map(left_over, folder.iterdir())) else False
    run = ns.Run(folder)
    times, ids = run.spikes.times_ms, run.spikes.ids
    enough = run.finished or round(run.duration_ms / 0.1) >= saved
    return bool(enough and np.array_equal(times, whole.spikes.times_ms[: len(times)])
                and np.array_equal(ids, whole.spikes.ids[: len(ids)])
                and run.recorded("u").keys() <= {"dSPN"})


def outcome(settings, folder, whole, said):
    """Open and resume a killed run; return what happened."""
    saved = max((one for one in said if isinstance(one, int)), default=0)

    def go_on(say):
        fine = opened(folder, whole, saved)
        if fine is None:
            made = simulate(settings, folder)  # the same command again
        else:
            made = ns.resume(folder, network=settings["network"])
        say([fine is not False, made.summary["spike_hash"] == whole.summary["spike_hash"],
             all(np.array_equal(said.values, whole.recorded(name)[cell].values)
                 for name in ("v", "u") for cell, said in made.recorded(name).items())])

    lines, _ = forked(go_on)
    return lines[-1] if lines else {"error": "crashed"}


def main():
    """Kill, open, resume, and print a table; exit with 1 if a row is not whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--random", type=int, default=200, help="kills at random moments")
    parser.add_argument("--every", type=int, default=1, help="only every so many calls")
    parser.add_argument("--duration", type=float, default=60.0, help="of a run [ms]")
    arguments = parser.parse_args()
    settings, chance = options(arguments), random.Random(1)  # noqa: S311
    loop.PATIENCE_S = 1e9  # windows of the same length each time, so that the calls are the same
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        whole = simulate(settings, place / "whole")
        count_of_spikes = len(whole.spikes)  # read now, for all processes
        if count_of_spikes < 20 or not (whole.recorded("v") and whole.recorded("u")):
            return 1

        def count(say):
            fault = Fault()
            started = time.perf_counter()
            simulate(settings, place / "counted", fault=fault)
            say([fault.seen, time.perf_counter() - started])

        [(calls, seconds)], _ = forked(count)
        moments = [(name, at, torn) for at, name in enumerate(calls, 1)
                   for torn in ([False, True] if name == "write" else [False])][:: arguments.every]
        moments += [("random", 0, False)] * arguments.random
        rows, bad = {}, []
        for number, (name, at, torn) in enumerate(moments):
            folder = place / f"killed{number}"
            fault = Fault(at, torn) if at else None
            wait = None if at else chance.uniform(0, 1.2 * seconds)
            said, status = forked(
                lambda say, folder=folder, fault=fault: simulate(settings, folder, say, fault),
                wait)
            result = outcome(settings, folder, whole, said)
            killed = status == signal.SIGKILL or (name == "random" and status == 0)
            row = rows.setdefault(f"{name}, half done" if torn else name, [0, 0, 0, 0])
            good = [True, *result] if isinstance(result, list) else [False] * 4
            for column, fine in enumerate((killed, good[1], good[2], good[3])):
                row[column] += fine
            row.append(1)
            if not (killed and all(good)):
                bad.append((name, at, torn, status, result))
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(calls)} calls in a run of {arguments.duration:g} ms with "
          f"{len([one for one in calls if one == 'replace'])} files written; spikes "
          f"{count_of_spikes}")
    print(f"{'killed at':<20}{'moments':>8}{'killed':>8}{'opens':>8}{'same spikes':>13}"
          f"{'same traces':>13}")
    for name, row in rows.items():
        print(f"{name:<20}{len(row) - 4:>8}{row[0]:>8}{row[1]:>8}{row[2]:>13}{row[3]:>13}")
    for one in bad[:10]:
        print("not whole:", *one)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
