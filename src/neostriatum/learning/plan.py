"""What a session is made of, from what a user gives or from the record of a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.errors import CircuitError, RunFileError, shown
from neostriatum.learning.critic import Critic, critic_of
from neostriatum.learning.drive import Drive
from neostriatum.learning.encoder import Encoder, OneHot
from neostriatum.learning.environment import Environment, environment
from neostriatum.learning.knobs import Knobs
from neostriatum.learning.membership import channels_of
from neostriatum.learning.options import SessionOptions
from neostriatum.learning.parts import rebuilt, record_of_part
from neostriatum.learning.phases import Phases
from neostriatum.learning.readout import (
    Difference,
    Disinhibition,
    Readout,
    Snr,
    checked_readout,
    types_of,
)
from neostriatum.learning.tasks import TASKS
from neostriatum.learning.tasks.circuit import (
    GO,
    OUTPUT,
    STOP,
    cue_names,
    task_circuit,
)
from neostriatum.recording.checkpoint import difference
from neostriatum.units import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.circuit.model import Circuit

#: What is needed again of a user's own parts.
PARTS = ("encoder", "readout", "critic")


@dataclass(frozen=True)
class SessionPlan:
    """Environment, encoder, readout, critic and all else that a session does, checked."""

    environment: Environment
    encoder: Encoder
    readout: Readout
    critic: Critic
    phases: Phases
    drive: Drive
    knobs: Knobs
    trials: int
    #: Trials between two snapshots of all weights.
    weights_every: int

    @property
    def record(self) -> dict[str, Any]:
        """What a run keeps of it, plain data."""
        return {
            **self.environment.record, "trials": self.trials, "phases": self.phases.to_dict(),
            **{part: record_of_part(getattr(self, part)) for part in PARTS},
            "efference_hz": self.drive.efference, "inhibition_pA": self.drive.inhibition,
            **self.knobs.to_dict(), "weights_every": self.weights_every}

    @property
    def duration_ms(self) -> float:
        """Length of all trials [ms]."""
        return self.trials * self.phases.trial


def planned_session(what: Any, circuit: Circuit | str, seed: int, options: SessionOptions,
                    changed: Callable[[Circuit], Circuit]) -> tuple[SessionPlan, Circuit]:
    """Return a plan and the circuit that it is played on.

    Parameters
    ----------
    what : str or object
        See `neostriatum.learning.environment.environment`.
    circuit : Circuit or str
        A preset that a task can be played on is changed by the task, then by ``changed``.
    seed : int
        Of the environment.
    options : SessionOptions
        What the session does.
    changed : callable
        From a circuit to a circuit.

    Raises
    ------
    CircuitError
        Whatever does not fit together.
    """
    world = environment(what, options.parameters, seed)
    parts = {"encoder": _encoder(options.encoder, world.observation_space),
             "critic": critic_of(options.critic, world.expected)}
    if isinstance(circuit, str):
        names = parts["encoder"].populations
        if names != cue_names(len(names)):
            msg = ("circuit: must be given with an encoder of populations of its own "
                   f"(got {shown(', '.join(names))})")
            raise CircuitError(msg)
        several = getattr(world.observation_space, "shape", ())
        circuit = changed(task_circuit(_channels(world), len(names),
                                       len(names) / 2 if several else 1.0, circuit))
    parts["readout"] = _readout(options.readout, circuit)
    knobs = Knobs.of(options.limits, options.fixed, options.stimulate)
    circuit = knobs.applied(circuit)
    return _plan(world, parts, circuit, knobs, options), circuit


def recorded_session(record: dict[str, Any], circuit: Circuit, label: str,
                     given: dict[str, Any]) -> SessionPlan:
    """Return the plan of a run.

    Parameters
    ----------
    record : dict
        What it says of its session.
    circuit : Circuit
        Its circuit.
    label : str
        The run, for messages.
    given : dict
        A user's own environment and parts, which a record cannot make again.

    Raises
    ------
    RunFileError
        Another environment, or one that is needed and was not given.
    """
    try:
        return _recorded(record, circuit, label, given)
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"{label}: the record of this run is damaged (learning: {shown(error)})"
        raise RunFileError(msg) from None


def _recorded(record: dict[str, Any], circuit: Circuit, label: str,
              given: dict[str, Any]) -> SessionPlan:
    own = given.get("environment")
    if own is None and record["task"] not in TASKS:
        msg = (f"{label}: environment {shown(record['task'])} is needed to go on. Give it again, "
               "--environment MODULE:FACTORY, or environment= in Python")
        raise RunFileError(msg)
    by_name = own is None or (isinstance(own, str) and own == record["task"])
    world = environment(record["task"] if own is None else own,
                        record["parameters"] if by_name else None, record["seed"])
    parts = {part: given[part] if given.get(part) is not None
             else rebuilt(record[part], f"{label}: {part}") for part in PARTS}
    options = SessionOptions(
        trials=record["trials"], phases=record["phases"], efference=record["efference_hz"],
        inhibition=record["inhibition_pA"], weights_every=record["weights_every"])
    parts = {"encoder": _encoder(parts["encoder"], world.observation_space),
             "readout": _readout(parts["readout"], circuit),
             "critic": critic_of(parts["critic"], world.expected)}
    stimulate = [row | {"current": text(row["current"], "pA")} for row in record["stimulate"]]
    knobs = Knobs.of(record["limits"], record["fixed"], stimulate)
    plan = _plan(world, parts, circuit, knobs, options)
    if what := difference(plan.record, record):
        msg = f"{label}: the session cannot go on: {what}"
        raise RunFileError(msg)
    return plan


def _plan(world: Environment, parts: dict[str, Any], circuit: Circuit, knobs: Knobs,
          options: SessionOptions) -> SessionPlan:
    reader = parts["readout"]
    channels = channels_of(circuit, *types_of(reader))
    if len(channels) != _channels(world):
        idle = "" if world.idle is None else ", one of which is to do nothing"
        *most, last = types_of(reader)
        msg = (f"environment {shown(world.name)}: has {world.actions} actions{idle} (got a circuit "
               f"with {len(channels)} channels of {', '.join(most)} and {last}). They must agree")
        raise CircuitError(msg)
    phases = Phases.of(options.phases, circuit.dt.value)
    drive = Drive(circuit, tuple(channels), tuple(parts["encoder"].populations),
                  (reader.go, reader.stop), phases, knobs, options.efference, options.inhibition)
    return SessionPlan(world, **parts, phases=phases, drive=drive, knobs=knobs,
                       trials=options.trials, weights_every=options.weights_every)


def _channels(world: Environment) -> int:
    channels = world.actions - (world.idle is not None)
    if channels < 1:
        world.refuse(f"action_space must have an action beside doing nothing (got {world.actions})")
    return channels


def _encoder(given: Any, space: Any) -> Any:
    if given is not None:
        if not hasattr(given, "populations") or not callable(getattr(given, "rates", None)):
            msg = ("encoder: must have populations and a method rates "
                   f"(got {shown(type(given).__name__)})")
            raise CircuitError(msg)
        return given
    n = getattr(space, "n", None)
    if not isinstance(n, (int, np.integer)) or getattr(space, "start", 0) != 0:
        msg = ("encoder: must be given where the observations are not Discrete(n) or "
               f"MultiBinary(n) (got {shown('none' if space is None else space)})")
        raise CircuitError(msg)
    return OneHot(cue_names(int(n)))


def _readout(given: Any, circuit: Circuit) -> Any:
    if given is None:
        read = OUTPUT in circuit.cells and channels_of(circuit, OUTPUT)
        given = "disinhibition" if read else "difference"
    if isinstance(given, str):
        known: dict[str, Any] = {"difference": Difference, "snr": Snr,
                                 "disinhibition": partial(Disinhibition, output=OUTPUT)}
        if given not in known:
            msg = f"readout: must be one of {', '.join(known)} (got {shown(given)})"
            raise CircuitError(msg)
        return known[given](go=GO, stop=STOP)
    for name in ("go", "stop", "every", "fresh", "look"):
        if not hasattr(given, name):
            msg = (f"readout: must be difference, snr, disinhibition, or have {name} "
                   f"(got {shown(type(given).__name__)})")
            raise CircuitError(msg)
    return checked_readout(given)
