"""Networks without spikes, and files for other tools."""

from __future__ import annotations

from typing import Annotated

import typer

from neostriatum.commands.app import (
    CircuitArgument,
    Json,
    Models,
    Overlay,
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


@app.command("build")
def build_command(
    circuit: CircuitArgument = "striatum", size: Size = None, seed: Seed = 1,
    threads: Threads = None, overlay: Overlay = None, changes: Set = None,
    centre_radius: Annotated[str, option(
        'Somas this near to the centroid are the centre, "75 um".', "--centre-radius")] = "75 um",
    out: Annotated[str | None, option("New file (.h5) or folder (new, under networks/).",
                                       "--out")] = None,
    dry_run: Annotated[bool, option("Say neurons, synapses, memory and time; build nothing.",
                                     "--dry-run")] = False,
    quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Build a network, save it and print its statistics."""
    from neostriatum.construction import construct
    from neostriatum.terminal import Progress, build_lines, plan_lines

    with Progress(silent=quiet or as_json) as progress:
        made = construct(circuit, size=size, seed=seed, threads=threads, overlay=overlay or (),
                         changes=changes_of(changes), centre_radius=centre_radius, out=out,
                         dry_run=dry_run, progress=progress)
    show(as_json, quiet, made, lambda: plan_lines(made) if dry_run else build_lines(made))


@app.command("export")
def export_command(
    what: Annotated[str, typer.Argument(metavar="RUN|NETWORK", help="A run, or a network.")],
    to: Annotated[str, option("Format: sonata; of a run also nwb, neo, csv.", "--to")],
    out: Annotated[str, option("New folder.", "--out")],
    quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Write a run or a network for other tools."""
    from neostriatum.recording.export import export
    from neostriatum.terminal import export_lines

    made = export(what, to, out)
    show(as_json, quiet, made, lambda: export_lines(made))
