"""Many runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from neostriatum.commands.app import Json, Models, Quiet, Threads, app, option, show

if TYPE_CHECKING:
    from neostriatum.sweeps.sweep import Sweep


@app.command("sweep")
def sweep_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Sweep file: what varies.")],
    out: Annotated[str | None, option("Folder (new, under sweeps/); that of a sweep goes on.",
                                       "--out")] = None,
    jobs: Annotated[int | None, option("Processes at a time (one per core).", "--jobs")] = None,
    dask: Annotated[str | None, option("Address of a Dask scheduler: its workers run the points.",
                                        "--dask")] = None,
    threads: Threads = None, quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Run a circuit over a grid of parameters and seeds; go on where a sweep stopped."""
    from neostriatum.sweeps.sweep import sweep
    from neostriatum.terminal import PointsProgress

    try:
        with PointsProgress(silent=quiet or as_json) as progress:
            made = sweep(file, out=out, jobs=jobs, threads=threads, dask=dask,
                         progress=progress)
    except KeyboardInterrupt as stopped:
        if stopped.args and not (quiet or as_json):
            typer.echo(stopped.args[0], err=True)
        raise
    show(as_json, quiet, made.to_dict(), lambda: sweep_lines(made))
    if made.exit_code:
        raise typer.Exit(made.exit_code)


def sweep_lines(made: Sweep) -> list[str]:
    """Return what became of a sweep, for a person."""
    lines = [f"{made.finished:,} of {made.points:,} points finished"
             + (f", {made.failed:,} failed:" if made.failed else "")]
    bad = [row for row in made.rows if row["status"] == "failed"]
    lines += [f"  point {row['point']}: {row['error']}" for row in bad[:5]]
    lines += [f"  and {len(bad) - 5:,} more, see the table"] if len(bad) > 5 else []
    tables = made.table if made.parquet is None else f"{made.table} and {made.parquet.name}"
    return [*lines, f"table in {tables}"
            + ("" if made.figure is None else f", figure in {made.figure}")]
