"""The command line: a thin shell over the Python calls, one line per error."""

from __future__ import annotations

import json
import sys
import warnings
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

#: Most characters of an error.
LONGEST = 200

app = typer.Typer(
    name="neostriatum", invoke_without_command=True, add_completion=False, rich_markup_mode=None,
    help="Simulate the microcircuit of the striatum, from one cell to a whole one.",
)


def _precision(said: str) -> str:
    if said not in ("double", "single"):
        msg = f"must be double or single (got {said})"
        raise typer.BadParameter(msg)
    return said


def _option(text: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=text, show_default=settings.pop("show_default", False),
                        **settings)


CircuitArgument = Annotated[str, typer.Argument(help="Name of a circuit, or a file.")]
CircuitOption = Annotated[str, _option("Name of a circuit, or a file.", "--circuit")]
Size = Annotated[int | None, _option("Neurons in all.", "--size", min=1, max=2**31 - 1)]
Dt = Annotated[str | None, _option('Step, "0.1 ms".', "--dt")]
Dopamine = Annotated[float | None, _option("Dopamine, 0 to 1; sets D1 and D2.", "--dopamine")]
D1 = Annotated[float | None, _option("D1 activation, wins over --dopamine.", "--d1")]
D2 = Annotated[float | None, _option("D2 activation, wins over --dopamine.", "--d2")]
Seed = Annotated[int, _option("Master seed.", "--seed")]
EngineName = Annotated[str | None, _option("Engine: numba, reference, brian2, brian2-runtime.",
                                           "--engine")]
Threads = Annotated[int | None, _option("Threads (all cores).", "--threads")]
Precision = Annotated[str, _option("double or single.", "--precision", callback=_precision)]
Overlay = Annotated[list[str] | None, _option("Overlay, or overlay.part; repeatable.", "--overlay")]
Set = Annotated[list[str] | None, _option('KEY=VALUE, repeatable: cells.dSPN.parameters.C="16 pF".',
                                          "--set")]
Out = Annotated[str | None, _option("Folder of results (new, under runs/).", "--out")]
Quiet = Annotated[bool, _option("Print nothing but errors.", "--quiet")]
Json = Annotated[bool, _option("Print JSON for machines.", "--json")]
Duration = Annotated[str | None, _option('Simulated time, "2 s".', "--duration")]


@app.callback()
def _root(
    context: typer.Context,
    debug: Annotated[bool, _option("Show the traceback of an error.", "--debug")] = False,
) -> None:
    """Hold options that come before the command; --debug is read by main."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("run")
def run_command(
    circuit: Annotated[str | None, typer.Argument(
        help="Name of a circuit, or a file (striatum, or that of --network).")] = None,
    network: Annotated[str | None, _option("Simulate a network file, or SONATA.",
                                           "--network")] = None,
    weight_unit: Annotated[str, _option("Unit of weights in SONATA of other tools, nS or uS.",
                                        "--weight-unit")] = "nS",
    size: Size = None, duration: Duration = "2 s",
    dt: Dt = None, dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, seed: Seed = 1,
    engine: EngineName = None, threads: Threads = None, precision: Precision = "double",
    overlay: Overlay = None, changes: Set = None, out: Out = None, quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Build, simulate, record, summarise and draw a circuit."""
    from neostriatum.engines.base import DEFAULT
    from neostriatum.simulation import run
    from neostriatum.terminal import Progress, summary_lines

    with Progress(silent=quiet or as_json) as progress:
        made = run(circuit, network=network, weight_unit=weight_unit, size=size,
                   duration=duration, dt=dt, dopamine=dopamine, d1=d1, d2=d2, seed=seed,
                   threads=threads,
                   engine=DEFAULT if engine is None else engine, precision=precision,
                   overlay=overlay or (), changes=_changes(changes), out=out, progress=progress)
    if not quiet:
        from neostriatum.information import warnings_of

        for warning in warnings_of(made.circuit):
            typer.echo(f"warning: {warning}", err=True)
    _print(as_json, quiet, made.summary, lambda: summary_lines(made))


