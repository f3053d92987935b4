"""Environment variables and streams: every command works, or says in one line what to change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from case import EITHER, REFUSED, SAME, Case, program

KIND = "environment"

SMALL = ("--duration", "2 ms", "--set", "warmup=0 ms", "--size", "30")
USETEX = "text.usetex: True\nsavefig.format: pdf\naxes.facecolor: black\n"
#: (variable, value, or a function of the inputs folder that makes it)
Setting = tuple[str, Any]


def first(folder: Path) -> str:
    """Return a run that other commands read, made without the environment that is tried."""
    shutil.copytree(_result(), folder / "first")
    return str(folder / "first")


@cache
def _result() -> Path:
    place = Path(tempfile.mkdtemp())
    (place / "here").mkdir()
    program("run", "striatum_v1", *SMALL, "--engine", "reference", "--record", "none", "--out",
            place / "first", "--quiet", folder=place / "inputs")
    return place / "first"


def _run(folder: Path, engine: str = "numba", **environment: Any) -> Any:
    text = program("run", "striatum_v1", *SMALL, "--engine", engine, "--out", "r", "--json",
                   folder=folder, **environment)
    listed = json.loads(text)
    return listed["network_hash"][:12], listed["spike_hash"][:12], listed["synapses"]


def _build(folder: Path, **environment: Any) -> Any:
    text = program("build", "--size", "30", "--out", "n.h5", "--json", folder=folder,
                   **environment)
    return json.loads(text)["network_hash"][:12]


def _cell(folder: Path, **environment: Any) -> Any:
    return json.loads(program("cell", "dSPN", "--current", "600 pA", "--duration", "50 ms",
                              "--json", folder=folder, **environment))["spike_times_ms"]


def _cell_drawn(folder: Path, **environment: Any) -> Any:
    program("cell", "dSPN", "--current", "600 pA", "--duration", "50 ms", "--out", "c.png",
            folder=folder, **environment)
    return True


def _pair(folder: Path, **environment: Any) -> Any:
    return json.loads(program("pair", "FS", "dSPN", "--json", folder=folder,
                              **environment))["psp_mv"]


def _info(folder: Path, **environment: Any) -> Any:
    return len(json.loads(program("info", "--json", folder=folder, **environment))["values"])


def _info_text(folder: Path, **environment: Any) -> Any:
    program("info", folder=folder, **environment)
    return True


def _cite(folder: Path, **environment: Any) -> Any:
    return "@article" in program("cite", "striatum_v1", folder=folder, **environment).lower()


def _help(folder: Path, **environment: Any) -> Any:
    return "circuit" in program("run", "--help", folder=folder, **environment).lower()


def _plot(folder: Path, **environment: Any) -> Any:
    program("plot", first(folder), "raster", "--out", "f", folder=folder, **environment)
    return True


def _report(folder: Path, **environment: Any) -> Any:
    program("report", first(folder), "--out", "r.html", folder=folder, **environment)
    return True


def _export(folder: Path, **environment: Any) -> Any:
    program("export", first(folder), "--to", "csv", "--out", "x", folder=folder, **environment)
    return True


def _resume(folder: Path, **environment: Any) -> Any:
    text = program("resume", first(folder), "--duration", "4 ms", "--json", folder=folder,
                   **environment)
    return json.loads(text)["duration_ms"]


def _rerun(folder: Path, **environment: Any) -> Any:
    return json.loads(program("rerun", first(folder), "--out", "again", "--json", folder=folder,
                              **environment))["equal"]


COMMANDS: dict[str, Callable[..., Any]] = {
    "run": _run, "build": _build, "cell": _cell, "cell --out": _cell_drawn, "pair": _pair,
    "info": _info, "info as text": _info_text, "cite": _cite, "help": _help, "plot": _plot,
    "report": _report, "export": _export, "resume": _resume, "rerun": _rerun}


@cache
def right(command: str) -> Any:
    """Return what a command gives in a plain environment."""
    with tempfile.TemporaryDirectory() as place:
        for name in ("here", "inputs"):
            (Path(place) / name).mkdir()
        return COMMANDS[command](Path(place) / "inputs")


def _file(name: str, text: str, mode: int = 0o644) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        path = folder / name
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    return make


def _barred(folder: Path) -> str:
    """Return a folder in which nothing can be made, by root neither."""
    path = folder / "barred"
    path.write_text("a file, so that no folder can be made below it")
    return str(path / "below")


def _table() -> list[tuple[str, str, dict[str, Any], str]]:
    """Return rows of (command, label, environment, expectation)."""
    rows: list[tuple[str, str, dict[str, Any], str]] = []

    def add(commands: str, variable: str, *values: Any, expect: str = SAME) -> None:
        for command in commands.split(", "):
            for value in values:
                rows.append((command, f"{variable}={_shown(value)}", {variable: value}, expect))

    add("run, build", "NUMBA_THREADING_LAYER", "tbb", "nonsense", expect=EITHER)
    add("run", "NUMBA_THREADING_LAYER", "omp", "workqueue", "safe", expect=EITHER)
    add("build, plot", "NUMBA_THREADING_LAYER", "workqueue")
    add("info, cell, rerun", "NUMBA_THREADING_LAYER", "tbb", expect=EITHER)
    add("run", "NUMBA_NUM_THREADS", "0", "nonsense", "-1", expect=EITHER)
    add("run", "NUMBA_NUM_THREADS", "1", "8")
    add("info, cell", "NUMBA_NUM_THREADS", "0", expect=EITHER)
    add("cell, info", "NUMBA_DISABLE_JIT", "1", expect=EITHER)
    add("run", "NUMBA_CPU_NAME", "generic", expect=EITHER)
    add("run", "NUMBA_CACHE_DIR", _barred, expect=EITHER)
    add("build, cell", "NUMBA_CACHE_DIR", "", expect=SAME)
    add("run, plot, report, cell --out, resume", "MPLBACKEND", "Qt4Agg")
    add("run, plot", "MPLBACKEND", "nonsense")
    add("rerun", "MPLBACKEND", "TkAgg", "module://no.such.module")
    add("plot", "MPLBACKEND", "pdf", "")
    add("run, plot, report, cell --out", "MATPLOTLIBRC", _file("matplotlibrc", USETEX))
    add("plot", "MATPLOTLIBRC", _file("unreadable", "\xff\x00 : : :\n"),
        _file("b", "nonsense: 1\n"),
        "/no/such/file", expect=EITHER)
    add("plot", "MPLCONFIGDIR", _barred)
    add("plot, report", "XDG_CACHE_HOME", _barred)
    add("plot", "XDG_CONFIG_HOME", _barred)
    add("run, cite, report", "LC_ALL", "C")
    add("run", "LC_ALL", "xx_YY.nonsense")
    add("info as text, cite", "PYTHONIOENCODING", "ascii", "cp1252")
    add("run, pair, help", "PYTHONIOENCODING", "ascii")
    add("info as text", "PYTHONUTF8", "0")
    add("run, plot", "HOME", "/no/such/home", _barred)
    add("run", "HOME", None)
    add("run", "TMPDIR", "/no/such/folder")
    add("run, help", "COLUMNS", "1", "abc")
    add("run", "NO_COLOR", "1")
    add("help", "FORCE_COLOR", "1")
    add("help", "TERM", "dumb", None)
    add("run, build", "OMP_NUM_THREADS", "0", "abc")
    add("run, report", "PYTHONOPTIMIZE", "2")
    add("run, info, export", "PYTHONWARNINGS", "error")
    add("plot", "PYTHONWARNINGS", "default")
    add("run", "PYTHONHASHSEED", "0", "12345")
    add("run", "PYTHONDEVMODE", "1")
    add("export", "HDF5_USE_FILE_LOCKING", "TRUE")
    rows += [("run", "SLURM variables", {"SLURM_NTASKS": "4", "SLURM_PROCID": "0",
                                         "SLURM_JOB_ID": "1", "SLURM_CPUS_PER_TASK": "2"}, SAME),
             ("run", "variables of mpiexec", {"OMPI_COMM_WORLD_SIZE": "2",
                                              "OMPI_COMM_WORLD_RANK": "0"}, REFUSED),
             ("run", "SGE variables", {"NSLOTS": "4", "PE_HOSTFILE": "/no/such"}, SAME),
             ("run", "all of a minimal service", {"HOME": None, "LANG": None, "TERM": None,
                                                  "TMPDIR": None}, SAME),
             ("report", "C locale and ASCII", {"LC_ALL": "C", "PYTHONUTF8": "0",
                                               "PYTHONCOERCECLOCALE": "0"}, SAME),
             ("info as text", "C locale and ASCII", {"LC_ALL": "C", "PYTHONUTF8": "0",
                                                     "PYTHONCOERCECLOCALE": "0"}, SAME)]
    return rows


def _shown(value: Any) -> str:
    if callable(value):
        return {_barred: "a folder that cannot be"}.get(value, "a file")
    return "not there" if value is None else value or "empty"


def _case(command: str, label: str, environment: dict[str, Any], expect: str) -> Case:
    def run(folder: Path) -> Any:
        given = {key: content(folder) if callable(content) else content
                 for key, content in environment.items()}
        return COMMANDS[command](folder, **given)

    return Case(f"{command}, {label}", run, expect, lambda: right(command),
                (*environment, "mpiexec"), apart=True)


def _read_only() -> list[Case]:
    """Return commands of a package and a home in which nothing can be written."""
    def sealed(*arguments: str) -> Callable[[Path], bool]:
        def run(folder: Path) -> bool:
            # Root writes everywhere, so the cache is kept from its places in another way: by
            # files where Numba would make folders.
            copy = folder / "site"
            copied(copy)
            home = _file("home", "")(folder)
            program(*arguments, folder=folder, PYTHONPATH=str(copy), HOME=home,
                    XDG_CACHE_HOME=home, NUMBA_CACHE_DIR=None)
            return True

        return run

    def copied(place: Path) -> None:
        import neostriatum

        shutil.copytree(Path(neostriatum.__file__).parent, place / "neostriatum",
                        ignore=lambda folder, names: [item for item in names
                                                      if item == "__pycache__"])
        for folder in (place / "neostriatum", *(place / "neostriatum").rglob("*/")):
            (folder / "__pycache__").write_text("")

    return [Case(f"read-only package and home: {label}", sealed(*arguments), SAME, apart=True)
            for label, arguments in {
                "info": ("info",), "cite": ("cite", "striatum_v1"),
                "build": ("build", "--size", "30", "--out", "n.h5"),
                "cell": ("cell", "dSPN", "--current", "270 pA", "--duration", "5 ms")}.items()]


def _streams() -> list[Case]:
    """Return closed and full streams; the exit code tells whether the run is good."""
    def shell(tail: str) -> Callable[[Path], Any]:
        def run(folder: Path) -> Any:
            command = f'exec "{sys.executable}" -m neostriatum run striatum --duration "2 ms" ' \
                      f'--set "warmup=0 ms" --size 30 --engine reference --out r {tail}'
            result = subprocess.run(["/bin/sh", "-c", command], cwd=folder.parent / "here",
                                  env=os.environ | _plain(), capture_output=True, check=False,
                                  timeout=100)
            return result.returncode, b"Exception ignored" in result.stderr, json.loads(
                (folder.parent / "here/r/run.json").read_text())["status"]

        return run

    return [Case(f"run {tail}", shell(tail), SAME, (code, False, "finished"), apart=True)
            for tail, code in (("<&-", 0), (">&-", 0), ("| head -1 > /dev/null", 0))]


def _plain() -> dict[str, str]:
    from case import PLAIN

    return PLAIN


def cases() -> list[Case]:
    """Return every case of this kind."""
    return [*(_case(*row) for row in _table()), *_read_only(), *_streams()]
