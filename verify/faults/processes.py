"""What the functions return can be pickled, copied and hashed, and works in every process."""

from __future__ import annotations

import copy
import io
import pickle
import shutil
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from beside import PROGRAMS
from busy import COMMON, circuit, network
from case import SAME, Case, started

import neostriatum as ns
from neostriatum import errors
from neostriatum.runs.settings import Settings

KIND = "processes"

PULSE = {"pulse": {"base": 0.1, "peak": 0.9, "start": "1 ms", "stop": "3 ms"}}
SINE = {"sine": {"mean": 0.5, "amplitude": 0.4, "frequency": "7 Hz"}}
TABLE = {"table": {"times": ["0 ms", "1 ms"], "values": [0.0, 1.0]}}


def recorded(folder: Path) -> Any:
    """Return a circuit that reads recorded spikes from a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "in.csv").write_text("time_ms,id\n0.5,1\n1.5,2\n")
    return ns.load({**ns.load("striatum_v1").to_dict(), "inputs": {"in": {"targets": {"FS": {
        "spikes": {"file": "in.csv"}, "conductance": {"AMPA": "50 nS"}}}}}}, folder=folder)


def ran(folder: Path, **options: Any) -> Any:
    """Return a run whose circuit, spikes and traces were looked at."""
    result = ns.run(circuit(), network=network(), out=folder / "r", **{**COMMON, "record": "dSPN:2",
                                                                     **options})
    result.circuit, result.traces, result.spikes  # noqa: B018 (what was looked at is kept)
    return result


OBJECTS: dict[str, Callable[[Path], Any]] = {
    "circuit": lambda folder: ns.load("striatum_v1"),
    "circuit with changes": lambda folder: ns.load("striatum_v1", changes={"dopamine.d1": 0.9}),
    "circuit with an overlay": lambda folder: ns.load("striatum_v1", overlay="parkinsonian"),
    **{f"circuit with a {name}": lambda folder, content=content: ns.load(
        "striatum_v1", changes={"dopamine.d1": content})
       for name, content in (("pulse", PULSE), ("sine", SINE), ("table", TABLE))},
    "circuit with spikes of a file": recorded, "busy circuit": lambda folder: circuit(),
    "cell of a circuit": lambda folder: ns.load("striatum_v1").cells["dSPN"],
    "pathway of a circuit": lambda folder: ns.load("striatum_v1").pathways["FS->dSPN"],
    "network": lambda folder: network(), "run": ran,
    "run that was opened": lambda folder: ns.Run(ran(folder).folder),
    "spikes": lambda folder: ran(folder).spikes, "traces": lambda folder: ran(folder).traces,
    "summary": lambda folder: ran(folder).summary, "record": lambda folder: ran(folder).record,
    "table of pandas": lambda folder: ran(folder).to_pandas(),
    "estimate": lambda folder: ns.estimate("striatum_v1", 1000),
    "cell result": lambda folder: ns.cell("dSPN", "300 pA", duration="3 ms"),
    "pair result": lambda folder: ns.pair("FS", "dSPN", duration="30 ms"),
    "pair of groups": lambda folder: ns.pair("FS", "dSPN", n=3, duration="3 ms"),
    "recordings": lambda folder: ns.pair_recordings(network(), "FS->dSPN", pairs=5),
    "anatomy": lambda folder: ns.anatomy(network()),
    "construct": lambda folder: ns.construct(size=30, out=folder / "n.h5"),
    "export": lambda folder: ns.export(ran(folder), to="csv", out=folder / "x"),
    "draw": lambda folder: ns.draw(ran(folder), ["raster"], out=folder / "f"),
    "report": lambda folder: ns.report(ran(folder), out=folder / "r.html"),
    "sweep": lambda folder: ns.sweep(circuit="striatum_v1", seeds=2, size=30, duration="1 ms",
                                     engine="reference", jobs=1, out=folder / "s",
                                     changes={"warmup": "0 ms"}),
    "settings": lambda folder: Settings(size=3),
}
WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda item: pickle.loads(pickle.dumps(item)),  # noqa: S301
    "pickle of protocol 2": lambda item: pickle.loads(pickle.dumps(item, 2)),  # noqa: S301
    "pickle of protocol 5": lambda item: pickle.loads(pickle.dumps(item, 5)),  # noqa: S301
    "pickle by Python": lambda item: pickle.loads(_slowly(item)),  # noqa: S301
    "copy": copy.copy, "deepcopy": copy.deepcopy}


def _slowly(item: Any) -> bytes:
    buffer = io.BytesIO()
    pickle._Pickler(buffer).dump(item)  # type: ignore[attr-defined]
    return buffer.getvalue()


def text(item: Any) -> Any:
    """Return what two equal objects have in common."""
    if isinstance(item, ns.Circuit):
        content = [(target.spikes.events[0].tolist(), target.spikes.events[1].tolist())
                for entry in item.inputs.values() for target in entry.targets.values()
                if target.spikes is not None]
        return type(item).__name__, item.to_dict(), content, item._folder
    if isinstance(item, ns.Network):
        return type(item).__name__, item.hash(), text(item.circuit)
    if isinstance(item, ns.Run):
        return item.folder, item.record, len(item.spikes), text(item.circuit), text(item.traces)
    if isinstance(item, np.ndarray):
        return str(item.dtype), item.tolist()
    if hasattr(item, "model_dump"):
        return type(item).__name__, item.model_dump()
    if isinstance(item, dict):
        return {key: text(content) for key, content in item.items()}
    if isinstance(item, (list, tuple)):
        return [text(content) for content in item]
    if hasattr(item, "to_numpy"):
        return item.to_numpy().tolist()
    if isinstance(item, Exception):
        return type(item).__name__, str(item), item.exit_code
    return text(vars(item)) if hasattr(item, "__dict__") and not callable(item) else str(item)


def _copies() -> list[Case]:
    def same(make: Callable[[Path], Any], way: Callable[[Any], Any]) -> Callable[[Path], bool]:
        def run(folder: Path) -> bool:
            item = make(folder)
            return text(way(item)) == text(item)

        return run

    slow = ("pickle", "deepcopy")
    listed = [Case(f"{way} of a {label}", same(make, WAYS[way]), SAME)
             for label, make in OBJECTS.items() for way in WAYS
             if way in slow or "circuit" in label or label in ("network", "run")]
    kinds = [item for item in vars(errors).values() if isinstance(item, type)
             and issubclass(item, errors.NeostriatumError)]
    listed += [Case(f"pickle of a {kind.__name__}", same(
        lambda folder, kind=kind: kind("where: rule (got 3)"), WAYS["pickle"]), SAME)
        for kind in kinds]

    def moved(folder: Path) -> bool:
        data = pickle.dumps(recorded(folder / "a"))
        shutil.rmtree(folder / "a")
        events = pickle.loads(data).inputs["in"].targets["FS"].spikes.events  # noqa: S301
        return events[1].tolist() == [1, 2]

    def works(folder: Path) -> bool:
        result, drawn = (WAYS["pickle"](item) for item in (circuit(), network()))
        return (ns.run(result, network=drawn, **COMMON).summary["spike_hash"]
                == ns.run(circuit(), network=network(), **COMMON).summary["spike_hash"])

    return [*listed, Case("pickle of a circuit whose file of spikes is gone", moved, SAME),
            Case("a circuit and a network from pickles run to the same spikes", works, SAME)]


def _hashes() -> list[Case]:
    def equal(make: Callable[[Path], Any]) -> Callable[[Path], bool]:
        return lambda folder: hash(make(folder)) == hash(make(folder))

    @lru_cache
    def named(item: Any) -> str:
        return item.name

    plain = ns.load("striatum_v1")
    other = plain.replace({"dopamine.d1": 0.9})
    listed = [Case(f"hash of a {label}", equal(OBJECTS[label]), SAME)
             for label in OBJECTS if label.startswith("circuit") or label == "busy circuit"]
    return [*listed,
            Case("a set of circuits",
                 lambda folder: len({plain, ns.load("striatum_v1"), other}), SAME, 2),
            Case("circuits as keys",
                 lambda folder: {plain: 1, other: 2}[ns.load("striatum_v1")], SAME, 1),
            Case("circuits in lru_cache", lambda folder: named(plain) == named(other), SAME),
            Case("hash of a circuit after to_dict and load", lambda folder: hash(
                ns.load(plain.to_dict())) == hash(plain), SAME),
            Case("hash of a circuit in two processes", _twice, SAME, apart=True)]


def _twice(folder: Path) -> bool:
    code = "import neostriatum as ns; print({ns.load('striatum_v1'): 1}[ns.load('striatum_v1')])"
    return [started(["-c", code], folder, PYTHONHASHSEED=seed) for seed in "12"] == ["1\n"] * 2


def _programs() -> list[Case]:
    path = Path(__file__).with_name("beside.py")

    @cache
    def environments() -> dict[str, dict[str, str]]:
        return {"threads of builds": {"NUMBA_THREADING_LAYER": "workqueue"},
                "cold threads of builds": {"NUMBA_THREADING_LAYER": "workqueue"},
                "threads of recordings": {"NUMBA_THREADING_LAYER": "workqueue"},
                "fork pool after build": {"NUMBA_THREADING_LAYER": "workqueue"}}

    listed = [Case(name, lambda folder, name=name: bool(started([path, name], folder) == ""), SAME,
                  apart=True) for name in PROGRAMS]
    for name, given in environments().items():
        def run(folder: Path, name: str = name, given: dict[str, str] = given) -> bool:
            return started([path, name], folder, **given) == ""

        listed.append(Case(f"{name}, layer {', '.join(given.values())}", run, apart=True))
    return listed


def cases() -> list[Case]:
    """Return every case of this kind."""
    return [*_copies(), *_hashes(), *_programs()]
