"""Experiments on one cell or a pair."""

from __future__ import annotations

from typing import Annotated

import typer

from neostriatum.commands.app import (
    D1,
    D2,
    CircuitOption,
    Dopamine,
    Dt,
    Duration,
    EngineName,
    Json,
    Models,
    Out,
    Overlay,
    Seed,
    Set,
    app,
    changes_of,
    option,
    show,
)


@app.command("cell")
def cell_command(
    name: Annotated[str, typer.Argument(metavar="TYPE",
                                        help="Cell type of the circuit, or an alias of one.")],
    current: Annotated[str | None, option('Constant current, "270 pA".', "--current")] = None,
    sweep: Annotated[str | None, option('An f-I curve, "220:300:5 pA".', "--sweep")] = None,
    circuit: CircuitOption = "striatum", duration: Duration = "1 s", dt: Dt = None,
    dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, engine: EngineName = "reference",
    overlay: Overlay = None, changes: Set = None, out: Out = None, models: Models = None,
    as_json: Json = False,
) -> None:
    """Inject a constant current into one isolated neuron."""
    from neostriatum.experiments.cell import cell
    from neostriatum.terminal import cell_lines, draw_cell

    made = cell(name, current, sweep=sweep, circuit=circuit, duration=duration,
                engine=engine, dt=dt, dopamine=dopamine, d1=d1, d2=d2,
                overlay=overlay or (), changes=changes_of(changes))
    figure = draw_cell(made, out) if out else None
    show(as_json, False, made.to_dict() | ({"out": str(figure)} if figure else {}),
           lambda: cell_lines(made, figure))


@app.command("pair")
def pair_command(
    source: Annotated[str, typer.Argument(help="Presynaptic cell type of the circuit.")],
    target: Annotated[str, typer.Argument(help="Postsynaptic cell type of the circuit.")],
    n: Annotated[int, option("Cells on each side.", "--n")] = 1,
    holding: Annotated[str | None, option('Potential of the target, "-80 mV".',
                                           "--holding")] = None,
    distance: Annotated[str, option('Between the somas, "50 um".', "--distance")] = "50 um",
    circuit: CircuitOption = "striatum", duration: Duration = None, dt: Dt = None,
    dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, seed: Seed = 1,
    engine: EngineName = "reference", overlay: Overlay = None, changes: Set = None,
    out: Out = None, models: Models = None, as_json: Json = False,
) -> None:
    """Connect cells of one type to cells of another: one synaptic potential, or two groups."""
    from neostriatum.experiments.pair import pair
    from neostriatum.terminal import draw_pair, pair_lines

    made = pair(source, target, n=n, circuit=circuit, holding=holding, distance=distance,
                duration=duration, seed=seed, engine=engine, dt=dt,
                dopamine=dopamine, d1=d1, d2=d2, overlay=overlay or (), changes=changes_of(changes))
    figure = draw_pair(made, out) if out else None
    show(as_json, False, made.to_dict() | ({"out": str(figure)} if figure else {}),
           lambda: pair_lines(made, figure))
