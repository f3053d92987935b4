"""The models that circuits can name."""

from __future__ import annotations

from typing import Annotated

import typer

from neostriatum.commands.app import Json, Models, app, show


@app.command("models")
def models_command(
    name: Annotated[str | None, typer.Argument(help="Name of a model (all).")] = None,
    models: Models = None, as_json: Json = False,
) -> None:
    """Print equations, parameters, states and sources of models."""
    from neostriatum.equations import broken_entry_points, known_models, model_lines

    descriptions = known_models(name)
    for warning in broken_entry_points():
        typer.echo(f"warning: {warning}", err=True)
    show(as_json, False, {"models": descriptions}, lambda: model_lines(descriptions))
