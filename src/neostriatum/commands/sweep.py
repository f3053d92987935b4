"""Many runs."""

from __future__ import annotations

from typing import Annotated

import typer

from neostriatum.commands.app import Json, Models, Quiet, Threads, app, option, show


@app.command("sweep")
def sweep_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Sweep file: what varies.")],
    out: Annotated[str | None, option("Folder (new, under sweeps/); that of a sweep goes on.",
                                       "--out")] = None,
    jobs: Annotated[int | None, option("Processes at a time (one per core).", "--jobs")] = None,
    threads: Threads = None, quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Run a circuit over a grid of parameters and seeds; go on where a sweep stopped."""
    from neostriatum.sweeps.sweep import sweep
    from neostriatum.terminal import PointsProgress, sweep_lines

    try:
        with PointsProgress(silent=quiet or as_json) as progress:
            made = sweep(file, out=out, jobs=jobs, threads=threads, progress=progress)
    except KeyboardInterrupt as stopped:
        if stopped.args and not (quiet or as_json):
            typer.echo(stopped.args[0], err=True)
        raise
    show(as_json, quiet, made.to_dict(), lambda: sweep_lines(made))
    if made.exit_code:
        raise typer.Exit(made.exit_code)
