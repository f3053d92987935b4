"""The circuit against the literature."""

from __future__ import annotations

from typing import Annotated

from neostriatum.commands.app import (
    EngineName,
    Json,
    Models,
    Overlay,
    Quiet,
    Set,
    app,
    changes_of,
    option,
    show,
)


@app.command("validate")
def validate_command(
    circuit: Annotated[str | None, option("Judge this circuit, name or file, on every target.",
                                           "--circuit")] = None,
    quick: Annotated[bool, option("The targets that take seconds.", "--quick")] = False,
    only: Annotated[list[str] | None, option("Id of a target, or a group (1 to 7); repeatable.",
                                              "--only")] = None,
    engine: EngineName = None, overlay: Overlay = None, changes: Set = None,
    report: Annotated[str | None, option("Write a page here, .html or .md.", "--report")] = None,
    workers: Annotated[int | None, option("Processes (one per core).", "--workers", min=0,
                                          max=1024)] = None,
    quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Measure published targets on a circuit and say which are met."""
    from neostriatum.engines.base import DEFAULT
    from neostriatum.terminal import Progress, validation_lines
    from neostriatum.validation.validate import validate

    with Progress(silent=quiet or as_json) as progress:
        made = validate(circuit, quick=quick, only=tuple(only or ()), overlay=overlay or (),
                        engine=DEFAULT if engine is None else engine, report=report,
                        workers=workers, changes=changes_of(changes), progress=progress)
    show(as_json, quiet, made, lambda: validation_lines(made))
