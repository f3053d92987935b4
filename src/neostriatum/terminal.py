"""What the commands show a person: progress, summaries, and the figures they name."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.compile_clock import PHASE
from neostriatum.errors import RunFileError

if TYPE_CHECKING:
    from neostriatum.experiments.cell import CellResult
    from neostriatum.experiments.pair import PairResult
    from neostriatum.recording.store import Run
    from neostriatum.sweeps.sweep import Sweep

_PHASES = {"place": "placing somas", "wire": "wiring", "measure": "measuring", "save": "saving",
           "warmup": "warming up", "simulate": "simulating",
           "compile and simulate": "compiling and simulating", "write": "writing",
           "figures": "drawing", "validate": "measuring targets",
           "compile": "compiling for this processor, once, up to a minute"}
#: Phases that tell how far they are.
_MEASURED = ("wire", "warmup", "simulate", "validate")


class Progress:
    """A bar with the time left on a terminal, one plain line per phase elsewhere."""

    def __init__(self, silent: bool) -> None:
        self._silent = silent
        self._bar: Any = None
        self._task: Any = None
        self._phase, self._compiled = "", False

    def __enter__(self) -> Progress:
        if not self._silent and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )
            from rich.progress import Progress as Bar

            self._bar = Bar(TextColumn("{task.description:<26}"), BarColumn(),
                            TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(),
                            TimeRemainingColumn(),
                            console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, phase: str, share: float) -> None:
        """Show that ``phase`` is done to ``share`` (0 to 1)."""
        if self._silent:
            return
        if phase == PHASE:
            # It comes in the middle of another phase, which goes on afterwards.
            if self._bar is None and not self._compiled:
                print(f"{_PHASES[phase]} ...", file=sys.stderr, flush=True)
            elif self._bar is not None and self._task is not None:
                text = _PHASES[self._phase if share else phase]
                self._bar.update(self._task, description=text)
            self._compiled = True
            return
        if self._bar is None:
            if phase != self._phase:
                print(f"{_PHASES.get(phase, phase)} ...", file=sys.stderr, flush=True)
        elif phase != self._phase:
            if self._task is not None:
                self._bar.remove_task(self._task)
            known = phase in _MEASURED
            self._task = self._bar.add_task(_PHASES.get(phase, phase), total=1 if known else None)
        else:
            self._bar.update(self._task, completed=share)
        self._phase = phase


class PointsProgress(Progress):
    """A bar of the points of a sweep; elsewhere a line every ten seconds."""

    def __init__(self, silent: bool) -> None:
        super().__init__(silent)
        self._said = time.monotonic()

    def __call__(self, phase: str, share: float) -> None:
        """Show that the sweep is done to ``share``; ``phase`` says how many points are."""
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task(phase, total=1)
            self._bar.update(self._task, description=phase, completed=share)
        elif not self._silent and time.monotonic() - self._said > 10:
            self._said = time.monotonic()
            print(f"{phase}, {share:.0%}", file=sys.stderr, flush=True)


def sweep_lines(made: Sweep) -> list[str]:
    """Return what became of a sweep, for a person."""
    lines = [f"{made.finished:,} of {made.points:,} points finished"
             + (f", {made.failed:,} failed:" if made.failed else "")]
    bad = [row for row in made.rows if row["status"] == "failed"]
    lines += [f"  point {row['point']}: {row['error']}" for row in bad[:5]]
    lines += [f"  and {len(bad) - 5:,} more, see the table"] if len(bad) > 5 else []
    tables = made.table if made.parquet is None else f"{made.table} and {made.parquet.name}"
    return [*lines, f"table in {tables}"
            + ("" if made.figure is None else f", figure in {made.figure}")]


def summary_lines(run: Run) -> list[str]:
    """Return the summary of a run for a person."""
    from neostriatum.circuit.modulator import others

    said = run.summary
    level = said["dopamine"]
    lines = [f"{said['circuit']}: {said['neurons']:,} neurons, {said['synapses']:,} synapses, "
             f"{said['gap_junctions']:,} gap junctions; dopamine D1 {level['d1']:g}, "
             f"D2 {level['d2']:g}{others(said.get('modulators', {}))}; seed {said['seed']}"
             + _events(run)]
    for name, rate in said["rates_hz"].items():
        if rate is not None:
            lines.append(f"  {name:<5} {len(run.populations[name]):>9,} neurons {rate:8.2f} Hz")
    compiled = f"compiled in {said['compile_s']:.1f} s, " if said.get("compile_s") else ""
    lines.append(f"{said['duration_ms'] / 1000:g} s simulated in {said['simulate_s']:.2f} s "
                 f"(engine {said['engine']}, real-time factor {said['real_time_factor']:.2f}), "
                 f"built in {said['build_s']:.2f} s, {compiled}warm-up {said['warmup_s']:.2f} s, "
                 f"peak memory {said['peak_memory_gb']:.2f} GB")
    page = "report.html"
    drawn = f", report in {Path(run.label) / page}" if (run.folder / page).is_file() else ""
    return [*lines, f"results in {run.label}{drawn}"]


def _events(run: Run) -> str:
    """Return how many events a run had, nothing where it had none."""
    number = len(run.record.get("events", ()))
    return "" if not number else "; 1 event" if number == 1 else f"; {number:,} events"


def rerun_lines(made: Run, first: str) -> list[str]:
    """Return the summary of a rerun for a person, and whether it agrees with the first run."""
    from neostriatum.recording.store import Run
    from neostriatum.runs.again import changed_since

    said = made.summary
    if said["equal"] is None:
        verdict = f"{first} did not finish, so there is nothing to compare with"
    elif said["equal"]:
        verdict = f"the same spikes as {first}, hash {said['spike_hash'][:16]}"
    else:
        verdict = (f"other spikes than {first}: hash {said['spike_hash'][:16]}, was "
                   f"{said['original_hash'][:16]}; {changed_since(Run(first)) or 'same versions'}")
    return [*summary_lines(made), verdict]


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


def validation_lines(made: dict[str, Any]) -> list[str]:
    """Return the verdicts of a validation for a person."""
    from neostriatum.validation.words import amount, wanted

    lines = []
    for row in made["targets"]:
        word = {True: "pass", False: "FAIL", None: "  - "}[row["pass"]]
        lines.append(f"{word} {row['id']}: {row['quantity']}: {amount(row['measured'])} "
                     f"{row['unit']} (published {wanted(row)}; {row['source']})")
        if row["pass"] is not True:
            reason = row["unsuited"] or row["error"] or row["explanation"]
            lines.append(f"       {reason or 'not explained'}")
    lines.append(f"{made['passed']} passed, {made['failed']} failed "
                 f"({sum(row['known_failure'] for row in made['targets'])} of them known), "
                 f"{made['unsuited']} do not apply; {made['seconds']:.0f} s")
    return lines + ([f"report in {made['report']}"] if "report" in made else [])


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
    return lines


def report_lines(made: dict[str, Any]) -> list[str]:
    """Return where a report is, for a person."""
    return [f"report with {len(made['figures'])} figures in {made['out']}", *_skipped(made)]


def drawn_lines(made: dict[str, Any]) -> list[str]:
    """Return where figures are, for a person."""
    return [*(str(Path(made["out"]) / name) for name in made["files"]), *_skipped(made)]


def _skipped(made: dict[str, Any]) -> list[str]:
    return [f"not drawn: {name} ({reason})" for name, reason in made["skipped"].items()]


def cell_lines(made: CellResult, figure: Path | None) -> list[str]:
    """Return what a current did, for a person."""
    from neostriatum.circuit.modulator import others

    lines = [f"{made.cell} of {made.circuit}, dopamine D1 {made.dopamine['d1']:g}, "
             f"D2 {made.dopamine['d2']:g}{others(made.modulators)}, {made.duration_ms:g} ms "
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
    return _saved(figure, out, "cell.png")


def draw_pair(made: PairResult, out: str) -> Path:
    """Draw the postsynaptic potential of a pair, or the traces of two groups."""
    from neostriatum.plotting import groups, psp

    if made.n == 1:
        figure, _ = psp(made.times_ms, made.v_mv, made.reference_mv, spike_ms=made.spike_ms,
                        source=made.source, target=made.target)
    else:
        figure, _ = groups(made, v_peak_mv=made.v_peak_mv)
    return _saved(figure, out, "pair.png")


def _saved(figure: Any, out: str, name: str) -> Path:
    from neostriatum.plotting import paper

    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / name).exists():
            msg = f"{folder / name}: exists already. Choose another --out"
            raise RunFileError(msg)
        with paper():
            figure.savefig(folder / name)
    except OSError as error:
        msg = f"{folder}: cannot be written ({error.strerror or error}). Choose another --out"
        raise RunFileError(msg) from None
    return folder / name
