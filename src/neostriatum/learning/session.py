"""The trials of a session: what is shown, which spikes choose, what dopamine says of it.

A session is asked by the loop of a run at moments that it names, and answers with events. So what
it did is part of the run like any other event, and the run can be repeated without it. Its own
state are its trials so far and the counts of the choice on its way; environment and critic are
played again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neostriatum import rng
from neostriatum.circuit.clock import steps
from neostriatum.circuit.learning_rules import learning_pathways
from neostriatum.learning.critic import Outcome, checked_error
from neostriatum.learning.encoder import checked_rates
from neostriatum.learning.membership import Membership
from neostriatum.learning.readout import WAIT, Window, checked_look, types_of
from neostriatum.learning.results import (
    hashes,
    snapshots,
    summary_of,
    write_snapshot,
    write_trials,
)
from neostriatum.recording.checked import EventEntry
from neostriatum.recording.record import spelled

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.base import Engine
    from neostriatum.learning.plan import SessionPlan
    from neostriatum.network.network import Network

#: The array of a checkpoint that holds the state of a session.
STATE = "session"
#: A step that never comes.
NEVER = 2**62


class Moment(NamedTuple):
    """When a session is asked next, in steps from the end of the warm-up, and what for."""

    step: int
    kind: str


class Session:
    """One session on its way.

    Parameters
    ----------
    plan : SessionPlan
        Environment, encoder, readout, critic, drive, number of trials.
    circuit : Circuit
        The circuit at its start.
    network : Network
        Its network.
    seed : int
        Of the random numbers that choose.
    folder : Path
        Of the run.
    """

    def __init__(self, plan: SessionPlan, circuit: Circuit, network: Network, seed: int,
                 folder: Path) -> None:
        self.plan, self.network, self.folder = plan, network, folder
        self.dt = circuit.dt.value
        self.types = types_of(plan.readout)
        self.channels = plan.drive.channels
        self.membership = Membership.draw(circuit, network, self.channels, self._plastic_types(
            circuit))
        self.plastic = list(learning_pathways(circuit))
        self._key = rng.stream(seed, "session", "choice")
        self._lengths = {key: steps(value, self.dt) for key, value in plan.phases.to_dict().items()}
        self._trial_steps = sum(self._lengths[key] for key in (
            "before", "choice", "action", "delay", "after"))
        self.rows: list[dict[str, Any]] = []
        self.next = Moment(0, "cue")
        #: Spikes by type and channel since the choice began, and since the last look.
        self._counts = np.zeros((len(self.types), len(self.channels)), np.int64)
        self._new = np.zeros_like(self._counts)
        self._looked = 0
        self._memory: list[float] = []
        self._trial: dict[str, Any] = {}
        self._seen: Any = None
        self._done = True

    def _plastic_types(self, circuit: Circuit) -> list[str]:
        return [*self.types, *(name.split("->")[1] for name in learning_pathways(circuit))]

    @property
    def number(self) -> int:
        """The trial that goes on."""
        return len(self.rows)

    @property
    def trial_ms(self) -> float:
        """Length of a trial [ms]."""
        return self._trial_steps * self.dt

    @property
    def start(self) -> int:
        """The step at which it began."""
        return self.number * self._trial_steps

    def hear(self, ids: np.ndarray) -> None:
        """Take the spikes of a window, global ids."""
        if self.next.kind != "look":
            return
        for place, cell in enumerate(self.types):
            self._new[place] += self.membership.counts(cell, ids)

    def ask(self, engine: Engine) -> list[EventEntry]:
        """Return the events of the moment, and go on to the next one."""
        entries, step = [], self.next.step
        while self.next.step == step:
            changes, note = getattr(self, f"_{self.next.kind}")(engine)
            if changes:
                entries.append(EventEntry(step=step, note=note, set={
                    key: spelled(value) for key, value in changes.items()}))
        return _merged(entries)

    # ---- the moments of a trial -----------------------------------------------------------------

    def _cue(self, engine: Engine) -> tuple[dict[str, Any], str]:
        if self.number in snapshots(self):
            write_snapshot(self.folder, self.number, {
                name: engine.weights(name) for name in self.plastic})
        if self.number >= self.plan.trials:
            self.next = Moment(NEVER, "cue")
            return {}, ""
        if self._done:
            self._seen = self.plan.environment.begin(first=self.number == 0)
            self._done = False
        self._trial = {"trial": self.number, "observation": self._seen}
        self._counts[:] = 0
        self._new[:] = 0
        self._memory = self.plan.readout.fresh()
        self._looked = self.start + self._lengths["before"]
        rates = checked_rates(self.plan.encoder, self._seen)
        changes = self.plan.drive.cue(self.start * self.dt, rates)
        self.next = Moment(self._looked, "choice")
        return changes, f"trial {self.number}: cue"

    def _choice(self, engine: Engine) -> tuple[dict[str, Any], str]:
        del engine
        self.next = Moment(self._look_at(), "look")
        return {}, ""

    def _look(self, engine: Engine) -> tuple[dict[str, Any], str]:
        del engine
        now, begun = self.next.step, self.start + self._lengths["before"]
        last = now >= begun + self._lengths["choice"]
        self._counts += self._new
        passed, since = (now - begun) * self.dt, (now - self._looked) * self.dt
        go, stop, *output = self._rates(self._counts, passed)
        new_go, new_stop, *new_output = self._rates(self._new, since)
        words = rng.philox(self._key, 0, self.number)
        chosen, self._memory = checked_look(self.plan.readout, Window(
            go, stop, new_go, new_stop, passed, since, float(rng.uniform53(words[0], words[1])),
            self.plan.environment.idle is not None, last, *new_output), self._memory)
        self._new[:] = 0
        self._looked = now
        if chosen == WAIT and not last:
            self.next = Moment(self._look_at(), "look")
            return {}, ""
        self._trial |= {"channel": max(chosen, -1), "choice": self._action(chosen),
                        "reaction_ms": round(passed, 9) if chosen >= 0 else None,
                        **{f"{key}_hz": [round(float(rate), 6) for rate in rates] for key, rates
                           in zip(("go", "stop", "output"), (go, stop, *output), strict=False)}}
        changes = self.plan.drive.action(now * self.dt, chosen if chosen >= 0 else None)
        self.next = Moment(now + self._lengths["action"] + self._lengths["delay"], "outcome")
        return changes, f"trial {self.number}: {self._name(chosen)}"

    def _outcome(self, engine: Engine) -> tuple[dict[str, Any], str]:
        del engine
        choice, step = self._trial["choice"], self.next.step
        if choice is None:  # nothing was chosen where something had to be: nothing comes of it
            reward, delta, following = 0.0, 0.0, self._seen
            correct: bool | None = False
        else:
            after = self.plan.environment.step(choice)
            reward, following, self._done = after.reward, after.observation, after.done
            correct = after.correct
            delta = checked_error(self.plan.critic, Outcome(self._seen, choice, reward, following,
                                                            self._done))
        self._trial |= {"reward": reward, "delta": delta, "correct": correct}
        self._seen = following
        changes = self.plan.drive.outcome(step * self.dt, delta)
        self.next = Moment(self.start + self._trial_steps, "end")
        return changes, f"trial {self.number}: reward {reward:g}"

    def _end(self, engine: Engine) -> tuple[dict[str, Any], str]:
        self._trial["weights"] = {
            name: self.membership.means(name.split("->")[1], self.network.afferents[name].targets,
                                        engine.weights(name)) for name in self.plastic}
        self.rows.append(self._trial)
        self._trial = {}
        self.next = Moment(self.next.step, "cue")
        return {}, ""

    def _look_at(self) -> int:
        end = self.start + self._lengths["before"] + self._lengths["choice"]
        every = self.plan.readout.every
        return end if every is None else min(end, self._looked + max(1, round(every / self.dt)))

    def _rates(self, counts: np.ndarray, time_ms: float) -> list[np.ndarray]:
        return [row / np.maximum(self.membership.cells(cell), 1) / (time_ms / 1000.0)
                for row, cell in zip(counts, self.types, strict=True)]

    def _action(self, chosen: int) -> int | None:
        """Return the action of a channel: actions but the idle one are channels in their order."""
        idle = self.plan.environment.idle
        if chosen < 0:
            return idle
        return chosen if idle is None or chosen < idle else chosen + 1

    def _name(self, chosen: int) -> str:
        return self.channels[chosen] if chosen >= 0 else "nothing"

    # ---- its results and its state --------------------------------------------------------------

    def write(self) -> None:
        """Write the trials so far."""
        write_trials(self.folder, self)

    def files(self) -> dict[str, str]:
        """Return the sha256 of the files of the session, by name."""
        return hashes(self.folder, self)

    def summary(self) -> dict[str, Any]:
        """Return the numbers of the session."""
        return summary_of(self)

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that its future depends on, beside what is played again."""
        about = {"rows": self.rows, "trial": self._trial, "next": list(self.next),
                 "counts": self._counts.tolist(), "new": self._new.tolist(),
                 "looked": self._looked, "memory": self._memory}
        return {STATE: np.frombuffer(json.dumps(about).encode(), np.uint8)}

    def restore(self, state: np.ndarray) -> None:
        """Continue from a `state`; environment and critic learn again what they knew.

        Raises
        ------
        RunFileError
            The environment does not play as it did.
        """
        about = json.loads(state.tobytes())
        self.rows, self._trial = about["rows"], about["trial"]
        self.next = Moment(*about["next"])
        self._counts, self._new = np.array(about["counts"]), np.array(about["new"])
        self._looked, self._memory = about["looked"], about["memory"]
        played = [*self.rows, *([self._trial] if self.next.kind == "end" else [])]
        self._seen, self._done = self.plan.environment.replay(played, self.plan.critic)
        if self.next.kind in ("choice", "look", "outcome") and self._done:
            self._seen = self.plan.environment.begin(first=self.number == 0)
            self._done = False


def _merged(entries: list[EventEntry]) -> list[EventEntry]:
    """Return the events of one step as one."""
    if len(entries) < 2:
        return entries
    changes = {key: value for entry in entries for key, value in entry.set.items()}
    return [EventEntry(step=entries[0].step, set=changes,
                       note="; ".join(entry.note for entry in entries))]
