"""Speed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neostriatum.commands.app import (
    D1,
    D2,
    CircuitOption,
    Dopamine,
    Dt,
    Duration,
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

#: What can be chosen of additions to striatum_v1; all else is always the same.
_OF_VARIANTS = ("variants", "size", "duration", "repeats", "seed", "quiet", "as_json", "models")


@app.command("bench")
def bench_command(
    context: typer.Context,
    circuit: CircuitOption = "striatum", size: Size = None, duration: Duration = "2 s",
    repeats: Annotated[int, option("Runs of every engine.", "--repeats")] = 5,
    dt: Dt = None, dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, seed: Seed = 1,
    threads: Threads = None, overlay: Overlay = None, changes: Set = None, quiet: Quiet = False,
    models: Models = None, as_json: Json = False,
    variants: Annotated[bool, option(
        "What additions to striatum_v1 cost, on one thread.", "--variants")] = False,
) -> None:
    """Measure the speed of every installed engine on one network."""
    from neostriatum.bench.engines import bench
    from neostriatum.bench.variants import bench_variants
    from neostriatum.terminal import Progress

    if variants:
        _refuse_others(context)
        with Progress(silent=quiet or as_json) as progress:
            measured = bench_variants(size=size, duration=duration, repeats=repeats, seed=seed,
                                      progress=progress)
        show(as_json, quiet, measured, lambda: _variant_lines(measured))
        return
    with Progress(silent=quiet or as_json) as progress:
        made = bench(circuit, size=size, duration=duration, repeats=repeats,
                     seed=seed, threads=threads, progress=progress, dt=dt, dopamine=dopamine, d1=d1,
                     d2=d2, overlay=overlay or (), changes=changes_of(changes))
    show(as_json, quiet, made, lambda: bench_lines(made))


def _refuse_others(context: typer.Context) -> None:
    """Refuse options that ``--variants`` would not follow."""
    from neostriatum.errors import CircuitError

    for option_of in context.command.params:
        name = option_of.name or ""
        source = context.get_parameter_source(name)
        if name not in _OF_VARIANTS and source is not None and source.name == "COMMANDLINE":
            msg = (f"{option_of.opts[0]}: means nothing with --variants, which is always measured "
                   "on striatum_v1 with one thread (got both). Leave one of them out")
            raise CircuitError(msg)


def _variant_lines(measured: dict[str, Any]) -> list[str]:
    """Return what every addition costs, for a person."""
    lines = [f"{measured['circuit']}, {measured['neurons']:,} neurons, one thread: "
             f"{measured['base_s']:.3f} CPU s per simulated second; with"]
    draws = measured["ns_per_draw"]
    for name, ratio in measured["variants"].items():
        each = f", {draws[name]:.1f} ns per draw" if name in draws else ""
        lines.append(f"  {name:<10}{ratio:>6.2f} times that{each}")
    return lines


def bench_lines(made: dict[str, Any]) -> list[str]:
    """Return the table of a benchmark for a person."""
    about = made["machine"]
    lines = [f"{made['circuit']}, {made['duration_ms'] / 1000:g} s after the warm-up, "
             f"{made['repeats']} alternating runs on {about['processor']}, {about['cores']} cores",
             f"{'engine':<16}{'threads':>8}{'precision':>11}{'neurons':>10}{'Hz':>8}"
             f"{'real-time factor (range)':>30}{'GB':>7}"]
    for row in made["rows"]:
        low, high = row["range"]
        factor = f"{row['real_time_factor']:.3f} ({low:.3f}-{high:.3f})"
        lines.append(f"{row['engine']:<16}{row['threads']:>8}{row['precision']:>11}"
                     f"{row['neurons']:>10,}{row['rate_hz']:>8.2f}{factor:>30}"
                     f"{row['peak_memory_gb']:>7.2f}")
    for name, said in made["ratios"].items():
        for precision, ratio in said.items():
            if ratio is not None:
                lines.append(f"{name.replace('_', ' ')}, {precision}: {ratio:.1f}")
    return [*lines, *(f"not measured: {reason}" for reason in made["missing"].values())]
