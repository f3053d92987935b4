"""Write-once files with the spikes and samples of a stretch of steps."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import write_hashed
from neostriatum.errors import RunFileError

if TYPE_CHECKING:
    from pathlib import Path

#: Bytes that wait in memory for the next chunk at most, give or take what one window brings.
LARGEST = 2**23


def due(first: int, stop: int, every: int) -> np.ndarray:
    """Return the steps of [first, stop) after which a probe records: t is a multiple of every dt.

    Examples
    --------
    >>> due(0, 12, 5).tolist()
    [4, 9]
    """
    return np.arange(first + (-first - 1) % every, stop, every, dtype=np.int64)


@dataclass
class Chunk:
    """Spikes (steps, global ids: (n,), sorted) and samples, float32 (t, k) by (variable, type)."""

    first: int
    stop: int
    steps: np.ndarray
    ids: np.ndarray
    samples: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)


def write_chunk(path: Path, chunk: Chunk) -> str:
    """Make a chunk durable and return its sha256."""
    arrays: dict[str, Any] = {"steps": chunk.steps, "ids": chunk.ids}
    arrays |= {f"{variable}.{name}": said for (variable, name), said in chunk.samples.items()}
    return write_hashed(path, lambda file: np.savez(file, **arrays))


def read_chunk(folder: Path, entry: dict[str, Any]) -> Chunk:
    """Return a chunk that a manifest lists.

    Raises
    ------
    FileNotFoundError
        It is gone: the run has been finished meanwhile.
    RunFileError
        It is not what was written.
    """
    path = folder / entry["chunk"]
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})"
        raise RunFileError(msg) from None
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        msg = f"{path}: is damaged (it does not have the hash that the manifest lists)"
        raise RunFileError(msg)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            steps, ids = file["steps"], file["ids"]
            samples = {(key.partition(".")[0], key.partition(".")[2]): file[key]
                       for key in file.files if "." in key}
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        msg = f"{path}: is not a chunk ({' '.join(str(error).split())})"
        raise RunFileError(msg) from None
    return Chunk(entry["first"], entry["stop"], steps, ids, samples)
