"""Mappings, lists, paths, texts and truths of other libraries, by function."""

from __future__ import annotations

import collections
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from busy import COMMON, network
from case import EITHER, REFUSED, SAME, Case
from objects import Text, about, asked, drawn, ran

import neostriatum as ns

KIND = "containers"


class Named:
    """A path of another library."""

    def __init__(self, path: Any) -> None:
        self._path = str(path)

    def __fspath__(self) -> str:
        return self._path


class Lazy(Mapping[str, Any]):
    """A mapping of another library."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given

    def __getitem__(self, key: str) -> Any:
        return self._given[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


class Dict(dict):  # type: ignore[type-arg]
    """A dict of a class."""


MAPPINGS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a dict of a class": (Dict, SAME), "OrderedDict": (collections.OrderedDict, SAME),
    "defaultdict": (lambda given: collections.defaultdict(list, given), SAME),
    "MappingProxyType": (MappingProxyType, EITHER), "UserDict": (collections.UserDict, EITHER),
    "ChainMap": (lambda given: collections.ChainMap({}, given), EITHER),
    "a Mapping": (Lazy, EITHER),
    "keys of np.str_": (lambda given: {np.str_(key): item for key, item in given.items()}, EITHER),
    "keys of a class": (lambda given: {Text(key): item for key, item in given.items()}, EITHER),
    "a list of pairs": (lambda given: list(given.items()), EITHER),
    "keys of bytes": (lambda given: {key.encode(): item for key, item in given.items()}, REFUSED),
    "keys of numbers": (lambda given: dict(enumerate(given.values())), REFUSED),
}
CHANGES = {"dopamine.d1": 0.25, "warmup": "0 ms"}


def plain() -> dict[str, Any]:
    """Return a circuit as plain data."""
    return json.loads(json.dumps(ns.load("striatum_v1", changes=CHANGES).to_dict()))


def _deep(given: Any, kind: Callable[[dict[str, Any]], Any]) -> Any:
    return kind({key: _deep(item, kind) for key, item in given.items()}) if isinstance(
        given, dict) else given


def _mappings() -> list[Case]:
    roads: dict[str, tuple[Callable[[Any], Any], Callable[[], dict[str, Any]]]] = {
        "load": (lambda x: str(ns.load(x).to_dict()), plain),
        "load changes": (
            lambda x: str(ns.load("striatum_v1", changes=x).to_dict()), lambda: CHANGES),
        "replace": (lambda x: str(ns.load("striatum_v1").replace(x).to_dict()), lambda: CHANGES),
        "run changes": (lambda x: asked(changes=x), lambda: CHANGES),
        "run": (lambda x: about(ns.run(x, **{**COMMON, "size": 30, "duration": "2 ms"})), plain),
        "build": (lambda x: ns.build(ns.load(x), 30).hash()[:8], plain),
        "construct changes": (lambda x: ns.construct(size=30, dry_run=True, changes=x)["neurons"],
                              lambda: CHANGES),
        "cell changes": (lambda x: ns.cell("dSPN", "300 pA", duration="2 ms", changes=x).dopamine,
                         lambda: CHANGES)}
    listed = []
    for road, (call, given) in roads.items():
        for label, (make, expect) in MAPPINGS.items():
            listed.append(_same(f"{road}: {label}", lambda call=call, make=make, given=given: call(
                make(given())), lambda call=call, given=given: call(given()), expect))
    for label in ("a dict of a class", "OrderedDict", "MappingProxyType", "a Mapping"):
        make, expect = MAPPINGS[label]
        listed.append(_same(f"load: {label} of the same all the way down", lambda make=make: str(
            ns.load(_deep(plain(), make)).to_dict()), lambda: str(ns.load(plain()).to_dict()),
            expect))
    course = {"table": {"times": ["0 ms", "1 ms", "2 ms"], "values": [0.0, 0.5, 1.0]}}
    tables: dict[str, tuple[Callable[[], Any], str]] = {
        "array of values": (lambda: {"table": course["table"] | {"values": np.linspace(0, 1, 3)}},
                            EITHER),
        "list of np.float64": (lambda: {"table": course["table"] | {
            "values": list(np.linspace(0, 1, 3))}}, SAME),
        "tuple of values": (lambda: {"table": course["table"] | {"values": (0.0, 0.5, 1.0)}}, SAME),
        "array of times": (lambda: {"table": course["table"] | {
            "times": np.array(course["table"]["times"])}}, EITHER),
        "generator of values": (lambda: {"table": course["table"] | {
            "values": (item for item in (0.0, 0.5, 1.0))}}, EITHER),
        "Series of values": (lambda: {"table": course["table"] | {
            "values": pd.Series([0.0, 0.5, 1.0])}}, EITHER)}
    for road, call in (("replace", lambda x: str(ns.load("striatum_v1").replace(
            {"dopamine.d1": x}).dopamine)), ("run changes", lambda x: asked(
                changes={"dopamine.d1": x, "warmup": "0 ms"}))):
        for label, (make, expect) in tables.items():
            listed.append(_same(f"{road}: a course of a {label}", lambda call=call, make=make: call(
                make()), lambda call=call: call(course), expect))
    return listed


def _lists() -> list[Case]:
    item = ["dSPN:2:v,u", "iSPN:1"]
    kinds: dict[str, tuple[Callable[[], Any], str]] = {
        "tuple": (lambda: tuple(item), SAME), "generator": (lambda: (x for x in item), SAME),
        "iterator": (lambda: iter(item), SAME), "array": (lambda: np.array(item), SAME),
        "np.str_": (lambda: [np.str_(x) for x in item], SAME),
        "class of str": (lambda: [Text(x) for x in item], SAME),
        "keys of a dict": (lambda: dict.fromkeys(item).keys(), SAME),
        "Series": (lambda: pd.Series(item), SAME),
        "chain": (lambda: itertools.chain(item), SAME),
        "deque": (lambda: collections.deque(item), SAME),
        "numbers": (lambda: [3], REFUSED),
        "bytes": (lambda: [x.encode() for x in item], REFUSED), "None": (lambda: [None], REFUSED)}

    def recorded(x: Any) -> Any:
        result = ns.run("striatum_v1", **{**COMMON, "size": 30, "duration": "2 ms", "record": x,
                                     "changes": {"warmup": "0 ms"}})
        return result.record["record"], [result.recorded(name)["dSPN"].values.shape
                                         for name in ("v", "u")]

    listed = [_same(f"run record: {label}", lambda make=make: recorded(make()),
                   lambda: recorded(item), expect, ("record",)) for label, (make, expect)
             in kinds.items()]
    names, formats = ["raster", "rates"], ["png", "svg"]
    for label in ("tuple", "generator", "iterator", "array", "np.str_", "Series", "deque"):
        def again(given: list[str], label: str = label) -> Any:
            return {"tuple": tuple, "generator": lambda x: (y for y in x), "iterator": iter,
                    "array": np.array, "np.str_": lambda x: [np.str_(y) for y in x],
                    "Series": pd.Series, "deque": collections.deque}[label](given)

        listed += [_same(f"draw names: {label}", lambda again=again: drawn(names=again(names)),
                        lambda: drawn(names=names)),
                  _same(f"draw formats: {label}", lambda again=again: drawn(formats=again(formats)),
                        lambda: drawn(formats=formats))]
    currents = ["300 pA", "350 pA"]
    listed += [_same(f"cell sweep: {label}", lambda make=make: ns.cell(
        "dSPN", sweep=make(currents), duration="2 ms").currents_pa.tolist(),
        lambda: [300.0, 350.0], expect, ("current", "sweep")) for label, make, expect in (
            ("tuple", tuple, SAME), ("array", np.array, SAME), ("generator", iter, SAME),
            ("numbers", lambda x: [300, 350], REFUSED), ("nothing", lambda x: [], REFUSED))]
    return listed


def _paths() -> list[Case]:
    kinds: dict[str, tuple[Callable[[Path], Any], str]] = {
        "text": (str, SAME), "np.str_": (np.str_, SAME), "class of str": (Text, SAME),
        "pure path": (PurePosixPath, EITHER), "with __fspath__": (Named, EITHER)}

    @cache
    def first() -> Path:
        import tempfile

        folder = Path(tempfile.mkdtemp())
        ns.run("striatum_v1", **{**COMMON, "size": 30, "duration": "2 ms", "out": folder / "r",
                              "changes": {"warmup": "0 ms"}})
        network().save(folder / "n.h5")
        (folder / "c.json").write_text(json.dumps(plain()))
        return folder

    roads: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "run out": ("x", lambda x: asked(out=x)),
        "export out": ("x", lambda x: ns.export(first() / "r", to="csv", out=x)["spikes"]),
        "draw out": ("x", lambda x: drawn(out=x)),
        "report out": ("x.html", lambda x: bool(ns.report(first() / "r", out=x))),
        "construct out": ("x.h5", lambda x: ns.construct(size=30, out=x)["network_hash"]),
        "save": ("x.h5", lambda x: bool(network().save(x))),
        "Run": ("r", lambda x: about(ns.Run(x))), "export": ("r", lambda x: ns.export(
            x, to="csv", out="y")["spikes"]),
        "rerun": ("r", lambda x: ns.rerun(x).summary["equal"]),
        "load_network": ("n.h5", lambda x: ns.load_network(x).hash()),
        "run network": ("n.h5", lambda x: about(ns.run(network=x, **COMMON))),
        "load": ("c.json", lambda x: str(ns.load(x).to_dict()))}
    listed = []
    for road, (name, call) in roads.items():
        for label, (make, expect) in kinds.items():
            def run(call: Any = call, make: Any = make, name: str = name) -> Any:
                old = first() / name
                return call(make(old if old.exists() else Path.cwd() / name))

            def right(call: Any = call, name: str = name) -> Any:
                old = first() / name
                return call(old if old.exists() else Path.cwd().parent / f"y{name}")

            listed.append(_same(f"{road}: {label}", run, right, expect))
    return listed


def _truths() -> list[Case]:
    texts = {"engine": "reference", "precision": "double"}
    listed = [_same(f"run {key}: {label}", lambda key=key, text=text, make=make: ran(
        **{key: make(text)}), ran, expect, (key,)) for key, text in texts.items()
        for label, make, expect in (("np.str_", np.str_, SAME), ("class of str", Text, SAME),
                                    ("bytes", lambda x: x.encode(), REFUSED),
                                    ("number", lambda x: 1, REFUSED))]

    def figures(value: Any) -> bool:
        result = ns.run("striatum_v1", **{**COMMON, "size": 30, "duration": "2 ms",
                                          "figures": value,
                                     "changes": {"warmup": "0 ms"}})
        return (result.folder / "figures").is_dir()

    listed += [_same(f"run figures: {value!r}", lambda value=value: figures(value),
                    lambda value=value: bool(value), expect, ("figures",))
              for value, expect in ((np.True_, SAME), (np.False_, SAME), (np.array(False), EITHER),
                                    (0, EITHER), (1, EITHER), (None, EITHER))]
    listed += [_same(f"run figures: {value!r}", lambda value=value: figures(value), lambda: True,
                    REFUSED, ("figures",)) for value in ("no", "False")]
    key = "pathways.FS->dSPN.failure"

    def failing(value: Any) -> str:
        return str(ns.load("striatum_v1").replace({key: {"probability": 0.25, "drawn": value}}))

    listed += [_same(f"replace drawn: {value!r}", lambda value=value: failing(value),
                    lambda value=value: failing(bool(value)), expect, ("drawn",))
              for value, expect in ((np.True_, SAME), (np.False_, SAME), (np.array(True), SAME),
                                    (1, EITHER), (0, EITHER))]
    listed += [_same(f"replace drawn: {value!r}", lambda value=value: failing(value), lambda: True,
                    REFUSED, ("drawn",)) for value in ("true", "no", None, 2)]
    return [*listed,
            *(_same(f"pair {end}: {label}", lambda make=make, n=n: ns.pair(
                *(make(item) if k == n else item for k, item in enumerate(("FS", "dSPN"))),
                duration="30 ms").psp_mv, lambda: ns.pair("FS", "dSPN", duration="30 ms").psp_mv,
                expect) for n, end in enumerate(("source", "target"))
              for label, make, expect in (("np.str_", np.str_, SAME), ("class of str", Text, SAME),
                                          ("bytes", lambda x: x.encode(), REFUSED),
                                          ("number", lambda x: 1, REFUSED),
                                          ("None", lambda x: None, REFUSED)))]


def _same(label: str, call: Callable[[], Any], right: Callable[[], Any], expect: str = SAME,
          words: tuple[str, ...] = ()) -> Case:
    def somewhere() -> Any:
        import os

        back, place = Path.cwd(), Path.cwd().parent / "right"
        place.mkdir(exist_ok=True)
        os.chdir(place)
        try:
            return right()
        finally:
            os.chdir(back)

    return Case(label, lambda folder: call(), expect, somewhere, words)


def cases() -> list[Case]:
    """Return every case of this kind."""
    return [*_mappings(), *_lists(), *_paths(), *_truths()]
