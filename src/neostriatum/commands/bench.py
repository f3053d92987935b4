"""Speed."""

from __future__ import annotations

from typing import Annotated

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


@app.command("bench")
def bench_command(
    circuit: CircuitOption = "striatum_v1", size: Size = None, duration: Duration = "2 s",
    repeats: Annotated[int, option("Runs of every engine.", "--repeats")] = 5,
    dt: Dt = None, dopamine: Dopamine = None, d1: D1 = None, d2: D2 = None, seed: Seed = 1,
    threads: Threads = None, overlay: Overlay = None, changes: Set = None, quiet: Quiet = False,
    models: Models = None, as_json: Json = False,
) -> None:
    """Measure the speed of every installed engine on one network."""
    from neostriatum.bench import bench
    from neostriatum.terminal import Progress, bench_lines

    with Progress(silent=quiet or as_json) as progress:
        made = bench(circuit, size=size, duration=duration, repeats=repeats,
                     seed=seed, threads=threads, progress=progress, dt=dt, dopamine=dopamine, d1=d1,
                     d2=d2, overlay=overlay or (), changes=changes_of(changes))
    show(as_json, quiet, made, lambda: bench_lines(made))
