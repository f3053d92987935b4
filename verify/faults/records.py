"""Records of runs: whatever a run accepts, every later step can read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from busy import COMMON, circuit, command, network, written
from case import EITHER, SAME, Case, program

import neostriatum as ns

KIND = "records"

BASE = {**COMMON, "size": 30, "duration": "2 ms"}
#: What comes after a run.
STEPS: dict[str, Callable[[Any], Any]] = {
    "report": lambda run: bool(ns.report(run, out="r.html")),
    "draw": lambda run: ns.draw(run, ["raster"], out="f")["files"] == ["raster.png"],
    "rerun": lambda run: ns.rerun(run).summary["equal"],
    "resume": lambda run: ns.resume(run, duration="3 ms").finished,
    "export": lambda run: ns.export(run, to="sonata", out="x")["spikes"] == len(run.spikes)}


def table(points: int) -> dict[str, Any]:
    """Return a course of dopamine with so many points."""
    times = np.linspace(0, 1000, points)
    return {"table": {"times": [f"{time:.2f} ms" for time in times],
                      "values": [round(float(level), 4) for level
                                 in 0.5 + 0.5 * np.sin(times / 100)]}}


CURRENT = {"targets": {"FS": {"current": {"table": {
    "times": [f"{n} ms" for n in range(200)], "values": [f"{n % 7} pA" for n in range(200)]}}}}}
#: Changes that a circuit takes.
CHANGES: dict[str, dict[str, Any]] = {
    **{f"a course of {n} points": {"dopamine.d1": table(n)} for n in (2, 60, 400, 1000)},
    "a current of 200 points": {"inputs.electrode": CURRENT},
    **{f"a summary of {n} letters": {"summary": "x" * n} for n in (999, 1000, 1001, 20_000)},
    "a summary in Chinese": {"summary": "纹状体" * 400}, "a summary with marks": {
        "summary": "<b>&amp;\u202e\u0301 é \U0001f9e0"},
    "a summary of lines": {"summary": "a\nb\tc\r\nd"}, "an empty summary": {"summary": ""},
    "a summary of control characters": {"summary": "a\x1b[31mb\x07"},
    "a summary of brackets": {"summary": "{'a': [1]} $x ${y} %s {0}"},
    "a long left_out": {"left_out": ["thalamus " * 40] * 40},
    "wide bins": {"pathways.FS->dSPN.wiring": {"rule": "pairwise", "bins": [
        {"below": f"{n + 1} um", "p": 0.1} for n in range(120)]}},
    "a whole input": {"inputs": {"electrode": CURRENT}}, "no inputs": {"inputs": {}},
    "many channels": {"channels": {f"c{n}": {"fraction": 0.5} for n in range(60)}},
    "truths": {"pathways.FS->dSPN.failure": {"probability": 0.5, "drawn": True}},
    "None": {"pathways.FS->dSPN.stp": None}, "numbers of NumPy": {"dopamine.d1": np.float64(0.25)},
    "a key in quotes": {'pathways."FS->dSPN".delay': "1 ms"},
    "an alias": {"cells.D1.parameters.C": "16 pF"},
    "forty changes": {f"cells.{cell}.parameters.{key}": f"{value} {unit}"
                      for cell in ("dSPN", "iSPN") for key, value, unit in (
                          ("C", 16, "pF"), ("v_r", -81, "mV"), ("v_t", -30, "mV"),
                          ("c", -56, "mV"), ("d", 90, "pA"), ("a", 0.011, "1/ms"))},
}
#: Names of folders and files.
PLACES: dict[str, bytes] = {
    "plain": b"plain", "latin-1": b"caf\xe9", "only bytes": b"\xff\xfe\x80", "blanks": b" a  b ",
    "Chinese": "纹状体".encode(), "end of line": b"a\nb", "tab": b"a\tb", "quotes": b"a'\"`b",
    "a dollar": b"$HOME", "a backslash": b"a\\b", "braces": b"{a}%s", "a dash": b"-a",
    "a digit of another script": "²".encode(), "escape": b"a\x1b[31m", "a marked letter":
    "e\u0301".encode(), "markup": b"<b>&amp;", "long": b"/".join([b"d" * 200] * 6),
    "dots": b"a.b..c", "a hash": b"a#b?c"}


def _step(label: str, make: Callable[[Path], Any], step: str, expect: str = SAME,
          words: tuple[str, ...] = ()) -> Case:
    def run(folder: Path) -> Any:
        result = make(folder)
        try:
            return STEPS[step](ns.Run(result.folder))
        except ns.NeostriatumError as error:
            return f"accepted, then: {error}"  # no refusal: the run was accepted

    return Case(f"{label}, then {step}", run, expect, True, words)


def _changes() -> list[Case]:
    listed = []
    for number, (label, content) in enumerate(CHANGES.items()):
        warm = {"warmup": "0 ms"} | content

        def make(folder: Path, warm: dict[str, Any] = warm) -> Any:
            return ns.run("striatum_v1", changes=warm, out=folder / "run", **BASE)

        steps = ["report", list(STEPS)[1 + number % 4]]
        if label in ("a course of 60 points", "a summary of 1001 letters"):
            steps = list(STEPS)
        listed += [_step(label, make, step) for step in steps]
    for label in ("a course of 60 points", "a summary of 20000 letters", "truths",
                  "a summary in Chinese"):
        sets = [part for key, content in CHANGES.get(label, {"summary": "x" * 20_000}).items()
                for part in ("--set", f"{key}={json.dumps(content)}")]

        def by_command(folder: Path, sets: list[str] = sets) -> bool:
            command("run", "striatum_v1", *sets, "--set", "warmup=0 ms", "--size", 30, "--duration",
                    "2 ms", "--engine", "reference", "--out", folder / "run", "--quiet")
            return bool(command("rerun", folder / "run", "--out", "again", "--json"))

        listed.append(Case(f"{label} by --set, then rerun", by_command))
    long = CHANGES["a course of 60 points"] | {"warmup": "0 ms"}
    return [*listed, *(Case(f"a sweep of a course, figures {figures}",
                           lambda folder, figures=figures: ns.sweep(
                               circuit="striatum_v1", seeds=2, size=30, duration="2 ms", jobs=1,
                               engine="reference", changes=long, figures=figures,
                               out=folder / "s").finished, SAME, 2)
                      for figures in (False, True))]


def _place(folder: Path, name: bytes) -> Path:
    path = Path(os.fsdecode(bytes(folder) + b"/" + name))
    path.mkdir(parents=True)
    return path


def _places() -> list[Case]:
    def by_network(folder: Path, name: bytes) -> Any:
        path = network().save(_place(folder, name) / "n.h5")
        return ns.run(network=path, out=folder / "run", **{**COMMON, "duration": "2 ms"})

    def by_circuit(folder: Path, name: bytes) -> Any:
        path = written(_place(folder, name), circuit())
        return ns.run(path, out=folder / "run", **BASE)

    def by_out(folder: Path, name: bytes) -> Any:
        return ns.run(circuit(), out=_place(folder, name) / "run", **BASE)

    def by_overlay(folder: Path, name: bytes) -> Any:
        path = _place(folder, name) / "o.v2.toml"
        path.write_text('name = "o"\n[parts.a]\ndopamine.d2 = 0.75\n')
        return ns.run(circuit(), overlay=str(path), out=folder / "run", **BASE)

    roads = {"network": by_network, "circuit": by_circuit, "out": by_out, "overlay": by_overlay}
    listed = []
    for number, (label, name) in enumerate(PLACES.items()):
        for shift, (road, call) in enumerate(roads.items()):
            step = list(STEPS)[(number + shift) % len(STEPS)]
            listed.append(_step(f"{label} as a folder of the {road}",
                               lambda folder, call=call, name=name: call(folder, name), step))
    for label in ("latin-1", "end of line", "a digit of another script"):
        def commanded(folder: Path, name: bytes = PLACES[label]) -> bool:
            path = network().save(_place(folder, name) / "n.h5")
            program("run", "--network", path, "--duration", "2 ms", "--engine", "reference",
                    "--out", path.parent / "run", "--quiet", folder=folder)
            return "spike_hash" in program("rerun", path.parent / "run", "--out", folder / "again",
                                           "--json", folder=folder)

        listed.append(Case(f"{label} on the command line", commanded, SAME, apart=True))

    def digit(folder: Path) -> bool:
        del folder
        (Path("runs") / "²").mkdir(parents=True)
        return ns.run(circuit(), **BASE).folder.name == "0001"

    def moved(folder: Path) -> int:
        result = ns.run(circuit(), out="rel", **BASE)
        os.chdir(folder)
        return len(result.spikes) - result.summary["spikes"]

    return [*listed, Case("runs/² beside the runs", digit),
            Case("a run of a relative folder, then another working one", moved, SAME, 0)]


def _options() -> list[Case]:
    """Return options that go into the record, in other kinds than it has."""
    texts = {"a generator of overlays": {"overlay": (item for item in ["parkinsonian.dopamine"])},
             "an overlay as a tuple": {"overlay": ("parkinsonian.dopamine",)},
             "figures of NumPy": {"figures": np.False_},
             "threads of NumPy": {"threads": np.int64(1)},
             "seed of NumPy": {"seed": np.int64(3)}, "size of NumPy": {"size": np.int64(30)},
             "seed above 2^53": {"seed": 2**53 + 1}, "the highest seed": {"seed": 2**63 - 1},
             "precision of NumPy": {"precision": np.str_("double")},
             "engine of NumPy": {"engine": np.str_("reference")}}
    listed = []
    for label, content in texts.items():
        for step in ("report", "rerun", "resume"):
            def make(folder: Path, content: dict[str, Any] = content) -> Any:
                fresh = {key: (item for item in ["parkinsonian.dopamine"])
                         if label_of(item) else item for key, item in content.items()}
                return ns.run("striatum_v1", out=folder / "run",
                              **{**BASE, "changes": {"warmup": "0 ms"}, **fresh})

            listed.append(_step(label, make, step, EITHER))
    return listed


def label_of(item: Any) -> bool:
    """Return whether an option is a generator, which is used up by its first reader."""
    return hasattr(item, "send")


def cases() -> list[Case]:
    """Return every case of this kind."""
    return [*_changes(), *_places(), *_options()]
