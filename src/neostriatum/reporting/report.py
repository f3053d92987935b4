"""Write the report of a run: one HTML file that needs nothing else.

In: a run. Out: ``report.html`` with its figures inside, no script, no request.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
import warnings
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.bibtex import bibtex
from neostriatum.circuit.cautions import warnings_of
from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.circuit.sources import cited, values
from neostriatum.durable import write_text
from neostriatum.errors import InputError, RunFileError, undrawn
from neostriatum.plotting.gallery import draw, figures_of, picture, standard
from neostriatum.plotting.palette import colours
from neostriatum.recording.checked import checked
from neostriatum.recording.store import Run
from neostriatum.reporting import events, rerun, tables
from neostriatum.reporting.captions import alternative, caption
from neostriatum.reporting.effects import effects
from neostriatum.reporting.phrases import against_real_time, number
from neostriatum.reporting.references import references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neostriatum.circuit.model import Circuit
    from neostriatum.recording.checked import Record


def report(run: Run | str | Path, out: str | Path | None = None, *,
           pictures: Mapping[str, bytes] | None = None) -> dict[str, Any]:
    """Write the report of a run as one HTML file.

    Parameters
    ----------
    run : Run, str or Path
        A run, or its folder; of one that did not finish, what was recorded is shown.
    out : str or Path, optional
        A new file; by default ``report.html`` in the run's folder, where it replaces an older one.
    pictures : mapping of str to bytes, optional
        Figures that are drawn already, PNG by name; by default every figure of a run is drawn.

    Returns
    -------
    dict
        ``out`` (the file), ``figures`` (names of those in it), ``skipped`` ({figure: reason}),
        ``bytes``.

    Raises
    ------
    RunFileError
        No run there, nothing recorded yet, damaged files, or a file that cannot be written.

    Examples
    --------
    >>> import neostriatum as ns
    >>> ns.report("runs/0001")["out"]  # doctest: +SKIP
    'runs/0001/report.html'
    """
    run = run if isinstance(run, Run) else Run(run)
    record = checked(run)
    path, label = _free(run, out)
    drawn, skipped = _drawn(run, pictures)
    # Of a path that is not UTF-8 the page shows the codes of its bytes.
    text = _page(run, record, drawn, skipped).encode("utf-8", "backslashreplace").decode()
    write_text(path, text)
    return {"out": label, "figures": list(drawn), "skipped": skipped,
            "bytes": len(text.encode())}


def present(run: Run) -> None:
    """Draw the standard figures of a run that just ended into its folder, and its report.

    The run is finished and safe, so what cannot be drawn, for whatever reason, is a warning.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C, which says that the run is finished.
    """
    later = f"Make them with: neostriatum report {shlex.quote(run.label)}"
    try:
        names = standard(run)
        draw(run, names)
        report(run, pictures={name: (run.folder / "figures" / f"{name}.png").read_bytes()
                              for name in names})
    except KeyboardInterrupt:
        msg = f"{run.label}: interrupted while drawing; the run is finished. {later}"
        raise KeyboardInterrupt(msg) from None
    except Exception as error:
        what = "the run is finished, but its figures and report"
        warnings.warn(undrawn(run.label, what, error, later), stacklevel=2)


def _free(run: Run, out: str | Path | None) -> tuple[Path, str]:
    """Return where to write and its name for the caller, refused where something else is."""
    if out is None:
        return run.folder / "report.html", str(Path(run.label) / "report.html")
    path = Path(out)
    if path.is_dir() or not str(out).strip():
        msg = f"--out: must name a new file (got {out or 'nothing'}). Choose another"
        raise RunFileError(msg)
    if path.exists():
        msg = f"{path}: exists already. Choose another --out"
        raise RunFileError(msg)
    if not path.parent.is_dir():
        msg = f"{path.parent}: --out must lie in a folder that exists. Make it first"
        raise RunFileError(msg)
    return path, str(path)


def _drawn(run: Run, pictures: Mapping[str, bytes] | None) -> tuple[dict[str, bytes],
                                                                    dict[str, str]]:
    """Return the figures as PNG, and why some could not be drawn."""
    if pictures is not None:
        return dict(pictures), {}
    drawn, skipped = {}, {}
    for name, make in figures_of(run).items():
        try:
            drawn[name] = picture(make, run)["png"]
        except InputError as error:
            skipped[name] = str(error)
    return drawn, skipped


def _page(run: Run, record: Record, drawn: dict[str, bytes], skipped: dict[str, str]) -> str:
    import jinja2

    from neostriatum import __version__

    name = run.folder.resolve().name
    room = files("neostriatum.reporting")
    pages = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
                               lstrip_blocks=True)
    pages.filters["number"] = number
    style = pages.from_string((room / "style.css").read_text("utf-8")).render(
        colours=colours(run.circuit.types))
    circuit = run.circuit
    sources = cited(circuit)
    cites, groups = references(sources), _groups(circuit)
    return pages.from_string((room / "page.html").read_text("utf-8")).render(
        version=__version__, style=style, record=record, summary=record.numbers, circuit=circuit,
        status=run.status, seconds=run.duration_ms / 1000, warmup_s=circuit.warmup.value / 1000,
        spikes=len(run.spikes), facts=_facts(run, record),
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        name=name, folder=shlex.quote(run.label),
        literal=json.dumps(run.label, ensure_ascii=False),
        network=Path(record.network or "").name, populations=_populations(run),
        figures=_figures(run, drawn), skipped=skipped,
        more=len(figures_of(run)) - len(drawn) - len(skipped),
        warnings=warnings_of(circuit, run.duration_ms),
        space=tables.space(circuit), cells=tables.cells(circuit), effects=effects(circuit),
        receptors=tables.receptors(circuit), wiring=tables.wiring(circuit),
        inputs=tables.inputs(circuit), groups=groups, cites=cites,
        changes=_changes(record, groups), events=events.rows(run.events),
        events_file=events.toml(run.events),
        mark={one.key: one.number for one in cites}, bibtex="\n".join(bibtex(sources)).strip(),
        command=rerun.command(circuit, record, record.duration_ms))


def _figures(run: Run, drawn: dict[str, bytes]) -> list[dict[str, str]]:
    known = figures_of(run)
    return [{"name": name, "data": base64.b64encode(data).decode(),
             "caption": caption(name, known[name], run), "alt": alternative(name, known[name])}
            for name, data in drawn.items()]


def _facts(run: Run, record: Record) -> list[tuple[str, str]]:
    """Return the numbers that say how large a run was, and what it took."""
    said = record.numbers
    facts = [("neurons", f"{sum((record.counts or {}).values()):,}")]
    if said is not None:
        facts += [("synapses", f"{said.synapses:,}"), ("gap junctions", f"{said.gap_junctions:,}")]
    facts += [("spikes", f"{len(run.spikes):,}"),
              ("simulated", f"{number(run.duration_ms / 1000)} s"),
              ("dopamine", _dopamine(run.circuit)), *_others(run.circuit)]
    if run.variables not in ([], ["v"]):
        facts.append(("recorded", ", ".join(run.variables)))
    if said is not None:
        facts += [("against real time", against_real_time(said.real_time_factor)),
                  ("peak memory", f"{said.peak_memory_gb:.2f} GB")]
    return facts


def _populations(run: Run) -> list[dict[str, Any]]:
    """Return a row per cell type: neurons, spikes, and how their rates are distributed [Hz]."""
    rows = []
    for name, rates in run.rates().items():
        row: dict[str, Any] = {"name": name, "neurons": len(rates), "spikes": None}
        if len(rates):
            row |= {"spikes": round(float(rates.sum()) * run.duration_ms / 1000), "mean":
                    float(rates.mean()), "sd": float(rates.std()), "median":
                    float(np.median(rates)), "highest": float(rates.max()),
                    "silent": float(np.mean(rates == 0))}
        rows.append(row)
    return rows


def _dopamine(circuit: Circuit) -> str:
    """Return the levels of dopamine in the fewest words."""
    d1, d2 = (_level(circuit, name) for name in DOPAMINE)
    if "time course" in (d1, d2):
        return "time course"
    return d1 if d1 == d2 else f"D1 {d1}, D2 {d2}"


def _others(circuit: Circuit) -> list[tuple[str, str]]:
    """Return the levels of the other modulators."""
    return [(name, _level(circuit, name)) for name in circuit.modulators if name not in DOPAMINE]


def _level(circuit: Circuit, name: str) -> str:
    level = circuit.modulators[name].level
    if level is None:
        return "computed"
    return number(level.constant.value) if level.is_constant else "time course"


def _changes(record: Record, groups: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return every value that was changed for the run, by its key."""
    found = {row["key"]: row["value"] for rows in groups.values() for row in rows
             if row["source"] == "override"}
    # Words, such as a shape or a rule, carry no source that could say it.
    return found | {key: text for key, text in record.changes.items()
                    if not any(one == key or one.startswith(f"{key}.") for one in found)}


def _groups(circuit: Circuit) -> dict[str, list[dict[str, Any]]]:
    """Return a row per value of the circuit, by the part of the file that holds it."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for key, row in values(circuit.to_dict()):
        part = key.split(".")[0] if "." in key else "clock"
        groups.setdefault(part, []).append({"key": key, **row})
    return groups
