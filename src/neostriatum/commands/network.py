"""Networks without spikes, and files for other tools."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neostriatum.commands.app import (
    AnySeed,
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
    from neostriatum.terminal import Progress

    with Progress(silent=quiet or as_json) as progress:
        made = construct(circuit, size=size, seed=seed, threads=threads, overlay=overlay or (),
                         changes=changes_of(changes), centre_radius=centre_radius, out=out,
                         dry_run=dry_run, progress=progress)
    show(as_json, quiet, made, lambda: plan_lines(made) if dry_run else build_lines(made))


@app.command("export")
def export_command(
    what: Annotated[str, typer.Argument(metavar="RUN|NETWORK|CIRCUIT",
                                        help="A run, a network, or for neuron a circuit.")],
    to: Annotated[str, option("Format: sonata; of a run also nwb, neo, csv; of a network or a "
                              "circuit also neuron.", "--to")],
    out: Annotated[str, option("New folder.", "--out")],
    duration: Annotated[str | None, option('Of neuron: simulated time ("2 s").',
                                           "--duration")] = None,
    size: Size = None, seed: AnySeed = None,
    quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Write a run, a network or a circuit for other tools."""
    from neostriatum.recording.export import export

    made = export(what, to, out, duration=duration, size=size, seed=seed)
    show(as_json, quiet, made, lambda: export_lines(made))


def plan_lines(made: dict[str, Any]) -> list[str]:
    """Return what a network would be, for a person."""
    free = made["free_bytes"]
    room = "" if free is None else (f", of {free / 1e9:.1f} GB free"
                                    + ("" if made["fits"] else ": it does not fit"))
    return [_shape_line(made), *_table("neurons", made["neurons"]),
            *_table("synapses, about" if made["boundary"] == "periodic" else "synapses, at most",
                    made["synapses"]),
            f"memory at most {made['bytes'] / 1e9:.2f} GB{room}; about {made['seconds']:g} s "
            "on 2 cores"]


def build_lines(made: dict[str, Any]) -> list[str]:
    """Return the statistics of a built network for a person."""
    per = made["bytes_per_synapse"]
    lines = [_shape_line(made), *_table("neurons", made["neurons"]),
             *_table("synapses", made["synapses"]),
             f"{made['gap_junctions']:,} gap junctions"]
    middle, edge = made["centre"], made["edge"]
    lines.append(f"within {middle['radius_um']:g} um of the centroid: "
                 + _counted(middle["neurons"]))
    lines += _degree_lines(middle)
    if made["boundary"] == "open" and edge["range_um"] is not None:
        lines.append(f"within {edge['range_um']:g} um of the surface: "
                     + _counted(edge["neurons"]))
        lines += _degree_lines(edge)
    lines.append(f"built in {made['build_s']:.2f} s, "
                 + (f"{per:.2f} bytes per synapse, " if per is not None else "")
                 + f"peak memory {made['peak_memory_gb']:.2f} GB")
    return [*lines, f"hash {made['network_hash'][:16]}, saved in {made['out']}"]


def _shape_line(made: dict[str, Any]) -> str:
    return (f"{made['circuit']}: {sum(made['neurons'].values()):,} neurons, {made['shape']} of "
            f"{made['volume_mm3']:.4g} mm^3, {made['boundary']} boundary, "
            f"{sum(made['synapses'].values()):,} synapses")


def _table(what: str, counts: dict[str, int]) -> list[str]:
    return [f"  {what}: " + ", ".join(f"{name} {count:,}" for name, count in counts.items())]


def _counted(neurons: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {pool}" for pool, count in neurons.items())


def _degree_lines(block: dict[str, Any]) -> list[str]:
    def said(found: dict[str, Any]) -> str:
        spread = "" if found["sd"] is None else f" +- {found['sd']:.3g}"
        return f"{found['mean']:.4g}{spread}"

    lines = []
    for name, degree in block["indegree"].items():
        distance = block["distance_um"][name]
        if degree["mean"] is not None:
            away = "" if distance["mean"] is None else f", over {said(distance)} um"
            lines.append(f"  {name:<9} {said(degree)} per {name.split('->')[1]}{away}")
    for name, degree in block["outdegree"].items():
        if degree["mean"] is not None:
            lines.append(f"  {name:<9} {said(degree)} from each {name.split('->')[0]}")
    if block["gap_per_FS"]["mean"] is not None:
        lines.append(f"  {said(block['gap_per_FS'])} gap junctions per FS")
    lines += [f"  {said(count)} gap junctions per {key.removeprefix('gap_per_')}"
              for key, count in block.items() if key.startswith("gap_per_")
              and key != "gap_per_FS" and count["mean"] is not None]
    return lines


def export_lines(made: dict[str, Any]) -> list[str]:
    """Return what was written for other tools, for a person."""
    lines = [f"{made['circuit']}: {made['neurons']:,} neurons, {made['synapses']:,} synapses, "
             f"{made['gap_junctions']:,} gap junctions written to {made['out']}"]
    if "spikes" in made:
        lines[0] = (f"{made['circuit']}: {made['spikes']:,} spikes of {made['neurons']:,} neurons, "
                    f"traces of {made['traced']} written to {made['out']}")
        if not made["network"]:
            lines.append(f"without positions: {made['note']}")
    return lines
