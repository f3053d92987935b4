"""One hierarchy of errors; each carries the exit code that the command line returns for it.

A message is one line: ``<where>: <rule> (got <value>). <remedy>``.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class NeostriatumWarning(UserWarning):
    """What a user must know although the work was done."""


class NeostriatumError(Exception):
    """Base of every error that a user can cause or must know about.

    Examples
    --------
    >>> import neostriatum as ns
    >>> try:
    ...     ns.load("striatum_v1", changes={"warmup": "5 mV"})
    ... except ns.NeostriatumError as error:
    ...     print(error.exit_code)
    2
    """

    exit_code = 1


class CircuitError(NeostriatumError):
    """A circuit, overlay, option or input file says something impossible."""

    exit_code = 2


class InputError(NeostriatumError, ValueError):
    """Arrays or options of a measure or a figure are impossible."""

    exit_code = 2


class ModelError(NeostriatumError):
    """The equations of a model do not fit together, or nobody knows a model of that name."""

    exit_code = 2


class BuildError(NeostriatumError):
    """A network cannot be built from this circuit at this size."""

    exit_code = 2


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn a lack of memory, wherever it shows, into one line.

    Raises
    ------
    BuildError
        Something needed more memory than there is.
    """
    try:
        yield
    except MemoryError as error:
        reason = f" ({error})" if str(error) else ""
        msg = f"size: needs more memory than there is{reason}. Choose a smaller one"
        raise BuildError(msg) from None


class EngineMissing(NeostriatumError):
    """A known engine, or what it needs, is not installed."""

    exit_code = 3


class LibraryMissing(NeostriatumError):
    """An optional library that the circuit needs is not installed."""

    exit_code = 3


class EngineUnsupported(NeostriatumError):
    """An engine was asked for something that its capability table excludes."""

    exit_code = 3


class NumericsError(NeostriatumError):
    """A membrane potential or conductance left its physical range."""

    exit_code = 4


class RunFileError(NeostriatumError):
    """Run or network files are damaged, unwritable or in the way."""

    exit_code = 5


class Interrupted(NeostriatumError):
    """Ctrl-C, answered once everything was safe."""

    exit_code = 130


def undrawn(label: str, what: str, error: Exception, later: str) -> NeostriatumWarning:
    """Return the warning that something is finished and safe, but could not be drawn.

    Parameters
    ----------
    label : str
        Where it is.
    what : str
        What is finished, and what could not be made.
    error : Exception
        Why.
    later : str
        How to make it later.
    """
    text = " ".join(f"{type(error).__name__}: {error}".split())
    text = text if len(text) <= 120 else text[:117] + "..."
    return NeostriatumWarning(f"{label}: {what} could not be made ({text}). {later}")


def shown(value: object) -> str:
    """Return ``value`` as it may appear in a one-line message: at most 60 characters."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