@app.command("cell")
def cell_command(
    name: Annotated[str, typer.Argument(metavar="TYPE", help="dSPN, iSPN or FS.")],
    current: Annotated[str | None, _option('Constant current, "270 pA".', "--current")] = None,
    sweep: Annotated[str | None, _option('An f-I curve, "220:300:5 pA".', "--sweep")] = None,
    circuit: CircuitOption = "striatum", duration: Duration = "1 s", dt: Dt = None,
    dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, engine: EngineName = "reference",
    overlay: Overlay = None, changes: Set = None, out: Out = None, as_json: Json = False,
) -> None:
    """Inject a constant current into one isolated neuron."""
    from neostriatum.experiments.cell import cell
    from neostriatum.terminal import cell_lines, draw_cell

    made = cell(name, current, sweep=sweep, circuit=circuit, duration=duration,
                engine=engine, dt=dt, dopamine=dopamine, d1=d1, d2=d2,
                overlay=overlay or (), changes=_changes(changes))
    figure = draw_cell(made, out) if out else None
    _print(as_json, False, made.to_dict() | ({"out": str(figure)} if figure else {}),
           lambda: cell_lines(made, figure))


@app.command("pair")
def pair_command(
    source: Annotated[str, typer.Argument(help="Presynaptic cell type.")],
    target: Annotated[str, typer.Argument(help="Postsynaptic cell type.")],
    n: Annotated[int, _option("Cells on each side.", "--n")] = 1,
    holding: Annotated[str | None, _option('Potential of the target, "-80 mV".',
                                           "--holding")] = None,
    distance: Annotated[str, _option('Between the somas, "50 um".', "--distance")] = "50 um",
    circuit: CircuitOption = "striatum", duration: Duration = None, dt: Dt = None,
    dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, seed: Seed = 1,
    engine: EngineName = "reference", overlay: Overlay = None, changes: Set = None,
    out: Out = None, as_json: Json = False,
) -> None:
    """Connect cells of one type to cells of another: one synaptic potential, or two groups."""
    from neostriatum.experiments.pair import pair
    from neostriatum.terminal import draw_pair, pair_lines

    made = pair(source, target, n=n, circuit=circuit, holding=holding, distance=distance,
                duration=duration, seed=seed, engine=engine, dt=dt,
                dopamine=dopamine, d1=d1, d2=d2, overlay=overlay or (), changes=_changes(changes))
    figure = draw_pair(made, out) if out else None
    _print(as_json, False, made.to_dict() | ({"out": str(figure)} if figure else {}),
           lambda: pair_lines(made, figure))


