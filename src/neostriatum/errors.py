"""One hierarchy of errors; each carries the exit code that the command line returns for it.

A message is one line: ``<where>: <rule> (got <value>). <remedy>``.
"""

from __future__ import annotations


class NeostriatumError(Exception):
    """Base of every error that a user can cause or must know about."""

    exit_code = 1


class CircuitError(NeostriatumError):
    """A circuit, overlay, option or input file says something impossible."""

    exit_code = 2


class InputError(NeostriatumError, ValueError):
    """Arrays or options of a measure or a figure are impossible."""

    exit_code = 2


class BuildError(NeostriatumError):
    """A network cannot be built from this circuit at this size."""

    exit_code = 2


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


def shown(value: object) -> str:
    """Return ``value`` as it may appear in a one-line message: at most 60 characters."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
