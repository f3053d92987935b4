"""Limits of memory and of processors: of a job's control groups, of ulimit, of other systems."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from case import EITHER, REFUSED, SAME, Case, started

from neostriatum import machine

KIND = "memory"

#: A limit and what is used [bytes]; the machine must have more.
LIMIT, USED = 400_000_000, 100_000_000
FREE = LIMIT - USED
#: Where a job's step lies below the root, as Slurm makes it.
STEP = "system.slice/slurmstepd.scope/job_1/step_0/user/task_0"
MAX, UNLIMITED = "max", "9223372036854771712"
#: The part of an address space that a process with a small network needs [KB].
TIGHT_KB = 3_000_000


def free(folder: Path, content: str | None) -> int | None:
    """Return the free memory that a tree below ``folder`` leaves, given /proc/self/cgroup."""
    root, own = folder / "cgroup", folder / "self"
    root.mkdir(exist_ok=True)
    if content is not None:
        own.write_text(content)
    if {"group", "self"} <= set(inspect.signature(machine.free_memory).parameters):
        return machine.free_memory(group=root, self=own)
    before, machine._GROUP = machine._GROUP, root
    try:
        return machine.free_memory()
    finally:
        machine._GROUP = before


def v2(folder: Path, path: str, limit: Any = LIMIT, used: Any = USED, stat: Any = "") -> None:
    """Write a group of version 2; None leaves a file out."""
    _write(folder / "cgroup" / path, {"memory.max": limit, "memory.current": used,
                                      "memory.stat": stat})


def v1(folder: Path, path: str, limit: Any = LIMIT, used: Any = USED, stat: Any = "",
       mount: str = "memory") -> None:
    """Write a group of version 1."""
    _write(folder / "cgroup" / mount / path, {
        "memory.limit_in_bytes": limit, "memory.usage_in_bytes": used, "memory.stat": stat})


def _write(folder: Path, files: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        if text is not None:
            (folder / name).write_text(f"{text}\n" if str(text) else "")


def _tree(label: str, make: Callable[[Path], Any], content: str | None, right: int | None = FREE,
          also: tuple[int, ...] = ()) -> Case:
    """Return a case of a tree; ``right`` None means that no group limits anything."""
    def run(folder: Path) -> Any:
        make(folder)
        got = free(folder, content)
        if right is None:
            return "as the machine has it" if got is None or got > 2 * LIMIT else got
        return right if got in also else got

    return Case(label, run, SAME, "as the machine has it" if right is None else right)


def _second() -> list[Case]:
    own, above = f"0::/{STEP}\n", STEP.split("/")

    def level(depth: int, **more: Any) -> Callable[[Path], None]:
        def make(folder: Path) -> None:
            for n in range(1, len(above) + 1):
                v2(folder, "/".join(above[:n]), MAX)
            v2(folder, "/".join(above[:depth]), **more)

        return make

    def two(folder: Path) -> None:
        level(3)(folder)
        v2(folder, "/".join(above[:5]), 2 * LIMIT)

    def tighter(folder: Path) -> None:
        level(3, limit=2 * LIMIT)(folder)
        v2(folder, "/".join(above[:5]))

    def busier(folder: Path) -> None:
        level(2, limit=2 * LIMIT, used=2 * LIMIT - 50_000_000)(folder)
        v2(folder, "/".join(above[:5]))

    listed = [_tree(f"version 2, limit at {above[depth - 1]}", level(depth), own)
             for depth in range(1, len(above) + 1)]
    return [
        *listed,
        _tree("version 2, limit at the root", lambda f: v2(f, ""), "0::/\n"),
        _tree("version 2, limit at the root, self below", lambda f: v2(f, ""), own),
        _tree("version 2, no limit anywhere", level(1, limit=MAX), own, None),
        _tree("version 2, two limits, the upper less", two, own),
        _tree("version 2, two limits, the lower less", tighter, own),
        _tree("version 2, an upper group that others fill", busier, own, 50_000_000),
        _tree("version 2, more used than allowed", lambda f: v2(f, "a", used=2 * LIMIT), "0::/a\n",
              0),
        _tree("version 2, pages of files", lambda f: v2(
            f, "a", stat="anon 1\ninactive_file 50000000\nactive_file 7"), "0::/a\n",
              FREE + 50_000_000),
        _tree("version 2, no memory.stat", lambda f: v2(f, "a", stat=None), "0::/a\n"),
        _tree("version 2, garbage in memory.stat", lambda f: v2(f, "a", stat="what is this"),
              "0::/a\n"),
        _tree("version 2, no memory.current", lambda f: v2(f, "a", used=None), "0::/a\n",
              LIMIT, (FREE,)),
        _tree("version 2, garbage in memory.max", lambda f: (v2(f, "a"), v2(f, "a/b", "lots")),
              "0::/a/b\n"),
        _tree("version 2, an empty memory.max", lambda f: (v2(f, "a"), v2(f, "a/b", "")),
              "0::/a/b\n"),
        _tree("version 2, a folder without files between", lambda f: (
            v2(f, "a"), (f / "cgroup/a/b/c").mkdir(parents=True)), "0::/a/b/c\n"),
        _tree("version 2, self is not in the tree", lambda f: v2(f, ""), "0::/docker/abc\n"),
        _tree("version 2, no self file", lambda f: v2(f, ""), None),
        _tree("version 2, an empty self file", lambda f: v2(f, ""), ""),
        _tree("version 2, garbage in the self file", lambda f: v2(f, ""), "no colons here\n"),
        _tree("version 2, a path with colons", lambda f: v2(f, "a:b/c"), "0::/a:b/c\n"),
        _tree("version 2, a path with blanks", lambda f: v2(f, "my job"), "0::/my job\n"),
        _tree("version 2, a path that is not ASCII", lambda f: v2(f, "jöb"), "0::/jöb\n"),
        _tree("version 2, a path out of the tree", lambda f: v2(f, ""), "0::/../../x\n"),
        _tree("version 2, another's group beside", lambda f: (v2(f, "a", MAX), v2(f, "b")),
              "0::/a\n", None),
        _tree("no tree", lambda f: None, "0::/a\n", None),
    ]


def _first() -> list[Case]:
    own = "9:devices:/x\n5:memory:/slurm/job_1/step_0\n1:name=systemd:/y\n"
    both = "5:cpu,memory:/slurm/job_1\n"
    return [
        _tree("version 1, limit at the step", lambda f: v1(f, "slurm/job_1/step_0"), own),
        _tree("version 1, limit at the job", lambda f: (
            v1(f, "slurm/job_1"), v1(f, "slurm/job_1/step_0", UNLIMITED)), own),
        _tree("version 1, limit at the top", lambda f: (
            v1(f, "slurm"), v1(f, "slurm/job_1/step_0", UNLIMITED)), own),
        _tree("version 1, limit at the root", lambda f: v1(f, ""), own),
        _tree("version 1, no limit", lambda f: (
            v1(f, "", UNLIMITED), v1(f, "slurm/job_1/step_0", UNLIMITED)), own, None),
        _tree("version 1, two limits", lambda f: (
            v1(f, "slurm", 2 * LIMIT), v1(f, "slurm/job_1/step_0")), own),
        _tree("version 1, pages of files", lambda f: v1(
            f, "slurm/job_1/step_0", stat="cache 1\ninactive_file 50000000"), own,
              FREE + 50_000_000, (FREE,)),
        _tree("version 1, memory beside another controller", lambda f: v1(f, "slurm/job_1"), both),
        _tree("version 1, no self file", lambda f: v1(f, ""), None),
        _tree("version 1, the group of another controller", lambda f: (
            v1(f, "x"), v1(f, "slurm/job_1/step_0", UNLIMITED)), own, None),
        _tree("both versions, limit in the first", lambda f: (
            v1(f, "slurm/job_1"), v2(f, "u", None)), "4:memory:/slurm/job_1\n0::/u\n"),
        _tree("both versions, limits in both", lambda f: (
            v1(f, "slurm/job_1", 2 * LIMIT), v2(f, "u")), "4:memory:/slurm/job_1\n0::/u\n"),
    ]


def _limited(label: str, limit: str, arguments: list[str], expect: str, **more: Any) -> Case:
    code = ("import resource, sys\nfrom neostriatum.cli import main\n"
            f"resource.setrlimit(resource.{limit})\nsys.exit(main({arguments!r}))")

    def run(folder: Path) -> bool:
        text = started(["-c", code], folder)
        return more["holds"](text) if "holds" in more else True

    return Case(label, run, expect, words=("memory",), apart=True)


def _without(label: str, arguments: list[str], expect: str = SAME) -> Case:
    code = ("import os, sys\ndel os.sched_getaffinity\nfrom neostriatum.cli import main\n"
            f"sys.exit(main({arguments!r}))")
    return Case(f"no os.sched_getaffinity: {label}", lambda folder: bool(
        started(["-c", code], folder)), expect, apart=True)


def _processes() -> list[Case]:
    space = f"RLIMIT_AS, ({TIGHT_KB * 1024},) * 2"
    data = f"RLIMIT_DATA, ({TIGHT_KB * 1024},) * 2"
    large = ["build", "--size", "3000000", "--out", "b.h5", "--quiet"]
    plan = ["build", "--size", "3000000", "--dry-run", "--json"]
    small = ["run", "--size", "30", "--duration", "2 ms", "--engine", "reference", "--record",
             "none", "--set", "warmup=0 ms", "--json"]
    run = [*small, "--threads", "2"]
    return [
        _limited("ulimit -v and a large network", space, large, REFUSED),
        _limited("ulimit -v and a large run", space, ["run", "--size", "3000000"], REFUSED),
        _limited("ulimit -d and a large network", data, large, REFUSED),
        _limited("ulimit -v and the plan of a large network", space, plan, SAME,
                 holds=lambda text: '"fits": false' in text),
        _limited("ulimit -v and a small run", space, small, SAME),
        _without("run", small), _without("run with threads", run),
        _without("run of numba", [*(item if item != "reference" else "numba" for item in run)]),
        _without("build", ["build", "--size", "30", "--out", "n.h5", "--json"]),
        _without("cell", ["cell", "dSPN", "--current", "270 pA", "--duration", "5 ms"]),
        _without("info", ["info"]),
        Case("no os.sched_getaffinity: sweep", lambda folder: "finished=2" in started(["-c", (
            "import os\ndel os.sched_getaffinity\nimport neostriatum as ns\n"
            "if __name__ == '__main__':\n made = ns.sweep(circuit='striatum_v1', seeds=2, size=30,"
            " duration='2 ms', engine='reference', changes={'warmup': '0 ms'})\n"
            " print(f'finished={made.finished}')")], folder), EITHER, apart=True),
    ]


def cases() -> list[Case]:
    """Return every case of this kind."""
    return [*_second(), *_first(), *_processes()]
