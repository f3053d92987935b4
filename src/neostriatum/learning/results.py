"""What a session leaves: a table of trials, snapshots of all weights, a summary."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import digest, write_hashed, write_text
from neostriatum.errors import RunFileError, shown

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.learning.session import Session
    from neostriatum.recording.store import Run

FILE = "trials.csv"
#: Columns of every table of trials, before those of channels and weights.
COLUMNS = ("trial", "start_ms", "observation", "choice", "reaction_ms", "reward", "delta",
           "correct")


def snapshot_name(trials: int) -> str:
    """Return the file of the weights after some trials."""
    return f"weights-{trials:06d}.npz"


def snapshots(session: Session) -> list[int]:
    """Return after how many trials the weights of a session are kept, of those it has had."""
    plan = session.plan
    if not session.plastic:
        return []
    due = {*range(0, plan.trials, plan.weights_every), plan.trials}
    return sorted(trials for trials in due if trials <= session.number)


def write_snapshot(folder: Path, trials: int, weights: dict[str, np.ndarray]) -> None:
    """Keep all weights by pathway, float64 in the order of the network's synapses."""
    arrays: dict[str, Any] = dict(weights)
    write_hashed(folder / snapshot_name(trials), lambda file: np.savez(file, **arrays))


def write_trials(folder: Path, session: Session) -> None:
    """Write the trials so far, a row each."""
    channels, types = session.channels, session.types
    rates = [f"rate_{cell}_{channel}_hz" for cell in types for channel in channels]
    means = [f"weight_{pathway}_{channel}" for pathway in session.plastic for channel in channels]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *rates, *means])
    for row in session.rows:
        known = {**row, "start_ms": round(row["trial"] * session.trial_ms, 9),
                 "observation": json.dumps(row["observation"])}
        writer.writerow([*(_cell(known[key]) for key in COLUMNS), *row["go_hz"], *row["stop_hz"],
                         *row.get("output_hz", ()),
                         *(_cell(row["weights"][pathway][channel]) for pathway in session.plastic
                           for channel in channels)])
    write_text(folder / FILE, text.getvalue())


def hashes(folder: Path, session: Session) -> dict[str, str]:
    """Return the sha256 of the files of a session, by name."""
    names = [FILE, *(snapshot_name(trials) for trials in snapshots(session))]
    return {name: digest(folder / name) for name in names}


def summary_of(session: Session) -> dict[str, Any]:
    """Return the numbers of a session, as `neostriatum learn --json` prints them."""
    rows = session.rows
    known = [row["correct"] for row in rows if row["correct"] is not None]
    return {
        "task": session.plan.environment.name, "trials": len(rows),
        **{key: [row[column] for row in rows] for key, column in (
            ("choices", "choice"), ("rewards", "reward"), ("correct", "correct"),
            ("reaction_ms", "reaction_ms"))},
        "best_share": round(sum(known) / len(known), 6) if known else None,
        "reward_rate": round(sum(row["reward"] for row in rows) / len(rows), 6) if rows else None,
        "weights": {pathway: {channel: [row["weights"][pathway][channel] for row in rows]
                              for channel in session.channels} for pathway in session.plastic},
    }


def answer(run: Run) -> dict[str, Any]:
    """Return what ``neostriatum learn --json`` prints of a run that is finished."""
    summary = run.summary
    return summary["learning"] | {
        key: summary[key] for key in ("spikes", "spike_hash", "real_time_factor", "out")}


def trials_of(run: Run) -> dict[str, np.ndarray]:
    """Return the table of trials of a run by column, float64; empty fields and texts are NaN.

    Raises
    ------
    RunFileError
        A run that learns no task, or a damaged table.
    """
    if not run.record.get("learning"):
        msg = f"{run.label}: learns no task. Make a run that does with: neostriatum learn"
        raise RunFileError(msg)
    path = run.folder / FILE
    noted = (run.record.get("files") or {}).get(FILE)
    try:
        if noted is not None and digest(path) != noted:
            msg = f"{path}: is damaged (it does not have the hash that run.json says)"
            raise RunFileError(msg)
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read ({shown(error)})"
        raise RunFileError(msg) from None
    if list(header[: len(COLUMNS)]) != list(COLUMNS) or any(
            len(row) != len(header) for row in rows):
        msg = f"{path}: is not a table of trials"
        raise RunFileError(msg)
    return {name: np.array([_number(row[place]) for row in rows])
            for place, name in enumerate(header)}


def _cell(value: Any) -> Any:
    """Return a field of the table; of true and false 1 and 0, of nothing an empty one."""
    return "" if value is None else int(value) if isinstance(value, bool) else value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
