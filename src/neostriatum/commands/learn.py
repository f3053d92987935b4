"""Let a circuit learn a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from neostriatum.commands.app import (
    AnyPrecision,
    CheckpointEvery,
    Dt,
    EngineName,
    Json,
    Models,
    Out,
    Overlay,
    Quiet,
    Record,
    Seed,
    Set,
    Size,
    Threads,
    app,
    changes_of,
    option,
    resumable,
    show,
)

if TYPE_CHECKING:
    from neostriatum.recording.store import Run


Task = Annotated[str, typer.Argument(
    help="bandit, go-nogo, pavlovian, patterns, cues, or MODULE:FACTORY.")]
P = Annotated[str | None, option('Probabilities of a reward, "0.8,0.2".', "--p")]
Trials = Annotated[int, option("Trials (150).", "--trials")]
ReverseAt = Annotated[str | None, option("Trials at which a bandit turns round, from 0.",
                                          "--reverse-at")]
Parameters = Annotated[list[str] | None, option(
    "KEY=VALUE of the task, repeatable: swap_at=160.", "--parameter")]
Circuit = Annotated[str | None, option(
    "basal_ganglia, or a circuit with all that a task needs (striatum_v1 with it).", "--circuit")]
Readout = Annotated[str | None, option(
    "difference, snr or disinhibition (the last where SNr has channels, else the first).",
    "--readout")]
Critic = Annotated[str, option("V, Q, TD or none.", "--critic")]
Phases = Annotated[list[str] | None, option('PHASE=TIME, repeatable: delay="500 ms".', "--phase")]
Efference = Annotated[str, option('Rate of the axons that tell the choice, "8 Hz".',
                                  "--efference")]
Inhibition = Annotated[str, option('Current into the other channels, "-120 pA".', "--inhibition")]
Limits = Annotated[list[str] | None, option(
    "RECEPTOR=LOWEST:HIGHEST of a drug, repeatable: D2=0:0 blocks.", "--limit")]
Fixed = Annotated[list[str] | None, option(
    "Cell type whose synapses do not learn; repeatable.", "--fixed")]
Stimulate = Annotated[list[str] | None, option(
    "CHANNEL:TYPE:CURRENT:PHASE, repeatable; phase choice or action.", "--stimulate")]
WeightsEvery = Annotated[int, option("Trials between two snapshots of weights (50).",
                                     "--weights-every")]


@app.command("learn")
def learn_command(
    task: Task, p: P = None, trials: Trials = 150, reverse_at: ReverseAt = None,
    parameters: Parameters = None, circuit: Circuit = None, readout: Readout = None,
    critic: Critic = "V", phases: Phases = None, efference: Efference = "8 Hz",
    inhibition: Inhibition = "-120 pA", limits: Limits = None, fixed: Fixed = None,
    stimulate: Stimulate = None, weights_every: WeightsEvery = 50,
    size: Size = None, seed: Seed = 1, dt: Dt = None, engine: EngineName = None,
    threads: Threads = None, precision: AnyPrecision = None, overlay: Overlay = None,
    changes: Set = None, record: Record = None, checkpoint_every: CheckpointEvery = "60 s",
    out: Out = None, quiet: Quiet = False, models: Models = None, as_json: Json = False,
) -> None:
    """Let a circuit learn a task, trial by trial."""
    from neostriatum.engines.base import DEFAULT
    from neostriatum.learning.results import answer
    from neostriatum.runs.learn import learn
    from neostriatum.terminal import Progress

    own = changes_of(parameters, "--parameter")
    _refuse_twice(own, p=p, reverse_at=reverse_at)
    own |= {
        key: _numbers(f"--{key.replace('_', '-')}", text)
        for key, text in (("p", p), ("reverse_at", reverse_at)) if text is not None}
    # A number alone has no unit: as a text it is refused like any other time without one.
    times = {key: str(value) for key, value in changes_of(phases, "--phase").items()}
    with resumable(), Progress(silent=quiet or as_json) as progress:
        run = learn(task, parameters=own, trials=trials, circuit=circuit, readout=readout,
                    critic=critic, phases=times, efference=efference,
                    inhibition=inhibition, limits=_limits(limits), fixed=fixed or (),
                    stimulate=[_stimulus(text) for text in stimulate or ()],
                    weights_every=weights_every, size=size, seed=seed, dt=dt, threads=threads,
                    engine=engine or DEFAULT, precision=precision or "double",
                    overlay=overlay or (), changes=changes_of(changes), record=record or None,
                    checkpoint_every=checkpoint_every, out=out, progress=progress)
    show(as_json, quiet, answer(run), lambda: learnt_lines(run))


def learnt_lines(run: Run) -> list[str]:
    """Return what was learnt, for a person."""
    from neostriatum.commands.run import summary_lines

    numbers = run.summary["learning"]
    share, last = numbers["best_share"], [right for right in numbers["correct"][-40:]
                                       if right is not None]
    best = "" if share is None or not last else (
        f"best choices {share:.0%}, {sum(last) / len(last):.0%} in the last {len(last)}; ")
    return [f"{numbers['task']}: {numbers['trials']:,} trials, {best}"
            f"{numbers['reward_rate']:.2f} reward per trial", *summary_lines(run)]


def _refuse_twice(parameters: dict[str, Any], **options: str | None) -> None:
    from neostriatum.errors import CircuitError

    for key, text in options.items():
        if text is not None and key in parameters:
            name = f"--{key.replace('_', '-')}"
            msg = f"{name}: is the same as --parameter {key} (got both). Give one of them"
            raise CircuitError(msg)


def _numbers(name: str, text: str) -> list[Any]:
    from neostriatum.errors import CircuitError, shown
    from neostriatum.recording.record import parsed

    values = [parsed(part.strip()) for part in text.split(",")]
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        msg = f"{name}: must be numbers with commas between them (got {shown(text)})"
        raise CircuitError(msg)
    return values


def _limits(texts: list[str] | None) -> dict[str, tuple[str, str]]:
    limits = {}
    for name, text in changes_of(texts, "--limit").items():
        low, _, high = str(text).partition(":")
        limits[name] = (low, high or low)
    return limits


def _stimulus(text: str) -> dict[str, str]:
    from neostriatum.errors import CircuitError, shown

    parts = text.split(":")
    if len(parts) != 4:
        msg = f"--stimulate: must be CHANNEL:TYPE:CURRENT:PHASE (got {shown(text)})"
        raise CircuitError(msg)
    return dict(zip(("channel", "type", "current", "phase"), parts, strict=True))
