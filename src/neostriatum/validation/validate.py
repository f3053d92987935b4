"""Measure every published target on a circuit: the one call behind ``neostriatum validate``."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neostriatum.circuit.load import load
from neostriatum.engines.base import DEFAULT, names
from neostriatum.errors import CircuitError, NeostriatumError, shown, undrawn
from neostriatum.machine import cores
from neostriatum.progress import watched
from neostriatum.units import whole_number
from neostriatum.validation.judge import judge
from neostriatum.validation.lab import Lab
from neostriatum.validation.protocols import measure
from neostriatum.validation.targets import GROUPS, Disagreement, Target, published
from neostriatum.validation.workers import Done, run_jobs

#: Longest time of one protocol [s].
LIMIT_S = 1500.0
#: Protocols on whole networks, which begin first.
_LONG = ("table5", "in_vivo", "dopamine_loss", "fs_density", "shells", "without_fs", "up_down",
         "loop", "loop_change", "action", "bandit", "stimulated", "pattern")


@watched
def validate(
    circuit: Any = None,
    *,
    quick: bool = False,
    overlay: Any = (),
    changes: dict[str, Any] | None = None,
    engine: str = DEFAULT,
    only: tuple[str, ...] = (),
    workers: int | None = None,
    report: str | Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Measure the published targets on a circuit and say which are met.

    Without ``circuit``, ``overlay`` and ``changes`` each target is measured on the circuit that
    it is about: the default one, or for the result of a model paper that paper's preset. With any
    of them, that one circuit is measured on every target.

    Parameters
    ----------
    circuit : str, Path, dict or Circuit, optional
        The circuit to judge.
    quick : bool
        The targets that take seconds, and shorter measurements.
    overlay : str or list of str
        Overlays on the circuit.
    changes : dict, optional
        Values replaced in it.
    engine : str
        Engine to use.
    only : tuple of str
        Ids of targets, or groups ("3"); by default all.
    workers : int, optional
        Processes; by default one per core. 0 works in this process.
    report : str or Path, optional
        Write a page here (.html, or .md for the documentation).
    progress : callable, optional
        Called with a phase and its share done.

    Returns
    -------
    dict
        ``targets`` (a list), ``passed``, ``failed``, ``unsuited``, and ``disagreements``.

    Raises
    ------
    CircuitError
        A circuit that cannot be read, an unknown engine or target, an unwritable report name.

    Examples
    --------
    >>> made = validate(only=("spn-rheobase",), workers=0)
    >>> made["passed"], made["failed"]
    (1, 0)
    """
    workers = None if workers is None else whole_number("workers", workers, 0, 1024)
    lab = _lab(circuit, overlay, dict(changes or {}), engine)
    own = circuit is None and not lab.overlay and not lab.changes
    chosen = _chosen(only, quick)
    disputed = () if quick or (only and "disagreements" not in only) else published().disagreements
    page = _page(report)
    jobs = _jobs(chosen, disputed, lab, own, quick)
    started, done = time.monotonic(), {}
    tell = progress or (lambda phase, share: None)
    count = cores() if workers is None else workers
    if count:
        _warm_up(lab)
    for finished in run_jobs(measure, jobs.items(), min(count, len(jobs)), LIMIT_S):
        done[finished.key] = finished
        tell("validate", len(done) / len(jobs))
    rows = [_row(target, done[_key(target, lab, own, quick)], own, quick) for target in chosen]
    made = {
        "circuit": None if own else load(lab.circuit).name, "engine": engine, "quick": quick,
        "targets": rows, "passed": sum(row["pass"] is True for row in rows),
        "failed": sum(row["pass"] is False for row in rows),
        "unsuited": sum(row["pass"] is None for row in rows), "groups": _groups(rows),
        "disagreements": [_dispute(one, done) for one in disputed],
        "seconds": round(time.monotonic() - started, 1),
    }
    if page is not None:
        from neostriatum.validation.page import write

        try:
            write(made, page)
            made["report"] = str(page)
        except NeostriatumError:
            raise
        except Exception as error:
            what, later = "the validation is finished, but its page", "Validate again to make it"
            warnings.warn(undrawn(str(page), what, error, later), stacklevel=2)
    return made


def _lab(circuit: Any, overlay: Any, changes: dict[str, Any], engine: str) -> Lab:
    if engine not in names():
        msg = f"engine: must be one of {', '.join(names())} (got {shown(engine)})"
        raise CircuitError(msg)
    overlays = (overlay,) if isinstance(overlay, (str, Path)) else tuple(overlay)
    lab = Lab("striatum" if circuit is None else circuit, tuple(map(str, overlays)), changes,
              engine)
    lab.load()  # what cannot be read is refused before anything starts
    return lab


def _chosen(only: tuple[str, ...], quick: bool) -> list[Target]:
    all_targets = published().targets
    known = {one.id for one in all_targets} | {str(group) for group in GROUPS} | {"disagreements"}
    if unknown := [name for name in only if name not in known]:
        msg = (f"--only: must be the id of a target, a group from 1 to {max(GROUPS)}, or "
               f"disagreements (got {shown(unknown[0])})")
        raise CircuitError(msg)
    kept = [one for one in all_targets
            if not only or one.id in only or str(one.group) in only]
    return [one for one in kept if one.quick or not quick]


