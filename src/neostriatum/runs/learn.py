"""Let a circuit learn a task: the one call behind ``neostriatum learn``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum import rng
from neostriatum.circuit.resolve import resolve
from neostriatum.errors import CircuitError, shown
from neostriatum.keywords import keywords_of
from neostriatum.learning.options import SessionOptions
from neostriatum.learning.plan import planned_session
from neostriatum.learning.tasks.circuit import LOOP, USUAL
from neostriatum.progress import watched
from neostriatum.runs.settings import Settings
from neostriatum.runs.start import begin
from neostriatum.units import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.circuit.model import Circuit
    from neostriatum.learning.plan import SessionPlan
    from neostriatum.recording.store import Run


#: Neurons of a task's own circuit, a volume that has no size of its own.
TASK_SIZE = 2000


@watched
@keywords_of(SessionOptions, Settings, record="none", leave_out=[
    "duration", "events", "session", "dopamine", "d1", "d2", "weight_unit"])
def learn(
    environment: Any = "bandit",
    *,
    circuit: Any = None,
    progress: Callable[[str, float], None] | None = None,
    **options: Any,
) -> Run:
    """Let a circuit learn a task, trial by trial, and return the run that is now on disk.

    Parameters
    ----------
    environment : str or object
        A shipped task (bandit, go-nogo, pavlovian, patterns, cues), ``"MODULE:FACTORY"``, or any
        object with Gymnasium's ``reset`` and ``step`` and an ``action_space`` of ``n`` actions. An
        action is a channel of the circuit; every step of the environment is a trial.
    circuit : str, Path, dict or Circuit, optional
        By default the circuit of the task upon ``"striatum_v1"``, of 2,000 neurons, and with
        ``"basal_ganglia"`` that upon the loop; another one has a channel for every action, and the
        axons that the encoder names.
    progress : callable, optional
        Called with the name of the phase and its share done, 0 to 1.
    **options
        Of the session, fields of `SessionOptions`: ``encoder``, an object with ``populations`` of
        axons and ``rates(observation)``, by default a population for every value of what is seen;
        ``readout``, "difference", "snr", "disinhibition" or an object; ``critic``, "V", "Q", "TD",
        "none" or an object with ``error(outcome)``; ``trials``; ``parameters`` of the task or
        factory;
        ``phases``, lengths of before, choice, action, delay, after, burst and dip;
        ``efference``, the rate of the axons that tell what was chosen; ``inhibition``, the current
        into the other channels; ``limits`` of receptors, ``{"D2": (0.5, 1)}`` for an agonist and
        (0, 0) for a block; ``fixed``, cell types whose synapses do not learn; ``stimulate``, a
        list of ``{"channel", "type", "current", "phase"}``; ``weights_every``, the trials between
        two snapshots of all weights.
        Of the run: size, seed, engine, threads, precision, dt, overlay, changes, out, figures,
        record, checkpoint_every.

    Returns
    -------
    Run
        A run like any other, whose ``summary["learning"]`` has choices, rewards and weights, and
        whose folder holds ``trials.csv`` and snapshots of the weights.

    Raises
    ------
    CircuitError, BuildError
        Bad input; nothing is left on disk. An environment that fails later ends the run, and what
        was learnt so far is kept.
    EngineMissing, EngineUnsupported
        The engine is not installed, or cannot follow events or compute learning.
    RunFileError
        The output folder is in the way or cannot be written.
    KeyboardInterrupt
        Ctrl-C; `resume` goes on in the middle of the trial.

    Examples
    --------
    >>> import neostriatum as ns
    >>> run = ns.learn("bandit", parameters={"p": [0.8, 0.2]}, size=500,
    ...                trials=20)  # doctest: +SKIP
    >>> run.summary["learning"]["best_share"]  # doctest: +SKIP
    0.75
    """
    if unknown := [key for key in ("duration", "events") if options.get(key) is not None]:
        msg = f"learn: {unknown[0]} must not be given, as trials decide it (got one). Leave it out"
        raise CircuitError(msg)
    session, rest = SessionOptions.of(options)
    # Minutes of potentials are of no use to most.
    settings = Settings.of({"record": "none"} | {
        key: value for key, value in rest.items() if (key, value) != ("record", None)})
    seed = rng.checked_seed(settings.seed)
    plan, played = planned_session(
        environment, played_on(circuit) or resolve(circuit, settings), seed, session,
        lambda base: resolve(base, settings))
    settings.duration, settings.session = text(plan.duration_ms, "ms"), plan
    if played.volume.shape != "mesh":
        settings.size = usual_size(played_on(circuit), settings.size)
    return begin(played, None, settings, {"network": None}, progress)


def played_on(circuit: Any) -> str | None:
    """Return the preset that a task changes to its circuit; None for a circuit that has it all."""
    if circuit is None:
        return USUAL
    return LOOP if isinstance(circuit, str) and circuit == LOOP else None


def usual_size(preset: str | None, size: int | None) -> int | None:
    """Return how many neurons a session has on a task's own circuit where none are given."""
    return TASK_SIZE if preset == USUAL and size is None else size


def circuit_of(lesson: dict[str, Any], preset: str) -> Circuit:
    """Return the circuit of a task; ``lesson`` is its name and options of a session."""
    return checked_lesson(lesson, preset, 1)[1]


def checked_lesson(lesson: dict[str, Any], circuit: Circuit | str,
                   seed: int) -> tuple[SessionPlan, Circuit]:
    """Return the plan of a lesson, ``{"task": ..., options of a session}``, and its circuit.

    Raises
    ------
    CircuitError
        No task, an unknown option, or whatever does not fit together.
    """
    options, rest = SessionOptions.of({key: value for key, value in lesson.items()
                                       if key != "task"})
    if "task" not in lesson or rest:
        what = f"got {shown(next(iter(rest)))}" if rest else "task is missing"
        msg = f"learn: needs task, and options of a session ({what})"
        raise CircuitError(msg)
    return planned_session(lesson["task"], circuit, seed, options, lambda base: base)
