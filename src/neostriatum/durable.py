"""Write files so that a kill or a power cut leaves either the old file or the new one."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from neostriatum.errors import RunFileError

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        msg = f"{path}: cannot be written ({error.strerror or error}). Free space or choose --out"
        raise RunFileError(msg) from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file durably."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                msg = f"{folder}: --out must be a new or empty folder. Choose another"
                raise RunFileError(msg)
            folder.mkdir(parents=True, exist_ok=True)
            return folder
        root = Path(under)
        root.mkdir(exist_ok=True)
        number = max((int(one.name) for one in root.iterdir() if one.name.isdigit()), default=0)
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
    if folder.parent in (Path("runs"), Path("networks"), Path("sweeps")):
        with suppress(OSError):
            folder.parent.rmdir()
