"""NEST itself: imported quietly, of the right version, and with MPI where ranks need it."""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from neostriatum.errors import EngineMissing
from neostriatum.ranks import launched, world

#: Versions that the generated cells were tested with.
SERIES = "3.10"


@lru_cache(maxsize=1)
def nest() -> Any:
    """Return the NEST module.

    Raises
    ------
    EngineMissing
        It is not installed, of another version, or without the MPI that this process runs under.
    """
    os.environ.setdefault("PYNEST_QUIET", "1")
    count = launched()
    if count > 1:
        _needs_mpi(count)
        world()  # MPI starts once, before NEST
    flags = sys.getdlopenflags()
    try:
        # What a cell model links against must be found in NEST's own library.
        sys.setdlopenflags(os.RTLD_NOW | os.RTLD_GLOBAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import nest as found
    except ImportError as error:
        msg = (f"engine nest: needs NEST {SERIES} ({str(error)[:60]}). Install it with: "
               'pip install "neostriatum[nest]", or make nest-mpi for MPI')
        raise EngineMissing(msg) from None
    finally:
        sys.setdlopenflags(flags)
    version = str(getattr(found, "__version__", "another module of that name"))
    if not version.startswith(f"{SERIES}."):
        msg = f"engine nest: needs NEST {SERIES} (got {version}). Install it with: pip install " \
              f'"nest-simulator~={SERIES}.0"'
        raise EngineMissing(msg)
    found.verbosity = found.VerbosityLevel.ERROR
    if count > 1 and found.num_processes != count:
        msg = (f"engine nest: needs the MPI that started it (got {found.num_processes} of {count} "
               "ranks). Use the mpiexec that NEST was built with")
        raise EngineMissing(msg)
    return found


def _needs_mpi(count: int) -> None:
    """Refuse a NEST without MPI before it is imported: it would end this process at once."""
    spec = find_spec("nest")
    for folder in (spec and spec.submodule_search_locations) or ():
        for library in Path(folder).glob("nestkernel_api*.so"):
            if b"MPI_Init" not in library.read_bytes():
                msg = (f"engine nest: needs NEST built with MPI to run on {count} ranks (got one "
                       "without). Install it with: make nest-mpi")
                raise EngineMissing(msg)


def keep_threads(count: int) -> None:
    """Tell OpenMP the number of threads that NEST has.

    NEST sets it once and then counts on it, in arrays with a row per thread. Numba may share its
    OpenMP and set another; NEST then writes where no row is.
    """
    from nest import nestkernel_api

    library = ctypes.CDLL(nestkernel_api.__file__)
    if hasattr(library, "omp_set_num_threads"):
        library.omp_set_num_threads(ctypes.c_int(count))
