"""What a compiled function can reach: one hash of everything that its machine code is made from."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import is_dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.core.types import Type
from numba.extending import _Intrinsic

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Flag of a code object of Python 3.14 on whose first constant is a docstring.
_HAS_DOCSTRING = 0x4000000
#: Files whose effect on compiled code its bytecode does not show: they replace functions, name
#: the fields of arguments, or write instructions.
_UNSEEN = ("arithmetic.py", "caching.py", "jit.py", "rng.py", "engines/numba_engine/handle.py",
           "engines/numba_engine/pooled.py", "network/triangles.py", "network/volume.py")
#: Slices of numbers are constants from Python 3.14 on.
_PLAIN = (int, float, complex, str, bytes, bool, slice, type(None), type(Ellipsis), np.generic)


def fingerprint(function: FunctionType) -> str:
    """Return a hash of the bytecode and constants of a function and of all that it names.

    Comments, docstrings and line numbers do not count. A function or constant of another module of
    the package counts only where it is named, at any depth.

    Parameters
    ----------
    function : function
        The Python function.

    Returns
    -------
    str
        Hexadecimal sha256.

    Raises
    ------
    TypeError
        The function names an object whose value cannot be told from its text.

    Examples
    --------
    >>> def twice(x):
    ...     return 2 * x
    >>> def thrice(x):
    ...     return 3 * x
    >>> fingerprint(twice) == fingerprint(thrice)
    False
    """
    digest = hashlib.sha256(_base().encode())
    for word in _Walk().of(function):
        digest.update(f"{len(word)}:{word}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@cache
def _base() -> str:
    """Return what every function depends on: the compilers, and files that act on all code."""
    here = Path(__file__).parent
    digest = hashlib.sha256(f"{version('numba')} {version('llvmlite')}".encode())
    for name in _UNSEEN:
        digest.update((here / name).read_bytes())
    return digest.hexdigest()


class _Walk:
    """One walk through everything that a function names, as words in a fixed order."""

    def __init__(self) -> None:
        self._met: dict[int, tuple[int, object]] = {}

    def of(self, thing: Any) -> Iterator[str]:
        """Yield the words of anything that compiled code can name."""
        if isinstance(thing, _PLAIN):
            yield f"{type(thing).__name__} {thing!r}"
        elif id(thing) in self._met:
            yield f"again {self._met[id(thing)][0]}"
        else:
            # Kept alive, so that no other object gets its id.
            self._met[id(thing)] = len(self._met), thing
            yield from self._new(thing)

    def _new(self, thing: Any) -> Iterator[str]:
        if isinstance(thing, Dispatcher):
            yield f"compiled {sorted(thing.targetoptions.items())}"
            yield from self.of(thing.py_func)
        elif isinstance(thing, _Intrinsic):
            yield "intrinsic"
            yield from self.of(thing._defn)
        elif isinstance(thing, FunctionType):
            yield from self._function(thing)
        elif isinstance(thing, np.ndarray):
            yield f"array {thing.dtype.str} {thing.shape} {thing.tobytes().hex()}"
        elif isinstance(thing, (tuple, list)):
            yield f"{type(thing).__name__} {len(thing)}"
            for part in thing:
                yield from self.of(part)
        elif isinstance(thing, (ModuleType, type, BuiltinFunctionType, np.ufunc)):
            yield f"{getattr(thing, '__module__', '')}.{thing.__name__}"
            yield f"{getattr(thing, '_fields', '')}"
        elif isinstance(thing, Type):
            yield f"type {thing!r}"
        elif callable(thing) and not is_dataclass(thing) and _foreign(thing):
            yield f"{thing.__module__}.{getattr(thing, '__name__', type(thing).__name__)}"
        else:
            msg = f"compiled code names {thing!r}, which has no text that tells its value"
            raise TypeError(msg)

    def _function(self, function: FunctionType) -> Iterator[str]:
        yield f"function {function.__module__}.{function.__qualname__}"
        if _foreign(function):
            return
        yield from self.of(function.__defaults__)
        for cell in function.__closure__ or ():
            yield from self.of(cell.cell_contents)
        yield from self._code(function.__code__, function.__globals__)

    def _code(self, code: CodeType, names: dict[str, Any]) -> Iterator[str]:
        yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars}"
        for constant in code.co_consts[_documented(code):]:
            if isinstance(constant, CodeType):
                yield from self._code(constant, names)
            elif isinstance(constant, frozenset):
                yield f"set {sorted(map(repr, constant))}"
            else:
                yield from self.of(constant)
        modules = []
        for name in code.co_names:
            if name in names:
                yield from self.of(names[name])
                if isinstance(names[name], ModuleType) and not _foreign(names[name]):
                    modules.append(names[name])
        for module in modules:
            for name in code.co_names:
                if hasattr(module, name):
                    yield from self.of(getattr(module, name))


def _foreign(thing: Any) -> bool:
    """Return whether something comes from another package, whose version stands for it."""
    home = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", "")
    return (home or "").partition(".")[0] in ("numba", "numpy", "llvmlite", "math", "builtins",
                                              "platform", "typing")


def _documented(code: CodeType) -> int:
    """Return 1 if the first constant of a function is kept for its docstring, else 0.

    From Python 3.14 on it is there only with a docstring: to give one to a function that has none
    moves its constants, and it is compiled once more.
    """
    if sys.version_info >= (3, 14):
        return int(bool(code.co_flags & _HAS_DOCSTRING))
    return int(not code.co_name.startswith("<"))
