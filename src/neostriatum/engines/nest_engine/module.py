"""Compile models once and keep them on disk, safely under parallel starts."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.engines.nest_engine.cell import name_of
from neostriatum.errors import EngineMissing, EngineUnsupported
from neostriatum.threads import over_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Strict IEEE arithmetic; `-w` because the generated code warns about itself.
FLAGS = ("-std=c++20", "-O3", "-fopenmp", "-fPIC", "-shared", "-w", "-DNDEBUG", "-DLTX_MODULE",
         "-ffp-contract=off")
#: What tells a child that it is an MPI rank, which it is not.
_RANKS = ("OMPI_", "PMIX_", "PMI_", "MPI_", "HYDRA_", "PRTE_")


def cache() -> Path:
    """Return the folder of compiled models."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "neostriatum" / "nest"


def compiler(mpi: bool) -> str:
    """Return the C++ compiler, MPI's where NEST was built with it.

    Raises
    ------
    EngineMissing
        There is none.
    """
    wanted = ("mpicxx", "mpic++") if mpi else ("g++", "c++", "clang++")
    for one in wanted:
        if found := shutil.which(one):
            return found
    package = "libopenmpi-dev" if mpi else "g++"
    msg = (f"engine nest: needs a C++ compiler for its cells (got no {wanted[0]} on the path). "
           f"Install {package}")
    raise EngineMissing(msg)


def modules(texts: dict[str, tuple[str, str]], nest: Any) -> dict[str, Path]:
    """Compile models where that was not done before.

    Parameters
    ----------
    texts : dict
        Any key to (text with MODEL as its name, its kind: plain, gaps or synapse in NESTML, or
        code in C++).
    nest : module
        NEST.

    Returns
    -------
    dict
        The same keys to shared objects; `model_of` tells the name of the model in one.

    Raises
    ------
    EngineMissing
        No compiler, no NESTML, or no header that NEST's own headers include.
    EngineUnsupported
        NESTML or the compiler refuses the model.
    """
    made, waiting = {}, {}
    for key, (text, kind) in texts.items():
        name = name_of(text)
        folder = cache() / _fingerprint(text, nest)
        # NESTML wants this ending.
        made[key] = folder / f"{name}_module.so"
        if not made[key].exists():
            waiting[made[key]] = (name, text, kind)

    def build(start: int, stop: int) -> None:
        for path, (name, text, kind) in list(waiting.items())[start:stop]:
            with _alone(path.parent):
                if not path.exists():
                    _build(path, name, text.replace("MODEL", name), kind, nest)

    # Each waits for programs of its own.
    over_rows(len(waiting), build)
    return made


def model_of(path: Path) -> str:
    """Return the name of the model in a compiled module."""
    return path.stem.removesuffix("_module")


def _fingerprint(text: str, nest: Any) -> str:
    """Return a hash of all that the compiled file depends on."""
    lowered = compiler(_mpi(nest))
    version = subprocess.run([lowered, "--version"], capture_output=True, text=True, check=False)
    said = [text, nest.__version__, str(nest.build_info["built"]), str(_mpi(nest)),
            version.stdout, *FLAGS, Path(nest.__file__).parent.as_posix(), _nestml()]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:24]


def _nestml() -> str:
    """Return the version of NESTML."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nestml")
    except PackageNotFoundError:
        msg = "engine nest: needs the package nestml. Install it with: pip install nestml"
        raise EngineMissing(msg) from None


def _mpi(nest: Any) -> bool:
    return bool(nest.build_info["have_mpi"])


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of one model: whoever comes second finds the first one's work."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(path: Path, name: str, text: str, kind: str, nest: Any) -> None:
    package = Path(nest.__file__).parent
    with tempfile.TemporaryDirectory(prefix="build-", dir=path.parent) as made:
        folder = Path(made)
        code = folder / "code"
        if kind == "code":
            code.mkdir()
            (code / f"{name}.cpp").write_text(text, "utf-8")
        else:
            _generate(folder, name, text, kind, nest)
        sources = sorted(code.glob("*.cpp"))
        # As one source: most of the time goes into NEST's headers, of which one lacks a guard.
        (code / "nest_impl.h").write_text('#pragma once\n#include_next "nest_impl.h"\n', "utf-8")
        whole = code / "whole.cpp"
        whole.write_text("".join(f'#include "{one.name}"\n' for one in sources), "utf-8")
        product = folder / path.name
        _call("the compiler", [
            compiler(_mpi(nest)), *FLAGS, *_abi(package), f"-I{code}",
            f"-I{package / 'include' / 'nest'}", str(whole), "-o", str(product)])
        product.replace(path)


def _generate(folder: Path, name: str, text: str, kind: str, nest: Any) -> None:
    """Let NESTML write the C++ sources of a model into FOLDER/code."""
    (folder / "model.nestml").write_text(text, "utf-8")
    here = "neostriatum.engines.nest_engine.generate"
    told = _call("NESTML", [sys.executable, "-m", here, str(folder), f"{name}_module",
                            nest.__version__, kind])
    if not list((folder / "code").glob("*.cpp")):
        raise EngineUnsupported(_parse_error(told))
    if kind == "synapse":
        _forget_targets(folder / "code" / f"{name}.h")


def _forget_targets(header: Path) -> None:
    """Take out that a synapse reads the spikes of its target, which would keep them for ever."""
    text = header.read_text("utf-8")
    header.write_text(re.sub(r"\bt\.register_stdp_connection\([^;]*;", "", text), "utf-8")


def _abi(package: Path) -> list[str]:
    """Return the flag of the string type that NEST was built with: packages use the older one."""
    library = next(package.glob("nestkernel_api*.so"))
    new = re.search(rb"_ZN4nest[0-9A-Za-z_]*NSt7__cxx1112basic_string", library.read_bytes())
    return [f"-D_GLIBCXX_USE_CXX11_ABI={1 if new else 0}"]


def _parse_error(told: str) -> str:
    """Return why NESTML wrote nothing, which it tells in its log alone."""
    line = next((line for line in told.splitlines() if "ERROR" in line), None)
    if line is None:
        return "engine nest: NESTML made no code of a cell model. Install nestml 9"
    return f"engine nest: NESTML refuses a cell model ({' '.join(line.split())[:200]})"


def _call(who: str, command: list[str]) -> str:
    """Run a program of ours or the compiler, silently; return all that it wrote."""
    outside = {key: said for key, said in os.environ.items() if not key.startswith(_RANKS)}
    source = str(Path(__file__).parents[3])
    outside["PYTHONPATH"] = os.pathsep.join(
        [source, *filter(None, [outside.get("PYTHONPATH")])])
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=outside,
                          errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode:
        said = (done.stderr.splitlines() or done.stdout.splitlines() or ["nothing said"])
        told = next((line.partition("error:")[2] for line in said if "error:" in line), said[-1])
        file = r"([\w./+-]+\.h(?:pp)?)'?:? (?:No such file|file not found)"
        if missing := re.search(file, told):
            msg = (f"engine nest: NEST's own headers need others (got no {missing[1]}). "
                   "Install libltdl-dev and libboost-dev")
            raise EngineMissing(msg)
        msg = f"engine nest: {who} refuses a cell model ({told.strip()[:100]})"
        raise EngineUnsupported(msg)
    return f"{done.stdout}\n{done.stderr}"
