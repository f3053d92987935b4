"""The circuit against the literature."""

from __future__ import annotations

from typing import Annotated, Any

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
    only: Annotated[list[str] | None, option("Id of a target, or a group (1 to 11); repeatable.",
                                              "--only")] = None,
    group: Annotated[list[str] | None, option('A group by name, "basal ganglia"; repeatable.',
                                               "--group")] = None,
    engine: EngineName = None, overlay: Overlay = None, changes: Set = None,
    report: Annotated[str | None, option("Write a page here, .html or .md.", "--report")] = None,
    workers: Annotated[int | None, option("Processes (one per core).", "--workers", min=0,
                                          max=1024)] = None,
    quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Measure published targets on a circuit and say which are met."""
    from neostriatum.engines.base import DEFAULT
    from neostriatum.terminal import Progress
    from neostriatum.validation.validate import group_of, validate

    wanted = (*(only or ()), *(group_of(name) for name in group or ()))

    with Progress(silent=quiet or as_json) as progress:
        made = validate(circuit, quick=quick, only=wanted, overlay=overlay or (),
                        engine=DEFAULT if engine is None else engine, report=report,
                        workers=workers, changes=changes_of(changes), progress=progress)
    show(as_json, quiet, made, lambda: validation_lines(made))


def validation_lines(made: dict[str, Any]) -> list[str]:
    """Return the verdicts of a validation for a person."""
    from neostriatum.validation.words import amount, wanted

    lines = []
    for row in made["targets"]:
        word = {True: "pass", False: "FAIL", None: "  - "}[row["pass"]]
        lines.append(f"{word} {row['id']}: {row['quantity']}: {amount(row['measured'])} "
                     f"{row['unit']} (published {wanted(row)}; {row['source']})")
        if row["pass"] is not True:
            reason = row["unsuited"] or row["error"] or row["explanation"]
            lines.append(f"       {reason or 'not explained'}")
    lines.append(f"{made['passed']} passed, {made['failed']} failed "
                 f"({sum(row['known_failure'] for row in made['targets'])} of them known), "
                 f"{made['unsuited']} do not apply; {made['seconds']:.0f} s")
    return lines + ([f"report in {made['report']}"] if "report" in made else [])
