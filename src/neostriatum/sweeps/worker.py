"""The process that runs points, one after another: ``python -m neostriatum.sweeps.worker``.

In: a line of JSON per message on standard input, first the circuit, then points. Out: lines of
JSON on standard output: the share of a point that is done, then its row or its error.

It is a program of its own, not a copy of its parent, so that a sweep can start from a script
without a guard and from a notebook. It leads its own process group: Ctrl-C in a terminal reaches
the parent alone, and what an engine starts ends together with it.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network
    from neostriatum.recording.store import Run

#: Seconds between two words about how far a point is.
BEAT_S = 0.3
#: Trials at the end of a session whose choices have a column of their own.
LAST = 40


def main() -> None:
    """Serve until told to stop; end at once, with all children, when the parent is gone."""
    said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(said,), daemon=True).start()
    # What libraries print must not get between the messages.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def reply(**message: Any) -> None:
        replies.write(json.dumps(message, allow_nan=False) + "\n")
        replies.flush()

    runner = runner_of(said.get())
    reply(ready=True)
    while "stop" not in (point := said.get()):
        reply(**runner.answer(point, reply))


def runner_of(start: dict[str, Any]) -> Runner:
    """Return what runs points, from the first message of a sweep."""
    from neostriatum.circuit.load import load
    from neostriatum.models.registry import register_plain

    register_plain(start["models"])
    circuit = load(start["circuit"], folder=start["folder"] and Path(start["folder"]))
    circuit._preset = start["preset"]
    return Runner(circuit, start["options"])


def _listen(said: queue.SimpleQueue[dict[str, Any]]) -> None:
    rest = b""
    # Not by sys.stdin, whose lock a thread that waits would hold for ever.
    while data := os.read(0, 65536):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            said.put(json.loads(line))
    os.killpg(os.getpgrp(), signal.SIGKILL)


class Runner:
    """Runs points, and keeps the last network for the next one that has the same.

    Parameters
    ----------
    circuit : Circuit
        What every point starts from.
    options : dict
        Options of `neostriatum.run` that all points share.
    """

    def __init__(self, circuit: Circuit, options: dict[str, Any]) -> None:
        self._circuit = circuit
        self._shared = options
        self._network: Network | None = None

    def answer(self, point: dict[str, Any], reply: Callable[..., None]) -> dict[str, Any]:
        """Run a point; return its row, or the one line and the exit code of its error."""
        from neostriatum.errors import NeostriatumError

        number, last = point["number"], [time.monotonic()]

        def tell(phase: str, share: float) -> None:
            if phase == "simulate" and time.monotonic() - last[0] > BEAT_S:
                last[0] = time.monotonic()
                reply(number=number, share=share)

        try:
            return {"number": number, "row": row(self._run(point, tell))}
        except NeostriatumError as error:
            return {"number": number, "error": str(error), "exit_code": error.exit_code}
        except MemoryError:
            return {"number": number, "error": "size: must fit into the memory", "exit_code": 2}
        except Exception as error:
            traceback.print_exc()
            said = " ".join(f"our bug, {type(error).__name__}: {error}".split())
            return {"number": number, "error": said[:300], "exit_code": 1}

    def _run(self, point: dict[str, Any], tell: Callable[[str, float], None]) -> Run:
        from neostriatum.errors import EngineUnsupported, RunFileError
        from neostriatum.runs.go_on import resume
        from neostriatum.runs.start import run

        options = self._shared | point["options"] | {"seed": point["seed"]}
        folder = Path(point["out"])
        if "learn" in options:
            return self._learnt(folder, options, tell)
        self._network = self._drawn(options)
        if (folder / "run.json").is_file():
            try:
                return resume(folder, network=self._network, threads=options["threads"],
                              progress=tell)
            except (RunFileError, EngineUnsupported):
                pass  # damaged, of another version, or of an engine that cannot: begin afresh
        clear(folder)
        return run(self._circuit, network=self._network, out=folder, progress=tell,
                   **options | {"size": None})

    def _learnt(self, folder: Path, options: dict[str, Any],
                tell: Callable[[str, float], None]) -> Run:
        """Return the session of a point, which draws its own network."""
        from neostriatum.errors import EngineUnsupported, RunFileError
        from neostriatum.runs.go_on import resume
        from neostriatum.runs.learn import learn

        lesson = dict(options.pop("learn"))
        task = lesson.pop("task")
        if (folder / "run.json").is_file():
            try:
                own = task if ":" in task else None
                return resume(folder, threads=options["threads"], progress=tell, environment=own)
            except (RunFileError, EngineUnsupported):
                pass  # damaged, of another version, or of an engine that cannot: begin afresh
        clear(folder)
        return learn(task, circuit=self._circuit, out=folder, progress=tell, **lesson,
                     **options | {"duration": None})

    def _drawn(self, options: dict[str, Any]) -> Network:
        """Return the network of a point: the one at hand if it is the same."""
        from neostriatum.circuit.resolve import resolve
        from neostriatum.network.build import build
        from neostriatum.network.check import differs
        from neostriatum.network.volume import space
        from neostriatum.runs.settings import Settings

        resolved = resolve(self._circuit, Settings(**options))
        held, size = self._network, space(resolved, options["size"]).size
        if (held is not None and held.circuit is not None and held.size == size
                and held.seed == options["seed"] and differs(held.circuit, resolved) is None):
            return held
        self._network = held = None
        return build(resolved, size=options["size"], seed=options["seed"],
                     threads=options["threads"])


def clear(folder: Path) -> None:
    """Remove what a point left that nothing can go on from."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)


def row(run: Run) -> dict[str, Any]:
    """Return the results of a run as columns of the table."""
    import numpy as np

    from neostriatum.analysis.irregularity import isi_cv
    from neostriatum.circuit.aliases import reported

    said = run.summary
    ids, cvs = isi_cv(run.spikes.times_ms, run.spikes.ids)
    found: dict[str, Any] = {"status": "finished", "exit_code": 0}
    for name in reported(run.populations):
        span = run.populations.get(name, range(0))
        mine = cvs[(ids >= span.start) & (ids < span.stop)]
        found[f"rate_{name}_hz"] = said["rates_hz"].get(name)
        found[f"cv_{name}"] = round(float(np.median(mine)), 6) if len(mine) else None
    found |= {f"level_{name}": said["modulators"][name] for name in run.circuit.computed_levels}
    if "learning" in said:
        known = [one for one in said["learning"]["correct"] if one is not None]
        found |= {key: said["learning"][key] for key in ("trials", "best_share", "reward_rate")}
        found["best_share_last"] = sum(known[-LAST:]) / len(known[-LAST:]) if known else None
    return found | {key: said[key] for key in ("spikes", "neurons", "synapses", "simulate_s",
                                               "spike_hash", "network_hash")}


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
