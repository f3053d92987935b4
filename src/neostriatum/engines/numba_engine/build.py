"""Compile kernels with LLVM alone, and keep their code on disk under the hash of their shape."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
from numba import config

from neostriatum import arithmetic, caching, rng  # noqa: F401  (caching: its options of LLVM)
from neostriatum.code_cache import folder
from neostriatum.compile_clock import CLOCK
from neostriatum.engines.numba_engine import emit, kernel, pack, tile
from neostriatum.engines.numba_engine.kernel import kernel_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from llvmlite import ir

    from neostriatum.engines.numba_engine.shape import Shape

_DIGEST = 32
#: Addresses by key, and what keeps the code behind them in memory.
_addresses: dict[str, int] = {}
_libraries: list[Any] = []


@cache
def _machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=_processor(), features=_features(), opt=3, jit=True)


@cache
def _engine() -> Any:
    return llvm.create_lljit_compiler(_machine())


@cache
def _emitters() -> str:
    """Return the hash of the files that emit kernels."""
    modules = (arithmetic, emit, kernel, pack, rng, tile)
    files = [Path(module.__file__).read_bytes() for module in modules if module.__file__]
    return hashlib.sha256(b"".join(files)).hexdigest()


def _processor() -> str:
    return config.CPU_NAME or _host()[0]


def _features() -> str:
    return config.CPU_FEATURES or _host()[1]


@cache
def _host() -> tuple[str, str]:
    """Return the name and the features of this processor."""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def address(shape: Shape) -> int:
    """Return the address of the kernel of a shape, compiled if nobody did so before.

    Processes that start at once may compile the same kernel; they write the same bytes.
    """
    return address_of(shape.text, partial(kernel_module, shape))


def address_of(text: str, emitted: Callable[[], ir.Module]) -> int:
    """Return the address of the function ``kernel`` of a module.

    Parameters
    ----------
    text : str
        What the module depends on, the code that emits it apart.
    emitted : callable
        Makes the module; not called where its code is kept.
    """
    about = f"{text} {_emitters()} {_processor()} {_features()} {llvm.llvm_version_info}"
    key = hashlib.sha256(about.encode()).hexdigest()[:32]
    if key not in _addresses:
        place = folder()
        path = None if place is None else place / f"kernel.{key}.o"
        code = None if path is None else _read(path)
        if code is None:
            CLOCK.start()
            try:
                code = _compiled(str(emitted()))
            finally:
                CLOCK.stop()
            if path is not None:
                _write(path, code)
        library = llvm.JITLibraryBuilder().add_object_img(code).export_symbol("kernel")
        tracker = library.link(_engine(), f"kernel {key}")
        _libraries.append(tracker)
        _addresses[key] = tracker["kernel"]
    return _addresses[key]


def _compiled(text: str) -> bytes:
    machine = _machine()
    module = llvm.parse_assembly(text)
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization, options.loop_unrolling = False, False
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return machine.emit_object(module)


def _read(path: Path) -> bytes | None:
    """Return code that is kept whole, else None."""
    with suppress(OSError):
        content = path.read_bytes()
        if hashlib.sha256(content[:-_DIGEST]).digest() == content[-_DIGEST:]:
            return content[:-_DIGEST]
    return None


def _write(path: Path, code: bytes) -> None:
    with suppress(OSError):
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(code + hashlib.sha256(code).digest())
        Path(name).replace(path)
