"""Experiments on one cell or a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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
from neostriatum.commands.protocol import measure
from neostriatum.commands.saved import saved
from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.experiments.cell import CellResult
    from neostriatum.experiments.pair_result import PairResult


@app.command("cell")
def cell_command(
    name: Annotated[str, typer.Argument(metavar="TYPE",
                                        help="Cell type of the circuit, or an alias of one.")],
    current: Annotated[str | None, option('Constant current, "270 pA".', "--current")] = None,
    sweep: Annotated[str | None, option('An f-I curve, "220:300:5 pA".', "--sweep")] = None,
    protocol: Annotated[str | None, option(
        "Measure instead: rheobase, fi, rin, latency, rebound or burst-pause.",
        "--protocol")] = None,
    hold: Annotated[str | None, option('Current all the time, "-15 pA", with --protocol.',
                                       "--hold")] = None,
    start: Annotated[list[str] | None, option('Start value, repeatable: v="-50 mV".',
                                              "--start")] = None,
    circuit: CircuitOption = "striatum", duration: Duration = None, dt: Dt = None,
    dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, engine: EngineName = None,
    overlay: Overlay = None, changes: Set = None, out: Out = None, models: Models = None,
    as_json: Json = False,
) -> None:
    """Inject a constant current into one isolated neuron, or measure it by a protocol."""
    from neostriatum.experiments.cell import cell

    given: dict[str, Any] = {
        "circuit": circuit, "sweep": sweep, "dt": dt, "dopamine": dopamine,
        "d1": d1, "d2": d2, "overlay": overlay or (), "changes": changes_of(changes),
        "start": changes_of(start, "--start")}
    if protocol is not None:
        measure(name, protocol, {"current": current, "duration": duration, "engine": engine,
                                 "hold": hold or "0 pA", **given}, out, as_json)
        return
    if hold is not None:
        msg = f"--hold: belongs to --protocol (got {shown(hold)}). Use --current"
        raise CircuitError(msg)
    made = cell(name, current, duration=duration or "1 s", engine=engine or "reference", **given)
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

    made = pair(source, target, n=n, circuit=circuit, holding=holding, distance=distance,
                duration=duration, seed=seed, engine=engine or "reference", dt=dt,
                dopamine=dopamine, d1=d1, d2=d2, overlay=overlay or (), changes=changes_of(changes))
    figure = draw_pair(made, out) if out else None
    show(as_json, False, made.to_dict() | ({"out": str(figure)} if figure else {}),
           lambda: pair_lines(made, figure))


def cell_lines(made: CellResult, figure: Path | None) -> list[str]:
    """Return what a current did, for a person."""
    from neostriatum.circuit.modulator import dopamine, others

    lines = [f"{made.cell} of {made.circuit}, dopamine {dopamine(made.dopamine)}"
             f"{others(made.modulators, made.levels_held)}, {made.duration_ms:g} ms "
             f"at dt {made.dt_ms:g} ms"]
    for current, times, rate in zip(made.currents_pa, made.spike_times_ms, made.rates_hz,
                                    strict=True):
        first = f", first at {times[0]:.1f} ms" if len(times) else ""
        lines.append(f"  {current:8.1f} pA  {len(times):5d} spikes  {rate:8.2f} Hz{first}")
    return lines + ([f"figure in {figure}"] if figure else [])


def pair_lines(made: PairResult, figure: Path | None) -> list[str]:
    """Return what a pair or two groups did, for a person."""
    lines = [f"{made.source} -> {made.target}: {made.conductance_ns:g} nS, delay "
             f"{made.delay_ms:g} ms, {made.connections} connection(s)"]
    if made.psp_mv is not None:
        lines.append(f"  holding {made.holding_mv:g} mV: {made.psp_mv:+.3f} mV, peak "
                     f"{made.psp_peak_ms:g} ms after the spike")
    elif made.n == 1:
        lines.append(f"  holding {made.holding_mv:g} mV: the target fires, so no potential to read")
    if made.levels_held:
        lines.append(f"  held, as nobody releases them here: {', '.join(made.levels_held)}")
    for role, rate in made.rates_hz.items():
        name = made.source if role == "source" else made.target
        lines.append(f"  {role} {name}: {made.n} cells, {rate:.2f} Hz")
    return lines + ([f"figure in {figure}"] if figure else [])


def draw_cell(made: CellResult, out: str) -> Path:
    """Draw the trace of a current, or the f-I curve of a sweep."""
    from neostriatum.plotting import fi_curve, trace

    if len(made.currents_pa) > 1:
        figure, _ = fi_curve(made.currents_pa, made.rates_hz, made.cell)
    else:
        figure, _ = trace(made.times_ms, made.v_mv[:, 0], made.spike_times_ms[0], made.cell,
                          v_peak_mv=made.v_peak_mv)
    return saved(figure, out, "cell.png")


def draw_pair(made: PairResult, out: str) -> Path:
    """Draw the postsynaptic potential of a pair, or the traces of two groups."""
    from neostriatum.plotting import groups, psp

    if made.n == 1:
        figure, _ = psp(made.times_ms, made.v_mv, made.reference_mv, spike_ms=made.spike_ms,
                        source=made.source, target=made.target)
    else:
        figure, _ = groups(made, v_peak_mv=made.v_peak_mv)
    return saved(figure, out, "pair.png")
