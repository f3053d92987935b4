"""The command line: every command, one line per error, and its exit code."""

from __future__ import annotations

import errno
import gc
import os
import sys
import warnings
from functools import cache
from importlib import import_module
from typing import Any

import typer

from neostriatum.commands.app import app, printable
from neostriatum.environment import check_environment
from neostriatum.errors import NeostriatumError, NeostriatumWarning, RunFileError
from neostriatum.ranks import launched

#: In the order of --help.
FILES = ("run", "learn", "live", "isolated", "sweep", "network", "results", "about", "models",
         "validate", "bench")
for _name in FILES:
    import_module(f"neostriatum.commands.{_name}")

#: Most characters of an error.
LONGEST = 200
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    arguments = [one for one in arguments if one != "--debug"]
    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=NeostriatumWarning)
        warnings.showwarning = _one_line_warning
        if launched() > 1:
            from neostriatum.engines.nest_engine.ranks_follow import among

            return among(lambda: _answer(arguments, debug), _explain)
        return _answer(arguments, debug)


def _answer(arguments: list[str], debug: bool) -> int:
    try:
        check_environment()
        # Not app(...), which sets sys.excepthook.
        code = _command()(arguments, prog_name="neostriatum", standalone_mode=False)
        return _complain("interrupted", 130) if code == 130 else int(code or 0)
    except SystemExit:
        return 0  # who reads our output has read enough
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except Exception as error:
        if debug:
            raise
        return _explain(error)


@cache
def _command() -> Any:
    """Return the program as Typer makes it of its functions, once."""
    return typer.main.get_command(app)


def _explain(error: Exception) -> int:
    if isinstance(error, MemoryError):
        text = f" ({error})" if str(error) else ""
        return _complain(f"neostriatum: needs more memory than there is{text}", 2)
    # What writes files has refused before with the name of the file: this is what is printed.
    if isinstance(error, OSError) and error.errno in _FULL:
        return _complain(f"output: cannot be written ({error.strerror}). Free space or use --quiet",
                         RunFileError.exit_code)
    if isinstance(error, NeostriatumError):
        return _complain(str(error), error.exit_code)
    if type(error).__name__ == "Abort":
        return _complain("interrupted", 130)
    if hasattr(error, "format_message"):
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "neostriatum"
        return _complain(f"{where}: {error.format_message()}", 2)
    from neostriatum import __version__

    kind, text = type(error).__name__, str(error)
    return _complain(f"neostriatum {__version__}: our bug, {kind}: {text}. "
                     "Please report it, with --debug", 1)


def _complain(text: str, code: int) -> int:
    text = printable(" ".join(text.split()))
    typer.echo(text if len(text) <= LONGEST else text[: LONGEST - 3] + "...", err=True)
    return code


def _one_line_warning(message: Any, category: Any, *about: Any, **more: Any) -> None:
    del category, about, more
    typer.echo(printable(f"warning: {' '.join(str(message).split())}"), err=True)


def _written(code: int) -> int:
    """Return the exit code once all is written that was printed; the end would try it once more."""
    try:
        sys.stdout.flush()
    except (AttributeError, ValueError):
        pass  # there is no output, or it is closed
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code or (0 if isinstance(error, BrokenPipeError) else _explain(error))
    return code


def entry() -> None:
    """Run the command line as a program."""
    # It shows no windows, and Matplotlib cannot be imported where this names no backend.
    os.environ.pop("MPLBACKEND", None)
    code = _written(main())
    # All ends with the process: taking it apart, object by object, takes a third of a second.
    gc.freeze()
    sys.exit(code)
