"""The ranks of an MPI program: how many, which one this is, what they tell each other, their end.

Rank 0 runs the program; the others do what it tells them (`engines.nest_engine.ranks_follow`).
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from neostriatum.errors import EngineMissing

if TYPE_CHECKING:
    import numpy as np

#: (number of ranks, this rank) as launchers of MPI programs tell them.
_TOLD = (("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), ("PMI_SIZE", "PMI_RANK"),
         ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"))


def launched() -> int:
    """Return the number of ranks that a launcher started, 1 without one."""
    return _told()[0]


def rank() -> int:
    """Return the number of this rank, 0 without a launcher."""
    return _told()[1]


def beside() -> int:
    """Return the number of ranks on this machine, this one included."""
    for name in ("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_NTASKS_PER_NODE"):
        if os.environ.get(name, "").isdigit():
            return max(1, int(os.environ[name]))
    return launched()


def _told() -> tuple[int, int]:
    for size, mine in _TOLD:
        if os.environ.get(size, "").isdigit() and os.environ.get(mine, "").isdigit():
            return int(os.environ[size]), int(os.environ[mine])
    return 1, 0


@lru_cache(maxsize=1)
def world() -> Any:
    """Return the communicator of all ranks.

    Raises
    ------
    EngineMissing
        The package mpi4py is not installed.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        msg = (f"engine nest: needs the package mpi4py to run on {launched()} ranks "
               f"({str(error)[:40]}). Install it with: make nest-mpi")
        raise EngineMissing(msg) from None
    return MPI.COMM_WORLD


def tell(said: Any = None) -> Any:
    """Return on every rank what rank 0 says, as plain data."""
    import numpy as np

    text = json.dumps(said).encode() if rank() == 0 else b""
    return json.loads(sent(np.frombuffer(text, np.uint8), np.uint8).tobytes())


def sent(array: np.ndarray | None, dtype: Any) -> np.ndarray:
    """Return on every rank the array of rank 0."""
    import numpy as np

    shape = np.zeros(3, np.int64)
    if rank() == 0:
        array = np.ascontiguousarray(array, dtype)
        shape[0] = array.ndim
        shape[1 : 1 + array.ndim] = array.shape
    world().Bcast(shape, root=0)
    if array is None or rank():
        array = np.empty(shape[1 : 1 + shape[0]], dtype)
    if array.size:
        world().Bcast(array.reshape(-1).view(np.uint8) if rank() else
                      array.reshape(-1).view(np.uint8).copy(), root=0)
    return array


def gathered(rows: np.ndarray) -> np.ndarray:
    """Return the rows of all ranks, one rank after another, on rank 0; none on the others."""
    import numpy as np

    rows = np.ascontiguousarray(rows)
    counts = np.empty(launched(), np.int64)
    world().Allgather(np.array([len(rows)], np.int64), counts)
    width = int(np.prod(rows.shape[1:], dtype=np.int64))
    leads = rank() == 0
    whole = np.empty((int(counts.sum()) if leads else 0, *rows.shape[1:]), rows.dtype)
    world().Gatherv(rows, [whole, counts * width] if leads else None, root=0)
    return whole


def summed(counts: np.ndarray) -> np.ndarray:
    """Return on every rank the sum of the integers (n,) of all ranks."""
    import numpy as np

    if launched() == 1:
        return counts
    whole = np.empty(len(counts), np.int64)
    world().Allreduce(np.ascontiguousarray(counts, np.int64), whole)
    return whole


def together() -> None:
    """Wait for all ranks."""
    world().Barrier()


def end_all(code: int) -> None:
    """End every rank with an exit code: one that failed must not leave the others waiting."""
    from mpi4py import MPI

    MPI.COMM_WORLD.Abort(code)