def group_of(name: str) -> str:
    """Return the number of a group of targets, as text, by its name.

    Raises
    ------
    CircuitError
        No such group.
    """
    for number, known in GROUPS.items():
        if name.casefold() in (known.casefold(), str(number)):
            return str(number)
    msg = f"--group: must be one of {', '.join(GROUPS.values())} (got {shown(name)})"
    raise CircuitError(msg)


def _groups(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return how many targets passed and failed, and the seconds, by the name of the group."""
    found = {}
    for number, name in GROUPS.items():
        mine = [row for row in rows if row["group"] == number]
        if mine:
            found[name] = {"passed": sum(row["pass"] is True for row in mine),
                           "failed": sum(row["pass"] is False for row in mine),
                           "seconds": round(sum(row["seconds"] for row in mine), 1)}
    return found


def _page(report: str | Path | None) -> Path | None:
    if report is None:
        return None
    path = Path(report)
    if path.suffix not in (".html", ".md"):
        msg = f"--report: must end in .html or .md (got {shown(report)})"
        raise CircuitError(msg)
    if not path.parent.is_dir():
        msg = f"--report: no such folder (got {shown(path.parent)})"
        raise CircuitError(msg)
    return path


def _bench(target: Target, lab: Lab, own: bool) -> Lab:
    return Lab(target.circuit, (), {}, lab.engine, lab.threads) if own else lab


def _key(target: Target, lab: Lab, own: bool, quick: bool) -> str:
    circuit = target.circuit if own else "judged"
    return json.dumps([circuit, target.protocol, target.called_with(quick)], sort_keys=True)


def _jobs(chosen: list[Target], disputed: tuple[Disagreement, ...], lab: Lab, own: bool,
          quick: bool) -> dict[str, tuple[Any, ...]]:
    jobs: dict[str, tuple[Any, ...]] = {}
    for target in chosen:
        jobs[_key(target, lab, own, quick)] = (
            _bench(target, lab, own), target.protocol, target.called_with(quick))
    for one in disputed:
        for reading in one.readings:
            bench = Lab(one.circuit, (), reading.changes, lab.engine, lab.threads)
            jobs[f"{one.id}/{reading.name}"] = (bench, one.protocol,
                                                one.arguments | reading.arguments)
    return dict(sorted(jobs.items(), key=lambda job: job[1][1] not in _LONG))


def _warm_up(lab: Lab) -> None:
    """Compile once here, so that the workers find it on disk and do not compile side by side."""
    if lab.engine == "numba":
        warm = Lab("striatum", (), {"warmup": "0 ms"})
        circuit = warm.load()
        warm.record(circuit, warm.build(circuit, 200), 1.0, probed={"dSPN": [0]})


def _row(target: Target, done: Done, own: bool, quick: bool) -> dict[str, Any]:
    found = done.result or {}
    unsuited = found.get("unsuited")
    verdict = judge(target, found.get(target.reads))
    passed = None if unsuited else verdict.passed
    known = own and target.explanation is not None
    ends = target.interval()
    return {
        "id": target.id, "group": target.group, "source": target.source,
        "quantity": target.quantity, "unit": target.unit,
        "target": (list(target.order) if target.order else list(target.curve.y) if target.curve
                   else target.value),
        "tolerance": _tolerance(target, ends), "measured": verdict.measured, "pass": passed,
        "known_failure": bool(known and passed is False),
        "unexpected": bool(own and passed is not None and passed is known),
        "deviation": verdict.deviation, "explanation": target.explanation,
        "why": target.tolerance.why, "conditions": target.conditions, "read": target.read,
        "spread": target.spread, "se": target.se, "calibrated": target.calibrated,
        "circuit": target.circuit if own else None, "protocol": target.protocol,
        "arguments": target.called_with(quick),
        "x": list(target.curve.x) if target.curve else None,
        "x_label": target.curve.x_label if target.curve else None,
        "unsuited": unsuited, "error": done.error, "seconds": round(done.seconds, 2),
    }


def _tolerance(target: Target, ends: tuple[float, float] | None) -> dict[str, Any]:
    kind = target.tolerance.kind
    if ends is None:
        return {"kind": kind, "rms": target.tolerance.rms, "low": None, "high": None}
    low, high = (end if abs(end) != float("inf") else None for end in ends)
    return {"kind": kind, "low": low, "high": high}


def _dispute(one: Disagreement, done: dict[str, Done]) -> dict[str, Any]:
    rows = []
    for reading in one.readings:
        finished = done[f"{one.id}/{reading.name}"]
        found = finished.result or {}
        rows.append({"name": reading.name, "error": finished.error,
                     "measured": {label: found.get(name) for label, name in one.reads.items()}})
    return {"id": one.id, "question": one.question, "readings": rows, "verdict": one.verdict}
