"""Simulate circuits, go on with runs, do them again."""

from __future__ import annotations

from typing import Annotated

import typer

from neostriatum.commands.app import (
    D1,
    D2,
    AnyPrecision,
    AnySeed,
    CheckpointEvery,
    Dopamine,
    Dt,
    Duration,
    EngineName,
    Json,
    Models,
    Out,
    Overlay,
    Quiet,
    Record,
    RunArgument,
    Set,
    Size,
    Threads,
    app,
    changes_of,
    option,
    resumable,
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
    size: Size = None, duration: Duration = None,
    dt: Dt = None, dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, seed: AnySeed = None,
    engine: EngineName = None, threads: Threads = None, precision: AnyPrecision = None,
    overlay: Overlay = None, changes: Set = None, record: Record = None,
    events: Annotated[str | None, option("File of what is done during the run.",
                                          "--events")] = None,
    checkpoint_every: CheckpointEvery = "60 s", out: Out = None, quiet: Quiet = False,
    models: Models = None, as_json: Json = False,
) -> None:
    """Build, simulate, record, summarise and draw a circuit."""
    from neostriatum.engines.base import DEFAULT
    from neostriatum.runs.start import run
    from neostriatum.terminal import Progress, summary_lines

    with resumable(), Progress(silent=quiet or as_json) as progress:
        # What a file of events may say as well is handed on only where it was given here.
        given = {"size": size, "duration": duration, "dt": dt, "seed": seed,
                 "precision": precision, "events": events}
        made = run(circuit, network=network, weight_unit=weight_unit, dopamine=dopamine, d1=d1,
                   d2=d2, threads=threads, engine=DEFAULT if engine is None else engine,
                   overlay=overlay or (), changes=changes_of(changes), record=record or None,
                   checkpoint_every=checkpoint_every, out=out, progress=progress,
                   **{key: value for key, value in given.items() if value is not None})
    if not quiet:
        from neostriatum.circuit.cautions import warnings_of

        for warning in warnings_of(made.circuit, made.duration_ms):
            typer.echo(f"warning: {warning}", err=True)
    show(as_json, quiet, made.summary, lambda: summary_lines(made))


Again = Annotated[str | None, option("The network it was run with, if its file moved.",
                                     "--network")]


@app.command("resume")
def resume_command(
    run: RunArgument,
    duration: Annotated[str | None, option('Recorded time in all; longer extends, "10 s".',
                                            "--duration")] = None,
    network: Again = None, threads: Threads = None, checkpoint_every: CheckpointEvery = "60 s",
    quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Go on with a run that was stopped, or extend one, to the very same spikes."""
    from neostriatum.runs.go_on import resume
    from neostriatum.terminal import Progress, summary_lines

    with resumable(), Progress(silent=quiet or as_json) as progress:
        made = resume(run, duration=duration, network=network, threads=threads,
                      checkpoint_every=checkpoint_every, progress=progress)
    show(as_json, quiet, made.summary, lambda: summary_lines(made))


@app.command("rerun")
def rerun_command(
    run: RunArgument, out: Out = None, network: Again = None, threads: Threads = None,
    quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Do a run again from its record, and say whether the spikes are the same."""
    from neostriatum.runs.again import rerun
    from neostriatum.terminal import Progress, rerun_lines

    with resumable(), Progress(silent=quiet or as_json) as progress:
        made = rerun(run, out=out, network=network, threads=threads, progress=progress)
    show(as_json, quiet, made.summary, lambda: rerun_lines(made, run))
