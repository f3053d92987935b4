"""The program, the options that commands share, and how they print."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

app = typer.Typer(
    name="neostriatum", invoke_without_command=True, add_completion=False, rich_markup_mode=None,
    help="Simulate the microcircuit of the striatum, from one cell to a whole one.",
)


def _precision(said: str | None) -> str | None:
    if said not in ("double", "single", None):
        msg = f"must be double or single (got {said})"
        raise typer.BadParameter(msg)
    return said


def _register(modules: list[str] | None) -> None:
    """Register models before anything is loaded."""
    if modules:
        from neostriatum.models.registry import read_modules

        read_modules(modules)


def option(text: str, *names: str, **settings: Any) -> Any:
    """Return an option of the house's make: its help, its names, no default shown."""
    return typer.Option(*names, help=text, show_default=settings.pop("show_default", False),
                        **settings)


CircuitArgument = Annotated[str, typer.Argument(help="Name of a circuit, or a file.")]
CircuitOption = Annotated[str, option("Name of a circuit, or a file.", "--circuit")]
Size = Annotated[int | None, option("Neurons in all.", "--size", min=1, max=2**31 - 1)]
Dt = Annotated[str | None, option('Step, "0.1 ms".', "--dt")]
Dopamine = Annotated[float | None, option("Dopamine, 0 to 1; sets D1 and D2.", "--dopamine")]
D1 = Annotated[float | None, option("D1 activation, wins over --dopamine.", "--d1")]
D2 = Annotated[float | None, option("D2 activation, wins over --dopamine.", "--d2")]
Seed = Annotated[int, option("Master seed.", "--seed")]
AnySeed = Annotated[int | None, option("Master seed (1).", "--seed")]
EngineName = Annotated[str | None, option("Engine: numba, reference, brian2, brian2-runtime, nest.",
                                           "--engine")]
Threads = Annotated[int | None, option("Threads (all cores).", "--threads")]
Precision = Annotated[str, option("double or single.", "--precision", callback=_precision)]
AnyPrecision = Annotated[str | None, option("double or single (double).", "--precision",
                                            callback=_precision)]
Overlay = Annotated[list[str] | None, option("Overlay, or overlay.part; repeatable.", "--overlay")]
Set = Annotated[list[str] | None, option('KEY=VALUE, repeatable: cells.dSPN.parameters.C="16 pF".',
                                          "--set")]
Models = Annotated[list[str] | None, option(
    "Module that registers models, or holds some; repeatable.", "--models", callback=_register,
    expose_value=False)]
Out = Annotated[str | None, option("Folder of results (new, under runs/).", "--out")]
Quiet = Annotated[bool, option("Print nothing but errors.", "--quiet")]
Json = Annotated[bool, option("Print JSON for machines.", "--json")]
Record = Annotated[list[str] | None, option(
    'TYPE:CELLS:VARIABLES:EVERY, repeatable: "dSPN:10:v,u,g_AMPA:5", "FS:[0,7]", '
    '"modulators.ACh:level", "pathways.FS->dSPN:5:x", or none.',
    "--record")]
CheckpointEvery = Annotated[str, option('Wall time between checkpoints, "60 s".',
                                        "--checkpoint-every")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run.")]
Duration = Annotated[str | None, option('Simulated time, "2 s".', "--duration")]


@app.callback()
def _root(
    context: typer.Context,
    debug: Annotated[bool, option("Show the traceback of an error.", "--debug")] = False,
    version: Annotated[bool, option("Print the version.", "--version")] = False,
) -> None:
    """Hold options that come before the command; --debug is read by main."""
    if version:
        from neostriatum import __version__

        typer.echo(f"neostriatum {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def changes_of(said: list[str] | None, name: str = "--set") -> dict[str, Any]:
    """Return {key: value} of what ``--set`` was given, or another option of its form.

    Raises
    ------
    CircuitError
        Something without a key or an equals sign.
    """
    from neostriatum.errors import CircuitError, shown
    from neostriatum.recording.record import parsed

    changes: dict[str, Any] = {}
    for one in said or ():
        key, equals, value = one.partition("=")
        if not equals or not key.strip():
            msg = f"{name}: must be KEY=VALUE (got {shown(one)})"
            raise CircuitError(msg)
        changes[key.strip()] = parsed(value.strip())
    return changes


@contextmanager
def resumable() -> Iterator[None]:
    """Let an interrupt say what it left and how to go on."""
    from neostriatum.errors import Interrupted

    try:
        yield
    except KeyboardInterrupt as stop:
        if not str(stop):
            raise
        raise Interrupted(str(stop)) from None


def show(as_json: bool, quiet: bool, data: dict[str, Any],
           lines: Callable[[], list[str]]) -> None:
    """Print data as JSON, or lines for a person, or nothing."""
    if as_json:
        typer.echo(json.dumps(data, allow_nan=False))
    elif not quiet:
        for line in lines():
            typer.echo(printable(line))


def printable(text: str) -> str:
    """Return ``text`` without control characters, which a file could send to the terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)