@app.command("bench")
def bench_command(
    circuit: CircuitOption = "striatum", size: Size = None, duration: Duration = "2 s",
    repeats: Annotated[int, _option("Runs of every engine.", "--repeats")] = 5,
    dt: Dt = None, dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, seed: Seed = 1,
    threads: Threads = None, overlay: Overlay = None, changes: Set = None, quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Measure the speed of every installed engine on one network."""
    from neostriatum.bench import bench
    from neostriatum.terminal import Progress, bench_lines

    with Progress(silent=quiet or as_json) as progress:
        made = bench(circuit, size=size, duration=duration, repeats=repeats,
                     seed=seed, threads=threads, progress=progress, dt=dt, dopamine=dopamine, d1=d1,
                     d2=d2, overlay=overlay or (), changes=_changes(changes))
    _print(as_json, quiet, made, lambda: bench_lines(made))


@app.command("build")
def build_command(
    circuit: CircuitArgument = "striatum", size: Size = None, seed: Seed = 1,
    threads: Threads = None, overlay: Overlay = None, changes: Set = None,
    centre_radius: Annotated[str, _option(
        'Somas this near to the centroid are the centre, "75 um".', "--centre-radius")] = "75 um",
    out: Annotated[str | None, _option("New file (.h5) or folder (new, under networks/).",
                                       "--out")] = None,
    dry_run: Annotated[bool, _option("Say neurons, synapses, memory and time; build nothing.",
                                     "--dry-run")] = False,
    quiet: Quiet = False, as_json: Json = False,
) -> None:
    """Build a network, save it and print its statistics."""
    from neostriatum.construction import construct
    from neostriatum.terminal import Progress, build_lines, plan_lines

    with Progress(silent=quiet or as_json) as progress:
        made = construct(circuit, size=size, seed=seed, threads=threads, overlay=overlay or (),
                         changes=_changes(changes), centre_radius=centre_radius, out=out,
                         dry_run=dry_run, progress=progress)
    _print(as_json, quiet, made, lambda: plan_lines(made) if dry_run else build_lines(made))


@app.command("export")
def export_command(
    what: Annotated[str, typer.Argument(metavar="NETWORK", help="Network file, or SONATA.")],
    to: Annotated[str, _option("Format: sonata.", "--to")],
    out: Annotated[str, _option("New folder.", "--out")],
    quiet: Quiet = False, as_json: Json = False,
) -> None:
    """Write a network for other tools."""
    from neostriatum.recording.export import export

    made = export(what, to, out)
    _print(as_json, quiet, made, lambda: [
        f"{made['circuit']}: {made['neurons']:,} neurons, {made['synapses']:,} synapses, "
        f"{made['gap_junctions']:,} gap junctions written to {made['out']}"])


@app.command("info")
def info_command(
    circuit: Annotated[str, typer.Argument(help="Name of a circuit, a file, or a run."),
                       ] = "striatum",
    dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, overlay: Overlay = None,
    changes: Set = None, schema: Annotated[bool, _option("Print the JSON Schema of circuit files.",
                                                         "--schema")] = False,
    as_json: Json = False,
) -> None:
    """Print the resolved parameters with units and sources."""
    from neostriatum.information import describe, lines, schema_of

    if schema:
        typer.echo(json.dumps(schema_of(), indent=1))
        return
    made = describe(circuit, dopamine=dopamine, d1=d1, d2=d2, overlay=overlay or (),
                    changes=_changes(changes))
    _print(as_json, False, made, lambda: lines(made))


@app.command("cite")
def cite_command(
    run_or_circuit: Annotated[str, typer.Argument(metavar="RUN", help="A run, or a circuit.")],
    as_json: Json = False,
) -> None:
    """Print BibTeX of every source that a run used, with what it was used for."""
    from neostriatum.information import cited
    from neostriatum.terminal import bibtex

    made = cited(run_or_circuit)
    _print(as_json, False, made, lambda: bibtex(made))


def _changes(said: list[str] | None) -> dict[str, Any]:
    from neostriatum.errors import CircuitError, shown

    changes: dict[str, Any] = {}
    for one in said or ():
        key, equals, value = one.partition("=")
        if not equals or not key.strip():
            msg = f"--set: must be KEY=VALUE (got {shown(one)})"
            raise CircuitError(msg)
        changes[key.strip()] = _parsed(value.strip())
    return changes


def _parsed(text: str) -> Any:
    """Return a number, boolean, list or table that is spelled as in JSON, else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _print(as_json: bool, quiet: bool, data: dict[str, Any],
           lines: Callable[[], list[str]]) -> None:
    if as_json:
        typer.echo(json.dumps(data, allow_nan=False))
    elif not quiet:
        for line in lines():
            typer.echo(_printable(line))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    arguments = [one for one in arguments if one != "--debug"]
    warnings.showwarning = _one_line_warning
    try:
        code = app(arguments, prog_name="neostriatum", standalone_mode=False)
        return _complain("interrupted", 130) if code == 130 else int(code or 0)
    except SystemExit:
        return 0  # who reads our output has read enough
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except Exception as error:
        if debug:
            raise
        return _explain(error)


def _explain(error: Exception) -> int:
    from neostriatum.errors import NeostriatumError

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
    text = _printable(" ".join(text.split()))
    typer.echo(text if len(text) <= LONGEST else text[: LONGEST - 3] + "...", err=True)
    return code


def _printable(text: str) -> str:
    """Return ``text`` without control characters, which a file could send to the terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)


def _one_line_warning(message: Any, category: Any, *about: Any, **more: Any) -> None:
    del category, about, more
    typer.echo(_printable(f"warning: {' '.join(str(message).split())}"), err=True)


def entry() -> None:
    """Run the command line as a program."""
    sys.exit(main())
