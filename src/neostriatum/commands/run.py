"""Simulate circuits, go on with runs, do them again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from neostriatum.recording.store import Run


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
    from neostriatum.terminal import Progress

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
    environment: Annotated[str | None, option(
        "MODULE:FACTORY that a run learns from, if it is your own.", "--environment")] = None,
    quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Go on with a run that was stopped, or extend one, to the very same spikes."""
    from neostriatum.runs.go_on import resume
    from neostriatum.terminal import Progress

    with resumable(), Progress(silent=quiet or as_json) as progress:
        made = resume(run, duration=duration, network=network, threads=threads,
                      checkpoint_every=checkpoint_every, progress=progress,
                      environment=environment)
    show(as_json, quiet, made.summary, lambda: summary_lines(made))


@app.command("rerun")
def rerun_command(
    run: RunArgument, out: Out = None, network: Again = None, threads: Threads = None,
    quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Do a run again from its record, and say whether the spikes are the same."""
    from neostriatum.runs.again import rerun
    from neostriatum.terminal import Progress

    with resumable(), Progress(silent=quiet or as_json) as progress:
        made = rerun(run, out=out, network=network, threads=threads, progress=progress)
    show(as_json, quiet, made.summary, lambda: rerun_lines(made, run))


def summary_lines(run: Run) -> list[str]:
    """Return the summary of a run for a person."""
    from neostriatum.circuit.modulator import dopamine, others

    said = run.summary
    lines = [f"{said['circuit']}: {said['neurons']:,} neurons, {said['synapses']:,} synapses, "
             f"{said['gap_junctions']:,} gap junctions; dopamine "
             f"{dopamine(said['dopamine'])}"
             f"{others(said.get('modulators', {}), said.get('levels_held', ()))}; "
             f"seed {said['seed']}"
             + _events(run)]
    for name, rate in said["rates_hz"].items():
        if rate is not None:
            lines.append(f"  {name:<5} {len(run.populations[name]):>9,} neurons {rate:8.2f} Hz")
    compiled = f"compiled in {said['compile_s']:.1f} s, " if said.get("compile_s") else ""
    lines.append(f"{said['duration_ms'] / 1000:g} s simulated in {said['simulate_s']:.2f} s "
                 f"(engine {said['engine']}, real-time factor {said['real_time_factor']:.2f}), "
                 f"built in {said['build_s']:.2f} s, {compiled}warm-up {said['warmup_s']:.2f} s, "
                 f"peak memory {said['peak_memory_gb']:.2f} GB")
    page = "report.html"
    drawn = f", report in {Path(run.label) / page}" if (run.folder / page).is_file() else ""
    return [*lines, f"results in {run.label}{drawn}"]


def _events(run: Run) -> str:
    """Return how many events a run had, nothing where it had none."""
    number = len(run.record.get("events", ()))
    return "" if not number else "; 1 event" if number == 1 else f"; {number:,} events"


def rerun_lines(made: Run, first: str) -> list[str]:
    """Return the summary of a rerun for a person, and whether it agrees with the first run."""
    from neostriatum.recording.store import Run
    from neostriatum.runs.again import changed_since

    said = made.summary
    if said["equal"] is None:
        verdict = f"{first} did not finish, so there is nothing to compare with"
    elif said["equal"]:
        verdict = f"the same spikes as {first}, hash {said['spike_hash'][:16]}"
    else:
        verdict = (f"other spikes than {first}: hash {said['spike_hash'][:16]}, was "
                   f"{said['original_hash'][:16]}; {changed_since(Run(first)) or 'same versions'}")
    return [*summary_lines(made), verdict]
