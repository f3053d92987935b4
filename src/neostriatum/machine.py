"""What this machine and its libraries are, for the record of a run."""

from __future__ import annotations

import os
import platform
import sys
import time
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where control groups are mounted, and the file that names those of this process.
_GROUP, _SELF = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
LIBRARIES = ("numpy", "numba", "brian2", "h5py", "pydantic", "pint")


def machine() -> dict[str, Any]:
    """Return processor, cores and operating system."""
    return {"processor": _processor(), "cores": os.cpu_count(), "system": platform.platform()}


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and the libraries that decide results."""
    from neostriatum import __version__

    found = {"python": platform.python_version(), "neostriatum": __version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def peak_memory_gb() -> float:
    """Return the highest resident size of this process plus that of its largest child [1e9 B]."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    used = [resource.getrusage(who).ru_maxrss for who in
            (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(used) * unit / 1e9, 4)


def fork_early() -> None:
    """Import what starts a process when it is first imported, while this one is small.

    A process counts as large as the one that it was forked from, so that the ``uname`` that h5py
    asks would double the peak of a large network.
    """
    import h5py  # noqa: F401


def cores() -> int:
    """Return the processors that this process may use, within the quota of its control group.

    Examples
    --------
    >>> cores() >= 1
    True
    """
    try:
        count = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # macOS and Windows
        count = getattr(os, "process_cpu_count", os.cpu_count)() or 1
    return max(1, min([count, *_granted(int(time.monotonic()))]))


@lru_cache(maxsize=1)
def _granted(second: int) -> list[int]:
    """Return the quotas, read once a second: every window of a simulation asks for them."""
    del second
    return list(_quotas())


def _quotas() -> Iterator[int]:
    """Yield the whole processors that each control group above this process grants."""
    for group in control_groups("cpu"):
        with suppress(OSError, ValueError, ZeroDivisionError):
            if (group / "cpu.max").exists():
                quota, period = (group / "cpu.max").read_text("ascii").split()
            else:
                quota, period = ((group / f"cpu.cfs_{part}_us").read_text("ascii")
                                 for part in ("quota", "period"))
            if int(quota) > 0:
                yield -(-int(quota) // int(period))


def free_memory(group: Path = _GROUP, self: Path = _SELF) -> int | None:
    """Return the bytes that this process can still take, or None where nobody knows.

    The least of what the machine has, what each control group above the process allows, and its
    limits of address space and data.

    Parameters
    ----------
    group : Path
        Where control groups are mounted.
    self : Path
        The file that names the groups of this process.
    """
    free = [_meminfo("MemAvailable"), *_limits()]
    for folder in control_groups("memory", group, self):
        for limit, used in (("memory.max", "memory.current"),
                            ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            with suppress(OSError, ValueError):
                most, taken = int((folder / limit).read_text("ascii")), 0
                with suppress(OSError, ValueError):
                    taken = int((folder / used).read_text("ascii")) - _file_pages(folder)
                free.append(most - taken)
    known = [amount for amount in free if amount is not None]
    return max(0, min(known)) if known else None


def control_groups(controller: str, group: Path = _GROUP, self: Path = _SELF) -> Iterator[Path]:
    """Yield the folders of this process's control group and of all above it, of both versions.

    The folder of another process's namespace may be missing; the mounted root always counts.
    """
    places = {group, group / controller}
    with suppress(OSError, ValueError):
        for row in self.read_text("utf-8", "surrogateescape").splitlines():
            number, controllers, path = row.split(":", 2)
            root = group if number == "0" else group / controller
            if number == "0" or controller in controllers.split(","):
                below = PurePosixPath(path.lstrip("/"))
                places |= {root / part for part in (below, *below.parents)}
    yield from sorted(place for place in places if place.is_dir())


def _file_pages(folder: Path) -> int:
    """Return the bytes of files in memory, which are given back when it runs short."""
    with suppress(OSError, ValueError):
        rows = dict(row.split() for row in (folder / "memory.stat").read_text("ascii").splitlines())
        return int(rows.get("inactive_file", 0))
    return 0


def _limits() -> Iterator[int]:
    """Yield what the limits of address space and of data (``ulimit -v``, ``-d``) leave."""
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        pages = Path("/proc/self/statm").read_text("ascii").split()
        for limit, place in ((resource.RLIMIT_AS, 0), (resource.RLIMIT_DATA, 5)):
            most = resource.getrlimit(limit)[0]
            if most != resource.RLIM_INFINITY:
                yield most - int(pages[place]) * resource.getpagesize()


def _meminfo(key: str) -> int | None:
    with suppress(OSError, ValueError):
        for row in Path("/proc/meminfo").read_text("ascii").splitlines():
            if row.startswith(f"{key}:"):
                return int(row.split()[1]) * 1024
    return None


def _processor() -> str:
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
