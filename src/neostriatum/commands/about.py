"""What a circuit or a run is made of."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from neostriatum.commands.app import (
    D1,
    D2,
    Dopamine,
    Json,
    Models,
    Overlay,
    Set,
    app,
    changes_of,
    option,
    show,
)


@app.command("info")
def info_command(
    circuit: Annotated[str, typer.Argument(help="Name of a circuit, a file, or a run."),
                       ] = "striatum",
    dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, overlay: Overlay = None,
    changes: Set = None, schema: Annotated[bool, option("Print the JSON Schema of circuit files.",
                                                         "--schema")] = False,
    models: Models = None, as_json: Json = False,
) -> None:
    """Print the resolved parameters with units and sources."""
    from neostriatum.information import describe, lines, schema_of

    if schema:
        typer.echo(json.dumps(schema_of(), indent=1))
        return
    made = describe(circuit, dopamine=dopamine, d1=d1, d2=d2, overlay=overlay or (),
                    changes=changes_of(changes))
    show(as_json, False, made, lambda: lines(made))


@app.command("cite")
def cite_command(
    run_or_circuit: Annotated[str, typer.Argument(metavar="RUN", help="A run, or a circuit.")],
    models: Models = None, as_json: Json = False,
) -> None:
    """Print BibTeX of every source that a run used, with what it was used for."""
    from neostriatum.circuit.bibtex import bibtex
    from neostriatum.information import cited

    made = cited(run_or_circuit)
    show(as_json, False, made, lambda: bibtex(made["sources"]))
