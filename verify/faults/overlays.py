"""Overlays: any name of a file, any kind of list, and the record says which they were."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from busy import command
from case import EITHER, REFUSED, SAME, Case

import neostriatum as ns

KIND = "overlays"

TEXT = 'name = "o"\nsummary = "s"\n[parts.a]\ndopamine.d2 = 0.75\n[parts.b]\ndopamine.d1 = 0.25\n'
JSON = '{"name": "o", "parts": {"a": {"dopamine": {"d2": 0.75}}, "b": {"dopamine": {"d1": 0.25}}}}'
NAMES = ("o.toml", "pd.v2.toml", "pd.2024.01.15.toml", "a.b.c.d.toml", ".hidden.toml", "a b.toml",
         "ä.toml", "纹状体.toml", "o.v2.json", "o.json", "-o.toml", "o'.toml", "parkinsonian.toml",
         "parkinsonian.dopamine.toml", "dense.v2.toml", "v2.o.TOML", "o..toml", "o.a.toml",
         "tom.l.toml", "o=1.toml", "o,b.toml", "x" * 200 + ".v2.toml")
SMALL = {"size": 30, "duration": "2 ms", "figures": False, "engine": "reference",
         "record": "none", "changes": {"warmup": "0 ms"}}
WORDS = ("overlay", "file")


def put(name: str) -> Path:
    """Write an overlay into the working folder."""
    path = Path(name)
    path.write_text(JSON if name.endswith("json") else TEXT, "utf-8")
    return path


def levels(circuit: Any) -> tuple[float, float]:
    """Return the dopamine of a circuit."""
    content = circuit.dopamine
    return content.d1.constant.value, content.d2.constant.value


def loaded(overlay: Any) -> Any:
    """Return the dopamine of a circuit with an overlay."""
    return levels(ns.load("striatum_v1", overlay=overlay))


def ran(overlay: Any) -> Any:
    """Return dopamine and how many overlays the record of a run names."""
    result = ns.run("striatum_v1", overlay=overlay, **SMALL)
    return levels(result.circuit), result.record["overlay"]


def commanded(overlay: str) -> Any:
    """Return the dopamine that ``info`` tells, given an overlay."""
    import json

    content = json.loads(command("info", "striatum_v1", f"--overlay={overlay}", "--json"))
    return levels(ns.load(content["circuit"]))


def _named(name: str, road: Callable[[Any], Any], label: str, right: Any) -> Case:
    def run(folder: Path) -> Any:
        del folder
        return road(put(name).name)

    return Case(f"{name[:30]} by {label}", run,
                EITHER if name == "v2.o.TOML" else SAME, right, WORDS, keeps=(name,))


def _kinds() -> list[Case]:
    """Return kinds of lists of overlays."""
    def result(make: Callable[[Path], Any], road: Callable[[Any], Any]) -> Callable[[Path], Any]:
        def run(folder: Path) -> Any:
            path = folder / "pd.v2.toml"
            path.write_text(TEXT)
            value = road(make(path))
            if isinstance(value[1], list):  # a path is another in every folder
                return value[0], [Path(item).name for item in value[1]]
            return value

        return run

    class Named:
        """A path as other libraries have it."""

        def __init__(self, path: Path) -> None:
            self._path = path

        def __fspath__(self) -> str:
            return str(self._path)

    twice = ["pd.v2.toml"] * 2
    rows: list[tuple[str, Callable[[Path], Any], str, list[str]]] = [
        ("a Path", lambda p: p, SAME, twice[:1]), ("a text", str, SAME, twice[:1]),
        ("a list of a Path", lambda p: [p], SAME, twice[:1]),
        ("a tuple", lambda p: (str(p),), SAME, twice[:1]),
        ("a generator", lambda p: (item for item in [p]), SAME, twice[:1]),
        ("an iterator", lambda p: iter([str(p)]), SAME, twice[:1]),
        ("a map", lambda p: map(str, [p]), SAME, twice[:1]),
        ("a set", lambda p: {p}, EITHER, twice[:1]),
        ("keys of a dict", lambda p: {str(p): 1}.keys(), SAME, twice[:1]),
        ("an array of texts", lambda p: np.array([str(p)]), SAME, twice[:1]),
        ("a text of NumPy", lambda p: np.str_(p), SAME, twice[:1]),
        ("a pure path", lambda p: PurePosixPath(p), EITHER, twice[:1]),
        ("an object with __fspath__", Named, EITHER, twice[:1]),
        ("the same twice", lambda p: [p, str(p)], SAME, twice),
        ("the same twice, a generator", lambda p: (item for item in [p, p]), SAME, twice),
        ("bytes", lambda p: str(p).encode(), REFUSED, []), ("a number", lambda p: 3, REFUSED, []),
        ("a list of numbers", lambda p: [3], REFUSED, []),
        ("a list of lists", lambda p: [[str(p)]], REFUSED, []),
        ("a missing Path", lambda p: p.with_name("none.v2.toml"), REFUSED, []),
        ("a list with None", lambda p: [None], REFUSED, []),
        ("a folder", lambda p: p.parent, REFUSED, []),
        ("a dict", lambda p: {"dopamine": {"d1": 1}}, REFUSED, []),
    ]
    listed = [Case(f"{label} by run", result(make, ran), expect, ((0.25, 0.75), names), WORDS)
             for label, make, expect, names in rows]
    listed += [Case(f"{label} by load", result(make, loaded), expect, (0.25, 0.75), WORDS)
              for label, make, expect, _ in rows]
    return listed


def _parts() -> list[Case]:
    """Return names of ours with a part, and files that take their names."""
    ours = levels(ns.load("striatum_v1", overlay="parkinsonian.dopamine"))
    plain = levels(ns.load("striatum_v1"))
    ours_of = files("neostriatum.circuit") / "overlays" / "striatum_v1"
    path = Path(str(ours_of / "parkinsonian.toml"))

    def order(overlay: Any) -> Callable[[Path], Any]:
        return lambda folder: ran(overlay)

    def beside(folder: Path) -> Any:
        del folder
        put("dopamine.toml")
        return ran("parkinsonian.dopamine")

    return [
        Case("a part of ours by run", order("parkinsonian.dopamine"), SAME,
             (ours, ["parkinsonian.dopamine"])),
        Case("a part of ours in a generator", lambda folder: ran(
            item for item in ["parkinsonian.dopamine"]), SAME, (ours, ["parkinsonian.dopamine"])),
        Case("a part of ours, a file of its name beside", beside, SAME,
             (ours, ["parkinsonian.dopamine"])),
        Case("our own file as a Path", lambda folder: ran(path)[0] == ran("parkinsonian")[0], SAME),
        Case("two of ours", order(["parkinsonian.dopamine", "dense"]), SAME,
             (ours, ["parkinsonian.dopamine", "dense"])),
        Case("none", order(()), SAME, (plain, [])), Case("an empty list", order([]), SAME,
                                                         (plain, [])),
        Case("None", order(None), EITHER, (plain, []), WORDS),
        Case("an empty text", order(""), REFUSED, words=WORDS),
        Case("an unknown part", order("parkinsonian.nothing"), REFUSED, words=("part",)),
        Case("an unknown name", order("nothing"), REFUSED, words=WORDS),
        Case("a part of two dots", order("parkinsonian.dopamine.d1"), REFUSED,
             words=("part", "overlay")),
        Case("two by a comma", order("parkinsonian.dopamine,dense"), REFUSED,
             words=("part", "overlay"))]


def _functions() -> list[Case]:
    """Return other functions that take an overlay."""
    roads: dict[str, Callable[[Any], Any]] = {
        "cell": lambda o: tuple(ns.cell("dSPN", current="270 pA", duration="5 ms",
                                        overlay=o).dopamine.values()),
        "construct": lambda o: ns.construct(size=30, overlay=o, dry_run=True)["neurons"]["dSPN"],
        "pair": lambda o: ns.pair("FS", "dSPN", overlay=o, duration="30 ms").psp_mv is not None,
        "sweep": lambda o: ns.sweep(circuit="striatum_v1", overlay=o, seeds=2, size=30,
                                    duration="2 ms", engine="reference", jobs=1,
                                    changes={"warmup": "0 ms"}).finished}
    kinds: dict[str, Callable[[Path], Any]] = {
        "a Path": lambda p: p, "a generator": lambda p: (item for item in [p]),
        "a tuple": lambda p: (p,), "a name with dots": str}
    listed = []
    for road, call in roads.items():
        for label, make in kinds.items():
            def run(folder: Path, call: Any = call, make: Any = make) -> Any:
                path = folder / "pd.v2.toml"
                path.write_text(TEXT)
                return call(make(path)) == call(str(path))

            listed.append(Case(f"{label} by {road}", run, EITHER if road == "sweep" else SAME,
                              words=WORDS))
    return listed


def cases() -> list[Case]:
    """Return every case of this kind."""
    right = (0.25, 0.75)
    listed = [_named(name, loaded, "load", right) for name in NAMES]
    listed += [_named(name, commanded, "the command line", right) for name in NAMES]
    listed += [_named(name, ran, "run", (right, [name])) for name in NAMES[:6]]
    return [*listed, *_kinds(), *_parts(), *_functions()]
