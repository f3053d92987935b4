"""Write files so that a kill or a power cut leaves either the old file or the new one."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.errors import RunFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What a writer holds locked in a folder, as long as it lives.
LOCK = "run.lock"
#: Bytes that are written at a time.
_BLOCK = 2**20


class Hashed:
    """A new file to write to from start to end, and the sha256 of what was written."""

    def __init__(self, path: Path) -> None:
        self._handle = _opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._hash, self._waiting = hashlib.sha256(), bytearray()

    def write(self, data: Any) -> int:
        """Write all of ``data``."""
        view = memoryview(data).cast("B")
        self._hash.update(view)
        if len(self._waiting) + len(view) > _BLOCK:
            self._drain(self._waiting)
            self._waiting = bytearray()
        if len(view) > _BLOCK:
            self._drain(view)
        else:
            self._waiting += view
        return len(view)

    def _drain(self, data: Any) -> None:
        rest = memoryview(data)
        while len(rest):
            rest = rest[os.write(self._handle, rest[:_BLOCK]) :]

    def read(self, size: int = -1) -> bytes:
        """Refuse; NumPy takes for a file only what could also read."""
        raise OSError

    def flush(self) -> None:
        """Wait for the end: nobody sees the file before."""

    def __enter__(self) -> Hashed:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._drain(self._waiting)
        finally:
            os.close(self._handle)

    def hexdigest(self) -> str:
        """Return the sha256 of what was written so far."""
        return self._hash.hexdigest()


def _opened(path: Path, flags: int) -> int:
    """Open a file for bytes; Windows would else turn every line feed into two characters."""
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success it is synced and renamed over it.

    Raises
    ------
    RunFileError
        The folder cannot be written, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        with temporary.open("r+b") as handle:  # Windows syncs only what may be written
            os.fsync(handle.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise _unwritable(path, error) from None
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: OSError) -> RunFileError:
    return RunFileError(f"{path}: cannot be written ({error.strerror or error}). "
                        "Free space or choose --out")


def write_hashed(path: Path, write: Callable[[Hashed], object]) -> str:
    """Let ``write`` fill a file, make it durable and return its sha256."""
    with replacing(path) as temporary, Hashed(temporary) as file:
        write(file)
    return file.hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a text file durably."""
    write_hashed(path, lambda file: file.write(text.encode("utf-8")))


def append_line(path: Path, line: str) -> None:
    """Add a line to a text file durably.

    Raises
    ------
    RunFileError
        The file cannot be written; it may then end in a part of the line.
    """
    try:
        new = not path.exists()
        handle = _opened(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            rest = line.encode("utf-8") + b"\n"
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None


def cut(path: Path, size: int) -> None:
    """Shorten a file durably to its first ``size`` bytes."""
    try:
        handle = _opened(path, os.O_WRONLY)
        try:
            os.ftruncate(handle, size)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise _unwritable(path, error) from None


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def digest(path: Path) -> str:
    """Return the sha256 of a file.

    Raises
    ------
    RunFileError
        The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})"
        raise RunFileError(msg) from None


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable, where the system can: Windows opens no folder."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only writer in a folder; the system ends the lock with the process, however it ends.

    Raises
    ------
    RunFileError
        Another process writes there, or the folder cannot be written.
    """
    handle = _lock(folder)
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / LOCK).unlink(missing_ok=True)
        os.close(handle)


def _lock(folder: Path) -> int:
    path, patience = folder / LOCK, time.monotonic() + 0.3
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise _unwritable(path, error) from None
        if _taken(handle, shared=False):
            os.close(handle)
            if time.monotonic() < patience:  # somebody may only have looked whether it is held
                time.sleep(0.02)
                continue
            msg = f"{folder}: another process is writing this run. Wait for it or choose --out"
            raise RunFileError(msg)
        # The one who held it before may have removed the name since it was opened here.
        with suppress(OSError):
            if path.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        os.close(handle)


def _taken(handle: int, *, shared: bool) -> bool:
    """Try to lock an open file; return whether another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        if not shared:
            warnings.warn(f"this file system has no locks ({error.strerror}): start no second "
                          "writer in the same folder", stacklevel=4)
    return False


def is_locked(folder: Path) -> bool:
    """Return whether a process is writing in a folder."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        return _taken(handle, shared=True)
    finally:
        os.close(handle)


def left_over(path: Path) -> bool:
    """Return whether a file is one that a writer leaves behind when it is killed at once."""
    return path.name == LOCK or (path.name.startswith(".") and path.name.endswith(".tmp"))


def claim(out: Path | str | None, under: str = "runs") -> Path:
    """Create and return a folder for results; by default the next number under ``under``.

    Raises
    ------
    RunFileError
        The folder holds something already, or cannot be made.
    """
    if out is not None and not str(out).strip():
        msg = "--out: must name a folder (got nothing). Choose one"
        raise RunFileError(msg)
    try:
        if out is not None:
            folder = Path(out)
            if folder.exists() and not (folder.is_dir() and all(map(left_over, folder.iterdir()))):
                msg = f"{folder}: --out must be a new or empty folder. Choose another"
                raise RunFileError(msg)
            folder.mkdir(parents=True, exist_ok=True)
            return folder
        root = Path(under)
        root.mkdir(exist_ok=True)
        names = [one.name for one in root.iterdir()]
        number = max((int(one) for one in names if one.isascii() and one.isdigit()), default=0)
        while True:
            number += 1
            try:
                (root / f"{number:04d}").mkdir()
            except FileExistsError:
                continue
            return root / f"{number:04d}"
    except OSError as error:
        msg = f"{out or under}: cannot be made ({error.strerror or error}). Choose --out"
        raise RunFileError(msg) from None


def unclaim(folder: Path) -> None:
    """Remove a claimed folder to which nothing came, and ``runs`` or the like if then empty."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        if folder.absolute().parent in [Path(one).absolute()
                                        for one in ("runs", "networks", "sweeps")]:
            folder.parent.rmdir()
