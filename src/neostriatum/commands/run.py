"""Simulate circuits."""

from __future__ import annotations

from typing import Annotated

import typer

from neostriatum.commands.app import (
    D1,
    D2,
    Dopamine,
    Dt,
    Duration,
    EngineName,
    Json,
    Out,
    Overlay,
    Precision,
    Quiet,
    Seed,
    Set,
    Size,
    Threads,
    app,
    changes_of,
    option,
    show,
)


@app.command("run")
def run_command(
    circuit: Annotated[str | None, typer.Argument(
        help="Name of a circuit, or a file (striatum, or that of --network).")] = None,
    network: Annotated[str | None, option("Simulate a network file, or SONATA.",
                                           "--network")] = None,
    weight_unit: Annotated[str, option("Unit of weights in SONATA of other tools, nS or uS.",
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
                   overlay=overlay or (), changes=changes_of(changes), out=out, progress=progress)
    if not quiet:
        from neostriatum.circuit.cautions import warnings_of

        for warning in warnings_of(made.circuit):
            typer.echo(f"warning: {warning}", err=True)
    show(as_json, quiet, made.summary, lambda: summary_lines(made))
