"""HDF5 files of networks: written whole or not at all, read without believing them."""

from __future__ import annotations

import csv
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.dataset import own
from neostriatum.durable import replacing
from neostriatum.errors import NeostriatumError, RunFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Rows per chunk, the unit of compression and of the checksum.
CHUNK = 2**16
#: Rows in memory, or between two looks at what went wrong, at a time.
BLOCK = 2**22


class Disk(io.FileIO):
    """A file that keeps the first error of writing for later.

    The HDF5 library crashes where closing a file fails, so it must not be told.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self.error: BaseException | None = None

    def write(self, data: Any) -> int:
        """Write all of ``data``, or nothing once an error is known."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while len(rest) and self.error is None:
                rest = rest[super().write(rest) :]
        except BaseException as error:  # an interrupt too
            self.error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the length of the file, or nothing once an error is known."""
        try:
            if self.error is None:
                super().truncate(size)
        except BaseException as error:
            self.error = error
        return size or 0

    def check(self) -> None:
        """Raise the error that was kept."""
        if self.error is not None:
            raise self.error


@contextmanager
def written(path: Path, **options: Any) -> Iterator[tuple[Any, Disk]]:
    """Give a new HDF5 file and its disk; the file is there under its name once all went well.

    Raises
    ------
    RunFileError
        The folder cannot be written, or the disk is full.
    """
    import h5py

    with replacing(path) as temporary, Disk(temporary) as disk:
        try:
            with h5py.File(disk, "w", **options) as file:
                yield file, disk
        finally:
            # What went wrong on the disk first is the reason of whatever HDF5 says of it later.
            disk.check()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into one RunFileError."""
    try:
        yield
    except NeostriatumError:
        raise
    except FileNotFoundError as error:
        msg = f"{error.filename or path}: no such file"
        raise RunFileError(msg) from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError,
            MemoryError, RecursionError, csv.Error) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, KeyError) and text.strip("'").isidentifier():
            text = f"has no {text}"
        msg = f"{path}: is not a sound network ({text[:140]})"
        raise RunFileError(msg) from None


def column(group: Any, key: str) -> Any:
    """Return a dataset of ``group`` that lies in the same file, or raise ValueError."""
    import h5py

    *folders, last = key.split("/")
    try:
        for folder in folders:
            group = own(group, folder, h5py.Group)
        return own(group, last, h5py.Dataset)
    except ValueError as error:
        msg = f"{group.name} {error}"
        raise ValueError(msg) from None


def whole(dataset: Any, length: int | None = None) -> np.ndarray:
    """Return a dataset as an array, read straight into place."""
    if length is not None and dataset.shape[:1] != (length,):
        msg = f"{dataset.name} must have {length} rows (got {dataset.shape})"
        raise ValueError(msg)
    array = np.empty(dataset.shape, dataset.dtype.newbyteorder("="))
    if array.size:
        dataset.read_direct(array)
    return array
