"""A run directory, and the object that reads it: finished, still running, or killed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.card import Carded
from neostriatum.circuit.folder import path_text
from neostriatum.circuit.models import known, load_with
from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.durable import digest, is_locked
from neostriatum.engines.base import Trace
from neostriatum.engines.probes import LEVEL
from neostriatum.errors import ModelError, RunFileError
from neostriatum.recording.checked import events_of, model_entries
from neostriatum.recording.chunks import due, read_chunk
from neostriatum.recording.derived import computed
from neostriatum.recording.events import Event
from neostriatum.recording.levels import levels
from neostriatum.recording.manifest import Manifest
from neostriatum.recording.record import parsed, read_record, write_record
from neostriatum.recording.releases import RELEASED, released
from neostriatum.recording.selection import AXONS, asked, choices, recordable
from neostriatum.recording.sonata import (
    bin_steps,
    first_id,
    read_rates,
    read_spikes,
    read_traces,
    report,
)
from neostriatum.recording.spikehash import spike_hash as spike_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.card import Card
    from neostriatum.circuit.model import Circuit
    from neostriatum.recording.chunks import Chunk
    from neostriatum.recording.selection import Choice

FINISHED = "finished"


@dataclass(frozen=True)
class Spikes:
    """Flat spikes: times_ms float64 (n,) from the end of the warm-up, ids int64 (n,) global."""

    times_ms: np.ndarray
    ids: np.ndarray

    def __len__(self) -> int:
        return len(self.times_ms)


class Run(Carded):
    """A run on disk; of one that has not finished, what was durable when it is first asked for.

    Parameters
    ----------
    folder : str or Path
        A directory that ``run`` made.

    Raises
    ------
    RunFileError
        No run there, or its files are damaged.

    Examples
    --------
    >>> import neostriatum as ns
    >>> from tempfile import mkdtemp
    >>> made = ns.run("striatum_v1", size=100, duration="10 ms", out=f"{mkdtemp()}/run",
    ...               figures=False)
    >>> ns.Run(made.folder).status
    'finished'
    """

    def __init__(self, folder: str | Path) -> None:
        #: The folder as the caller named it, for messages.
        self.label = str(Path(path_text("run", folder)))
        self.record: dict[str, Any] = read_record(Path(folder))
        self.folder = Path(folder).absolute()

    def card(self) -> Card:
        """Return what it says of itself."""
        from neostriatum.recording.card import card

        return card(self)

    @property
    def status(self) -> str:
        """``finished``, ``running``, ``killed``, ``interrupted`` or ``failed``."""
        said = self.record["status"]
        if said not in ("started", "running"):
            return said
        return "running" if is_locked(self.folder) else "killed"

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self.record["status"] == FINISHED

    @property
    def summary(self) -> dict[str, Any]:
        """The numbers that ``neostriatum run --json`` prints."""
        if not self.finished:
            msg = (f"{self.label}: the run did not finish (status {self.status}). "
                   f"Go on with: neostriatum resume {shlex.quote(self.label)}")
            raise RunFileError(msg)
        return self.record["summary"]

    @cached_property
    def circuit(self) -> Circuit:
        """The resolved circuit."""
        self.verify_inputs()
        entries = [entry.model_dump() for entry in model_entries(self)]
        try:
            return load_with(entries, self.record["circuit"], self.folder)
        except ModelError as error:
            msg = f"{self.label}: the record of this run is damaged ({error})"
            raise RunFileError(msg) from None

    @property
    def circuit_name(self) -> str:
        """Name of the circuit."""
        return self.record["circuit"]["name"]

    @property
    def seed(self) -> int:
        """Master seed."""
        return self.record["seed"]

    @property
    def dt_ms(self) -> float:
        """Step [ms]."""
        return self.circuit.dt.value

    @property
    def duration_ms(self) -> float:
        """Recorded time [ms]; so far, where the run has not finished."""
        return self.record["duration_ms"] if self.finished else self._manifest.stop * self.dt_ms

    @property
    def dopamine(self) -> tuple[float | None, float | None]:
        """Activation of D1 and D2 receptors at t = 0; None where it is computed."""
        levels, modulators = self.circuit.levels_at(0.0), self.circuit.modulators
        d1, d2 = (None if modulators[name].kind else round(levels[name], 6) for name in DOPAMINE)
        return d1, d2

    @cached_property
    def modulators(self) -> dict[str, float]:
        """Level of every modulator at the end of the run."""
        if self.circuit.computed_levels and self.finished:
            return self.summary["modulators"]
        # Events may have changed the levels that the circuit holds; the last of a key counts, and
        # a lesson has hundreds of them.
        kept: dict[str, dict[str, Any]] = {}
        for event in reversed(self.events):
            held = {key: value for key, value in event.changes.items()
                    if key.partition(".")[0] in ("modulators", "dopamine")}
            for key in held.keys() - kept.keys():
                kept[key] = held
        circuit = self.circuit
        for held in reversed({id(held): held for held in kept.values()}.values()):
            circuit = circuit.replace(held)
        levels = circuit.levels_at(self.duration_ms)
        return {name: round(level, 6) for name, level in levels.items()}

    @property
    def events(self) -> list[Event]:
        """What was changed during the run, in the order of time."""
        return [Event(entry.step, round(entry.step * self.dt_ms, 9), {
            key: parsed(text) for key, text in entry.set.items()}, entry.note)
            for entry in events_of(self)]

    @cached_property
    def circuits(self) -> list[tuple[int, Circuit]]:
        """The circuit from each step on: the resolved one, and that after every event."""
        circuits = [(0, self.circuit)]
        with known([entry.model_dump() for entry in model_entries(self)]):
            for event in self.events:
                circuits.append((event.step, circuits[-1][1].replace(event.changes)))
        return circuits

    @property
    def populations(self) -> dict[str, range]:
        """Global ids of each cell type."""
        spans, start = {}, 0
        for name, count in self.record.get("counts", {}).items():
            spans[name] = range(start, start + count)
            start += count
        return spans

    @property
    def pools(self) -> dict[str, tuple[str, ...]] | None:
        """The pools that the circuit names, None where it names none."""
        said = self.record["circuit"].get("pools")
        return None if said is None else {name: tuple(types) for name, types in said.items()}

    @cached_property
    def axons(self) -> dict[str, Spikes]:
        """Recorded spikes of axons by population, with the numbers of the axons."""
        chosen = [name for name in self.circuit.axons if any(
            text.strip().startswith(f"{AXONS}{name}:") for text in self.record["record"] or ())]
        return {name: Spikes(*read_spikes(self._sound("axons.h5"), {name: range(0)}))
                for name in (chosen if self.finished else [])}

    @cached_property
    def spikes(self) -> Spikes:
        """All recorded spikes."""
        if self.finished:
            return Spikes(*read_spikes(self._sound("spikes.h5"), self.populations))
        parts = [(one.steps, one.ids) for one in self._chunks()]
        if self.finished:  # meanwhile
            return self.spikes
        steps, ids = (np.concatenate([np.zeros(0, np.int64), *one])
                      for one in (zip(*parts, strict=True) if parts else ((), ())))
        return Spikes((steps + 1) * self.dt_ms, ids)

    @property
    def traces(self) -> dict[str, Trace]:
        """Membrane potentials of the recorded cells by type."""
        return self.recorded("v")

    @property
    def variables(self) -> list[str]:
        """The variables of single cells: states that are recorded, then what was asked for."""
        return list(dict.fromkeys(one.variable for one in (*self._chosen, *self._asked)))

    def steps_of(self, name: str) -> dict[str, int]:
        """Return after how many steps each state of a type is recorded."""
        return {one.variable: one.every for one in self._chosen if one.population == name}

    def unit(self, variable: str, name: str | None = None) -> str:
        """Return the unit of a variable, of one type or of the first that has it."""
        units = [(choice.population, choice.variable, choice.unit)
                 for choice in (*self._chosen, *self._asked)]
        units += [(population, key, unit) for population in
                  dict.fromkeys([*self.populations, *(one.population for one in self._chosen)])
                  for key, unit in recordable(self.circuit, population).items()]
        return next(unit for population, key, unit in units
                    if key == variable and name in (None, population))

    def recorded(self, variable: str) -> dict[str, Trace]:
        """Return one variable of the recorded cells by type, such as ``g_AMPA`` [nS].

        Parameters
        ----------
        variable : str
            One of `variables`, or any that follows from them; nothing is returned for another.

        Returns
        -------
        dict
            {type: Trace}, ids global, times [ms] from the end of the warm-up. A level has the key
            ``modulators.<name>``, a state of release ``pathways.<name>``, with ids of its sources.

        Raises
        ------
        RunFileError
            A damaged file.
        CircuitError, ModelError
            What does not follow from the states, and why, or what a model that is not registered
            here would have to compute.
        """
        if variable not in self._traces:
            more = {LEVEL: levels, RELEASED: released}
            self._traces[variable] = self.stored(variable) | computed(self, variable) | (
                more[variable](self) if variable in more else {})
        return self._traces[variable]

    @cached_property
    def _traces(self) -> dict[str, dict[str, Trace]]:
        return {}

    def stored(self, variable: str) -> dict[str, Trace]:
        """Return a state as `recorded` does, without what follows from states under its name."""
        if variable not in self._stored:
            self._stored[variable] = self._read(variable)
        return self._stored[variable]

    @cached_property
    def _stored(self) -> dict[str, dict[str, Trace]]:
        return {}

    def _read(self, variable: str) -> dict[str, Trace]:
        chosen = [one for one in self._chosen if one.variable == variable]
        if not chosen:
            return {}
        if self.finished:
            return read_traces(self._sound(report(variable)), self.populations)
        parts: dict[str, list[np.ndarray]] = {one.population: [] for one in chosen}
        stop = 0
        for chunk in self._chunks():
            stop = chunk.stop
            for name, values in parts.items():
                values.append(chunk.samples[variable, name].astype(float))
        if self.finished:  # meanwhile
            return self._read(variable)
        spans, dt = self.populations, self.dt_ms
        return {one.population: Trace(
            one.ids + first_id(spans, one.population), (due(0, stop, one.every) + 1) * dt,
            np.concatenate([np.zeros((0, len(one.ids))), *parts[one.population]]))
            for one in chosen}

    def rates(self) -> dict[str, np.ndarray]:
        """Return the rate of every neuron by type, {type: (n,)} [Hz]."""
        total = sum(len(span) for span in self.populations.values())
        counts = np.bincount(self.spikes.ids, minlength=total)
        per_s = counts / (self.duration_ms / 1000.0) if self.duration_ms else counts * np.nan
        return {name: per_s[span.start : span.stop] for name, span in self.populations.items()}

    def population_rates(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the mean rate of every type over time.

        Returns
        -------
        starts_ms : numpy.ndarray
            Start of each bin of 10 ms [ms], the last of which may be shorter.
        rates_hz : dict
            {type: (bins,)} spikes per neuron and second; NaN for a type without neurons.
        """
        width, counts = self._counts()
        bins = len(next(iter(counts.values()), ()))
        edges = np.minimum(np.arange(bins + 1) * width, self.duration_ms)
        seconds = np.diff(edges) / 1000.0
        return edges[:-1], {name: said / seconds / len(self.populations[name])
                            if self.populations[name] else said * np.nan
                            for name, said in counts.items()}

    def _counts(self) -> tuple[float, dict[str, np.ndarray]]:
        if self.finished:
            return read_rates(self._sound("spikes.h5"), self.populations)
        width, spikes = bin_steps(self.dt_ms), self.spikes
        bins = -(-self._manifest.stop // width)
        which = (np.rint(spikes.times_ms / self.dt_ms).astype(np.int64) - 1) // width
        return width * self.dt_ms, {
            name: np.bincount(which[(spikes.ids >= span.start) & (spikes.ids < span.stop)],
                              minlength=bins) for name, span in self.populations.items()}

    def to_pandas(self) -> Any:
        """Return the spikes as a table with columns time_ms, id, type, node_id."""
        import pandas as pd

        spans = self.populations
        starts = np.array([span.start for span in spans.values()])
        # The last type that starts at or before an id is its type, also after an empty one.
        which = np.searchsorted(starts, self.spikes.ids, side="right") - 1
        return pd.DataFrame({
            "time_ms": self.spikes.times_ms, "id": self.spikes.ids,
            "type": pd.Categorical.from_codes(which, list(spans)),
            "node_id": self.spikes.ids - starts[which],
        })

    def verify(self) -> None:
        """Refuse a run of which a file is missing or was changed.

        Raises
        ------
        RunFileError
            The first file that is not what was written.
        """
        self.verify_inputs()
        if self.finished:
            for name in self.record["files"]:
                self._sound(name)
        else:
            for _ in self._chunks():
                pass

    def verify_inputs(self) -> None:
        """Refuse a run of which a file that its circuit names was changed.

        Raises
        ------
        RunFileError
            The first such file.
        """
        for name in self.record.get("inputs", {}):
            self._sound(name)

    def write_record(self) -> None:
        """Make ``run.json`` durable."""
        write_record(self.folder, self.record)

    def to_neo(self) -> Any:
        """Return spikes, traces and rates as a Neo block; see `neostriatum.recording.neo.block`."""
        from neostriatum.recording.neo import block

        return block(self)

    def to_xarray(self) -> Any:
        """Return traces and rates; see `neostriatum.recording.arrays.dataset`."""
        from neostriatum.recording.arrays import dataset

        return dataset(self)

    # ---- what lies on disk ----------------------------------------------------------------------

    @cached_property
    def _manifest(self) -> Manifest:
        return Manifest(self.folder)

    @cached_property
    def _asked(self) -> list[Choice]:
        counts = self.record.get("counts")
        return asked(self.record["record"], self.circuit, counts,
                     self.record.get("axon_counts")) if counts else []

    @cached_property
    def _chosen(self) -> list[Choice]:
        counts = self.record.get("counts")
        return choices(self.record["record"], self.circuit, counts,
                       self.record.get("axon_counts")) if counts else []

    def _chunks(self) -> Iterator[Chunk]:
        """Yield the durable chunks; of a run that is finished meanwhile, nothing more."""
        if not self._manifest.entries:
            self.record = read_record(self.folder)
        for entry in self._manifest.chunks:
            try:
                yield read_chunk(self.folder, entry)
            except FileNotFoundError:
                self.record = read_record(self.folder)
                if self.finished:
                    return
                msg = f"{self.folder / entry['chunk']}: is missing"
                raise RunFileError(msg) from None

    @cached_property
    def _known_sound(self) -> set[str]:
        return set()

    def _sound(self, name: str) -> Path:
        """Return the path of a file once it has the hash that the record says."""
        path = self.folder / name
        if name not in self._known_sound:
            said = {**self.record.get("inputs", {}), **self.record.get("files", {})}
            if digest(path) != said.get(name):
                msg = f"{path}: is damaged (it does not have the hash that run.json says)"
                raise RunFileError(msg)
            self._known_sound.add(name)
        return path
