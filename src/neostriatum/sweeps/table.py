"""The table of a sweep: one row per point, as CSV always and as Parquet where pyarrow is there."""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.aliases import ALWAYS, reported
from neostriatum.durable import replacing, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Columns of results but rates and CVs.
_BEFORE = ("seed", "status")
_AFTER = ("spikes", "neurons", "synapses", "simulate_s", "spike_hash", "network_hash", "folder",
          "exit_code", "error")
#: Columns of sweeps whose runs learn a task.
LEARNT = ("trials", "best_share", "best_share_last", "reward_rate")
_TEXTS = ("status", "spike_hash", "network_hash", "folder", "error")
#: A table is written again at most every this many times the time that writing it took.
PATIENCE = 20


def results(types: Iterable[str], levels: Iterable[str] = ()) -> list[str]:
    """Return the columns after the varied ones, with the rate and the CV of every cell type.

    A CV is the median over neurons with at least 10 intervals. ``levels`` are the modulators whose
    computed level at the end has a column.

    Examples
    --------
    >>> results(["dSPN", "GP"], ["ACh"])[2:7]
    ['rate_dSPN_hz', 'rate_GP_hz', 'cv_dSPN', 'cv_GP', 'level_ACh']
    """
    names = reported(types)
    return [*_BEFORE, *(f"rate_{name}_hz" for name in names), *(f"cv_{name}" for name in names),
            *(f"level_{name}" for name in levels), *_AFTER]


class Table:
    """The rows so far, kept on disk while the sweep goes on.

    Parameters
    ----------
    folder : Path
        Of the sweep.
    varied : list of str
        Columns of what is varied.
    types, levels : iterable of str
        Cell types, and modulators with a computed level, of all points.
    learnt : bool
        Whether every run learns a task.
    """

    def __init__(self, folder: Path, varied: list[str], types: Iterable[str] = ALWAYS,
                 learnt: bool = False, levels: Iterable[str] = ()) -> None:
        self.path = folder / "table.csv"
        self.columns = ["point", *varied, *results(types, levels), *(LEARNT if learnt else ())]
        self.rows: dict[int, dict[str, Any]] = {}
        self._written, self._took = 0.0, 0.0

    def add(self, row: dict[str, Any]) -> None:
        """Take a row, and write the table unless it was written just now."""
        self.rows[row["point"]] = row
        if time.monotonic() - self._written >= PATIENCE * self._took:
            self.write()

    def write(self) -> None:
        """Write the rows so far, in the order of the points."""
        started = time.monotonic()
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.ordered())
        write_text(self.path, text.getvalue())
        self._written = time.monotonic()
        self._took = self._written - started

    def ordered(self) -> list[dict[str, Any]]:
        """Return the rows in the order of the points."""
        return [self.rows[number] for number in sorted(self.rows)]

    def write_parquet(self) -> Path | None:
        """Write ``table.parquet`` and return its path; None where pyarrow is not installed."""
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            return None
        rows = self.ordered()
        columns = {}
        for name in self.columns:
            values = [row.get(name) for row in rows]
            kind = _arrow_type(pa, name, values)
            if kind == pa.string():
                values = [None if one is None else str(one) for one in values]
            columns[name] = pa.array(values, kind)
        path = self.path.with_suffix(".parquet")
        with replacing(path) as temporary:
            pq.write_table(pa.table(columns), temporary)
        return path


def _arrow_type(pa: Any, name: str, values: list[Any]) -> Any:
    """Return the type of a column, the same whatever rows there are."""
    known = [one for one in values if one is not None]
    if name in _TEXTS or any(isinstance(one, str) for one in known):
        return pa.string()
    if name in ("point", "seed", "spikes", "neurons", "synapses", "exit_code"):
        return pa.int64()
    if known and all(isinstance(one, bool) for one in known):
        return pa.bool_()
    return pa.float64()
