"""Run a sweep from its plan to its table: the one call behind ``neostriatum sweep``."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.card import Card, Carded, Fold
from neostriatum.circuit.aliases import in_order, reported
from neostriatum.durable import replacing
from neostriatum.engines.base import engine
from neostriatum.errors import CircuitError, shown, undrawn
from neostriatum.machine import cores, free_memory
from neostriatum.models.registry import registered
from neostriatum.network.estimate import SHARE
from neostriatum.progress import watched
from neostriatum.recording.store import Run
from neostriatum.sweeps.cluster import Cluster
from neostriatum.sweeps.plan import read
from neostriatum.sweeps.points import axis_column, expand
from neostriatum.sweeps.pool import Pool
from neostriatum.sweeps.store import SweepFolder, refuse_another
from neostriatum.sweeps.table import Table
from neostriatum.units import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neostriatum.circuit.model import Circuit
    from neostriatum.sweeps.plan import Plan
    from neostriatum.sweeps.points import Point


@dataclass(frozen=True, repr=False)
class Sweep(Carded):
    """A sweep on disk: counts of its points, and where its table and figure are."""

    points: int
    finished: int
    failed: int
    table: Path
    parquet: Path | None
    figure: Path | None
    out: Path
    #: Of the first failed point; 0 if there is none.
    exit_code: int
    rows: list[dict[str, Any]]

    def to_pandas(self) -> Any:
        """Return the table, one row per point."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    def card(self) -> Card:
        """Return what it says of itself."""
        columns = tuple(dict.fromkeys(key for row in self.rows for key in row))
        return Card(f"Sweep {self.out}: {self.points} points", [
            ("finished", f"{self.finished}"), ("failed", f"{self.failed}"),
            ("table", f"{self.table}"), ("figure", f"{self.figure or ''}")],
            (Fold("points", columns, [tuple(str(row.get(key, "")) for key in columns)
                                       for row in self.rows]),))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``neostriatum sweep --json`` prints."""
        counts = {key: getattr(self, key) for key in ("points", "finished", "failed")}
        paths = {key: getattr(self, key) for key in ("table", "parquet", "figure", "out")}
        return counts | {key: None if path is None else str(path) for key, path in paths.items()}


@watched
def sweep(
    file: str | Path | None = None,
    *,
    out: str | Path | None = None,
    jobs: int | None = None,
    threads: int | None = None,
    dask: str | None = None,
    progress: Callable[[str, float], None] | None = None,
    **plan: Any,
) -> Sweep:
    """Run a circuit over a grid of parameters and seeds, in parallel; go on where one stopped.

    Parameters
    ----------
    file : str or Path, optional
        A sweep file; see docs/sweeps.md.
    out : str or Path, optional
        Folder of results, by default the next under ``sweeps``. One that holds the same sweep,
        killed or finished, is continued: its finished points are kept, failed ones run again.
    jobs : int, optional
        Processes at a time, by default one per core; fewer where memory is short.
    threads : int, optional
        Threads of each, by default the cores shared out.
    dask : str, optional
        Address of a Dask scheduler whose workers run the points instead of processes here.
    progress : callable, optional
        Called with a phase and its share done, 0 to 1.
    **plan
        Instead of a file, the keys of one: circuit, vary, seeds, size, duration, overlay, changes,
        dt, dopamine, d1, d2, engine, precision, figures, name, summary.

    Returns
    -------
    Sweep
        Counts, rows, and the paths of table and figure.

    Raises
    ------
    CircuitError, BuildError
        Bad input; every point is checked before any runs, and nothing is written.
    EngineMissing
        The engine is not installed.
    RunFileError
        The folder is in the way, cannot be written, or holds a sweep that differs.

    Examples
    --------
    >>> import neostriatum as ns
    >>> made = ns.sweep(circuit="striatum", size=500, duration="1 s", seeds=2,
    ...                 vary={"dopamine": [0.0, 0.3, 0.8]})  # doctest: +SKIP
    >>> made.to_pandas().groupby("dopamine").rate_dSPN_hz.mean()  # doctest: +SKIP
    """
    if dask is not None and jobs is not None:
        msg = f"jobs: is of processes on this machine, not of --dask (got {shown(jobs)})"
        raise CircuitError(msg)
    if dask is not None:
        Cluster.check()
    asked, circuit, folder = read(file, plan)
    tell = progress or (lambda phase, share: None)
    engine(asked.engine, threads=1, precision=asked.precision)
    jobs, threads = (None if count is None else whole_number(where, count, 1, 1024)
                     for where, count in (("jobs", jobs), ("threads", threads)))
    refuse_another(out, asked, circuit)
    points = expand(asked, circuit, folder, tell)
    place = SweepFolder(out, asked, circuit)
    with place.locked() as lock:
        varied = list(dict.fromkeys(name for point in points for name in point.columns))
        types = in_order({name: None for point in points for name in reported(point.types)})
        levels = dict.fromkeys(name for point in points for name in point.levels)
        table = Table(place.path, varied, types, asked.learn is not None, levels)
        waiting = _waiting(points, place, table)
        table.write()
        processors = cores()
        jobs = max(1, min(jobs or processors, len(waiting)))
        each = threads or (max(1, processors // jobs) if dask is None else 1)
        start = _start(asked, circuit, each)
        with _log(place.path) as log:
            pool = (Pool(start, place.points, jobs, each, _budget(), log, lock) if dask is None
                    else Cluster(start, place.points, dask))
            _run(pool, points, waiting, place, table, tell)
        table.write()
        parquet = table.write_parquet()
        figure = _draw(asked, circuit.name, points, table, place.path)
    rows = table.ordered()
    codes = [row["exit_code"] for row in rows if row["status"] == "failed"]
    return Sweep(len(points), len(rows) - len(codes), len(codes), table.path, parquet, figure,
                 place.path, codes[0] if codes else 0, rows)


def _waiting(points: list[Point], place: SweepFolder, table: Table) -> list[Point]:
    """Return the points that must run; put the rows of the others into the table."""
    waiting = []
    for point in points:
        row = place.finished(point)
        if row is None:
            waiting.append(point)
        else:
            table.rows[point.number] = row
    return waiting


def _start(asked: Plan, circuit: Circuit, threads: int) -> dict[str, Any]:
    """Return what a process of a sweep begins with, as plain data."""
    return {"circuit": circuit.to_dict(), "models": registered(),
            "folder": None if circuit._folder is None else str(circuit._folder),
            "preset": circuit._preset,
            "options": {"engine": asked.engine, "precision": asked.precision,
                        "figures": asked.figures, "threads": threads}}


def _run(pool: Pool | Cluster, points: list[Point], waiting: list[Point], place: SweepFolder,
         table: Table, tell: Callable[[str, float], None]) -> None:
    shares: dict[int, float] = {}
    try:
        for point, said in pool.outcomes(waiting):
            if "share" in said:
                shares[point.number] = said["share"]
            else:
                shares.pop(point.number, None)
                row = {"point": point.number, **point.columns, "seed": point.seed,
                       "folder": f"points/{point.name}"}
                row |= said.get("row") or {"status": "failed", "error": said["error"],
                                           "exit_code": said["exit_code"]}
                place.keep(point, row)
                table.add(row)
            tell(f"{len(table.rows)} of {len(points)} points",
                 (len(table.rows) + sum(shares.values())) / len(points))
    except KeyboardInterrupt:
        msg = (f"{len(table.rows)} of {len(points)} points are done in {place.path}; "
               f"the same with --out {place.path} goes on")
        raise KeyboardInterrupt(msg) from None
    finally:
        table.write()


@contextmanager
def _log(folder: Path) -> Iterator[int]:
    """Give the descriptor of a file for what processes print; nothing printed, no file."""
    path = folder / "errors.log"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        yield handle
    finally:
        os.close(handle)
        if not path.stat().st_size:
            path.unlink()


def _draw(plan: Plan, circuit: str, points: list[Point], table: Table,
          folder: Path) -> Path | None:
    """Draw the rates against the one or two things that vary; None for any other number."""
    from neostriatum.plotting import heat_map, learning_curve, response

    path = folder / "figure.png"
    if plan.learn is not None:
        return _saved(path, lambda: learning_curve(_groups(points, table, folder)))
    if not 1 <= len(plan.vary) <= 2:
        return None
    axes = [axis_column(name, axis, points[0]) for name, axis in plan.vary.items()]
    rows = table.ordered()
    columns = {name: [row.get(name) for row in rows] for name in table.columns}
    sizes = {one for one in columns["neurons"] if one is not None}
    said = [circuit, *([f"{sizes.pop():,} neurons"] if len(sizes) == 1 else []),
            *([] if "duration_ms" in columns else [plan.duration]),
            "1 seed" if len(plan.seeds) == 1 else f"{len(plan.seeds)} seeds"]
    title = ", ".join(said)
    if len(axes) == 2:
        return _saved(path, lambda: heat_map(columns, axes[0], axes[1], title=title))
    return _saved(path, lambda: response(columns, axes[0], title=title))


def _saved(path: Path, draw: Callable[[], tuple[Any, Any]]) -> Path | None:
    """Draw a figure of a sweep into a file; what cannot be drawn is a warning."""
    from neostriatum.plotting import paper

    try:
        figure, _ = draw()
        with paper(), replacing(path) as temporary:
            figure.savefig(temporary, format="png")
    except Exception as error:
        what, later = "the sweep is finished, but its figure", "Start it again to draw it"
        warnings.warn(undrawn(str(path.parent), what, error, later), stacklevel=2)
        return None
    return path


def _groups(points: list[Point], table: Table, folder: Path) -> dict[str, list[Run]]:
    """Return the sessions of a sweep by what differs between them but the seed."""
    groups: dict[str, list[Run]] = {}
    for point in points:
        row = table.rows[point.number]
        if row["status"] == "finished":
            name = ", ".join(f"{key.removeprefix('learn.')} {value}"
                             for key, value in point.columns.items())
            groups.setdefault(name, []).append(Run(folder / row["folder"]))
    return groups


def _budget() -> int | None:
    free = free_memory()
    return None if free is None else int(SHARE * free)
