"""What a run left behind, for a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neostriatum.commands.app import Json, Models, Quiet, app, option, show


@app.command("report")
def report_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run.")],
    out: Annotated[str | None, option("New file (RUN/report.html).", "--out")] = None,
    quiet: Quiet = False, as_json: Json = False,
) -> None:
    """Write the report of a run, one HTML file with every figure."""
    from neostriatum.reporting.report import report

    made = report(run, out)
    show(as_json, quiet, made, lambda: report_lines(made))


@app.command("plot")
def plot_command(
    what: Annotated[str, typer.Argument(metavar="RUN|NETWORK", help="A run, or a network.")],
    figures: Annotated[list[str] | None, typer.Argument(
        metavar="[FIGURE]...", help="Names of figures (all).")] = None,
    formats: Annotated[list[str] | None, option("png, svg or pdf, repeatable (png).",
                                                "--format")] = None,
    out: Annotated[str | None, option("Folder (RUN/figures).", "--out")] = None,
    start: Annotated[str | None, option('Draw from here on, "0 ms".', "--start")] = None,
    stop: Annotated[str | None, option('Draw up to here, "500 ms".', "--stop")] = None,
    quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Draw figures of a run or a network into files."""
    from neostriatum.plotting.gallery import draw

    made = draw(what, figures or (), formats=formats or ("png",), out=out, start=start, stop=stop)
    show(as_json, quiet, made, lambda: drawn_lines(made))


def report_lines(made: dict[str, Any]) -> list[str]:
    """Return where a report is, for a person."""
    return [f"report with {len(made['figures'])} figures in {made['out']}", *_skipped(made)]


def drawn_lines(made: dict[str, Any]) -> list[str]:
    """Return where figures are, for a person."""
    return [*(str(Path(made["out"]) / name) for name in made["files"]), *_skipped(made)]


def _skipped(made: dict[str, Any]) -> list[str]:
    return [f"not drawn: {name} ({reason})" for name, reason in made["skipped"].items()]
