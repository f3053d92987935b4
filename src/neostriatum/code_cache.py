"""Machine code of compiled functions on disk, each in a file named by what it was made from.

Numba's own cache numbers its files and keeps an index, which two processes that start at once can
both write, so that one is handed the code of another function. Here nothing is shared: the name is
the hash of all that decides the code, and a file appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.sigutils import normalize_signature

from neostriatum.compile_clock import CLOCK
from neostriatum.reach import fingerprint

if TYPE_CHECKING:
    from types import FunctionType

#: Files that are kept of one function; older ones go when another is written.
KEPT = 24
#: Bytes of a digest behind the code.
_DIGEST = 32


@cache
def folder() -> Path | None:
    """Return where compiled code is kept, or None where nothing can be written.

    ``NUMBA_CACHE_DIR`` if it is set, else beside the package, else in the user's folder for caches.
    """
    chosen = [Path(config.CACHE_DIR).absolute() / "neostriatum"] if config.CACHE_DIR else []
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    for candidate in (*chosen, Path(__file__).parent / "__pycache__" / "compiled",
                      home.absolute() / "neostriatum" / "compiled"):
        with suppress(OSError):
            candidate.mkdir(parents=True, exist_ok=True, mode=0o700)
            tempfile.TemporaryFile(dir=candidate).close()
            return candidate
    return None


@cache
def _warn_once() -> None:
    warnings.warn("compiled code cannot be kept on disk, so that every start compiles anew, for a "
                  "minute or more. Set NUMBA_CACHE_DIR to a folder that can be written",
                  stacklevel=2)


class _Files(IndexDataCacheFile):
    """The files of one function, without an index."""

    def __init__(self, function: FunctionType) -> None:
        # Not Numba's, which wants to know the folder before anything is to be kept.
        self._function = function

    @property
    def _cache_path(self) -> str:
        return str(folder() or "")

    def save(self, key: Any, data: Any) -> None:
        """Keep compiled code, unless the disk does not let us."""
        if folder() is None:
            _warn_once()
            return
        try:
            self._save_data(self._name(key), data)
        except OSError:
            _warn_once()
            return
        self._prune()

    def load(self, key: Any) -> Any:
        """Return compiled code that is kept whole, or None."""
        if folder() is None:
            return None
        name = self._name(key)
        try:
            content = Path(self._data_path(name)).read_bytes()
            if hashlib.sha256(content[:-_DIGEST]).digest() == content[-_DIGEST:]:
                return self._load_data(name)
        except OSError:
            pass
        return None

    def flush(self) -> None:
        """Remove everything that is kept of the function."""
        for path in self._all():
            with suppress(OSError):
                path.unlink()

    def _name(self, key: Any) -> str:
        text = f"{fingerprint(self._function)} {key!r}"
        return f"{_stem(self._function)}.{hashlib.sha256(text.encode()).hexdigest()[:32]}.nbc"

    def _dump(self, obj: Any) -> bytes:
        # Whoever unpacks the first part does not look at what is behind it.
        content = super()._dump(obj)
        return content + hashlib.sha256(content).digest()

    def _all(self) -> list[Path]:
        return list(Path(self._cache_path).glob(f"{_stem(self._function)}.*.nbc"))

    def _prune(self) -> None:
        with suppress(OSError):
            by_age = sorted(self._all(), key=lambda path: path.stat().st_mtime)
            for path in by_age[:-KEPT]:
                path.unlink(missing_ok=True)


class _Place:
    """Where Numba believes that it keeps code."""

    def __init__(self, function: FunctionType) -> None:
        self._py_file = function.__code__.co_filename

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(folder() or "")

    def ensure_cache_path(self) -> None:
        """Do nothing; `folder` made it."""


class _Packing(CompileResultCacheImpl):
    """How compiled code becomes bytes: Numba's way."""

    def __init__(self, function: FunctionType) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Place(function)
        self._filename_base = _stem(function)


class CodeCache(FunctionCache):
    """The cache of one compiled function.

    Parameters
    ----------
    function : function
        The Python function.
    """

    _impl_class = _Packing

    def __init__(self, function: FunctionType) -> None:
        self._name = repr(function)
        self._py_func = function
        self._impl = _Packing(function)
        self._cache_file = _Files(function)
        self.enable()

    @property
    def cache_path(self) -> str:
        """The folder of the files."""
        return str(folder() or "")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code for these arguments; None, and the clock runs, where there is none."""
        _leave_out_scipy()
        code = super().load_overload(sig, target_context)
        if code is None or tuple(code.signature.args) != tuple(normalize_signature(sig)[0]):
            CLOCK.start()
            return None
        return code

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep code that was compiled, and stop the clock."""
        CLOCK.stop()
        super().save_overload(sig, data)


@cache
def _leave_out_scipy() -> None:
    """Import Numba's array functions without SciPy, which takes a quarter of a second.

    They import it only to see that it is there, as our dependencies make sure. A function that
    needs linear algebra still has Numba look when it is compiled.
    """
    with suppress(ImportError, AttributeError):  # another version of Numba may do without
        from numba.np import linalg

        ensure_blas = linalg.ensure_blas
        linalg.ensure_blas = lambda: None
        try:
            import_module("numba.np.arraymath")
        finally:
            linalg.ensure_blas = ensure_blas


def _stem(function: FunctionType) -> str:
    name = f"{function.__module__.removeprefix('neostriatum.')}.{function.__qualname__}"
    return name.replace("<", "").replace(">", "")
