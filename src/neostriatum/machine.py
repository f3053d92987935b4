"""What this machine and its libraries are, for the record of a run."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

#: Where the limits of this process's control group are.
_GROUP = Path("/sys/fs/cgroup")
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


def free_memory() -> int | None:
    """Return the bytes that can still be taken, within the limit of the control group; or None."""
    free = [_meminfo("MemAvailable")]
    for limit, used, stat in (("memory.max", "memory.current", "memory.stat"),
                              ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes",
                               "memory/memory.stat")):
        try:
            most, taken = (int((_GROUP / name).read_text("ascii")) for name in (limit, used))
            # Pages of files are given back when memory runs short.
            rows = dict(row.split() for row in (_GROUP / stat).read_text("ascii").splitlines())
            free.append(most - taken + int(rows.get("inactive_file", 0)))
        except (OSError, ValueError):
            continue
    known = [one for one in free if one is not None]
    return max(0, min(known)) if known else None


def _meminfo(key: str) -> int | None:
    try:
        for row in Path("/proc/meminfo").read_text("ascii").splitlines():
            if row.startswith(f"{key}:"):
                return int(row.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
