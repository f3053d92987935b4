"""Recorded spikes in HDF5: kinds of number, units, layouts, orders and names of populations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from case import EITHER, REFUSED, SAME, Case
from spikes import IDS, RIGHT, TIMES, events, opened, population

KIND = "spike files"

WORDS = ("timestamps", "times", "ids", "population", "unit", "spikes", "sort", "number", "layout")
#: Times that every kind of number holds exactly.
EXACT = (0.5, 1.0, 1.0, 7.25)
#: Names that other tools give to populations.
NAMES = ("ctx", "cortex-M1", "4_L5", "L5|pyr",
         "primary_motor_cortex_layer5_pyramidal_tract",
         "L2.3", "a b", "Straße", "皮质", "x" * 200, "M1:L5", "v1+v2", "(a)", "-", "0", "None",
         "default", "...", "a\tb", "é")


def _case(label: str, fill: Callable[[Any], Any], expect: str = SAME, right: Any = RIGHT,
          name: str | None = None, words: tuple[str, ...] = WORDS) -> Case:
    def run(folder: Path) -> Any:
        with opened(folder / "in.h5") as file:
            fill(file)
        return events(folder, "in.h5", name)

    return Case(label, run, expect, right, words)


def _numbers() -> list[Case]:
    listed = []
    for kind in ("<f8", ">f8", "<f4", ">f4", "<f2", ">f2", np.longdouble):
        listed.append(_case(f"times of {np.dtype(kind).str}",
                           lambda file, kind=kind: population(file, time_type=kind)))
    for kind in ("i1", "u1", "<i2", ">i2", "<u2", "<i4", ">i4", ">u4", "<i8", ">i8", ">u8"):
        listed.append(_case(f"ids of {kind}", lambda file, kind=kind: population(
            file, id_type=kind)))
        listed.append(_case(f"whole times of {kind}", lambda file, kind=kind: population(
            file, times=(0, 1, 1, 7), time_type=kind), SAME, ((0.0, 1.0, 1.0, 7.0), IDS)))
    for kind in ("<f8", ">f8", "<f4", "<f2"):
        listed.append(_case(f"whole ids of {kind}", lambda file, kind=kind: population(
            file, id_type=kind)))
        listed.append(_case(f"broken ids of {kind}", lambda file, kind=kind: population(
            file, ids=(2, 3, 1.5, 4), id_type=kind), REFUSED))
        listed.append(_case(f"an id NaN of {kind}", lambda file, kind=kind: population(
            file, ids=(2, 3, np.nan, 4), id_type=kind), REFUSED))
    for label, ids, kind in (("negative", (2, -3, 1, 4), "<i8"), ("negative float",
                             (2, -3, 1, 4), "<f8"), ("above 2^31", (2, 2**31, 1, 4), "<i8"),
                             ("above 2^63", (2, 2**63 + 5, 1, 4), "<u8"),
                             ("infinite", (2, np.inf, 1, 4), "<f8"),
                             ("1e300", (2, 1e300, 1, 4), "<f8"),
                             ("above 2^53 as floats", (2, 2.0**60, 1, 4), "<f8")):
        listed.append(_case(f"an id {label}", lambda file, ids=ids, kind=kind: population(
            file, ids=ids, id_type=kind), REFUSED))
    for label, time in (("NaN", np.nan), ("infinite", np.inf), ("negative", -1.0),
                        ("1e11", 1e11)):
        listed.append(_case(f"a time {label}", lambda file, time=time: population(
            file, times=(0.5, 1, 1, time)), REFUSED))
    for label, kind in (("texts", "S8"), ("truths", "?"), ("complex", "c16")):
        listed.append(_case(f"times that are {label}", lambda file, kind=kind: population(
            file, time_type=kind), REFUSED))
        listed.append(_case(f"ids that are {label}", lambda file, kind=kind: population(
            file, id_type=kind), REFUSED))
    return listed


def _units() -> list[Case]:
    rows: list[tuple[str, Any, float, str]] = [
        ("none", None, 1, SAME), ("ms", "ms", 1, SAME), ("bytes", np.bytes_("ms"), 1, SAME),
        ("milliseconds", "milliseconds", 1, EITHER), ("millisecond", "millisecond", 1, EITHER),
        ("msec", "msec", 1, EITHER), ("MS", "MS", 1, EITHER), ("empty", "", 1, EITHER),
        ("blank behind", "ms ", 1, EITHER), ("array of bytes", np.array([b"ms"]), 1, EITHER),
        ("s", "s", 1e-3, EITHER), ("sec", "sec", 1e-3, EITHER),
        ("seconds", "seconds", 1e-3, EITHER),
        ("us", "us", 1e3, EITHER), ("µs", "µs", 1e3, EITHER), ("ns", "ns", 1e6, EITHER),
        ("bytes of s", np.bytes_("s"), 1e-3, EITHER),
        ("array of s", np.array([b"s"]), 1e-3, EITHER),
        ("0.1 ms", "0.1 ms", 10, EITHER),
        ("array of two", np.array([b"ms", b"s"]), 1, REFUSED), ("number", 1.0, 1, REFUSED),
        ("mV", "mV", 1, REFUSED), ("Hz", "Hz", 1, REFUSED), ("1", "1", 1, REFUSED),
        ("steps", "steps", 1, REFUSED), ("samples", "samples", 1, REFUSED), ("?", "?", 1, REFUSED),
        ("bytes not UTF-8", np.bytes_(b"\xff\xfe"), 1, REFUSED),
    ]
    listed = [_case(f"units: {label}", lambda file, unit=unit, factor=factor: population(
        file, times=np.array(TIMES) * factor, units=unit), expect)
        for label, unit, factor, expect in rows]

    def two(file: Any) -> None:
        population(file, "a", units="s", times=np.array(TIMES) / 1000)
        population(file, "b")

    return [*listed, _case("the unit of the other population of two", two, SAME, name="b"),
            _case("its own unit of two populations", two, EITHER, name="a")]


def _layouts() -> list[Case]:
    def shaped(times: Any, ids: Any) -> Callable[[Any], None]:
        def fill(file: Any) -> None:
            group = file.create_group("spikes/ctx")
            group["timestamps"], group["node_ids"] = np.array(times), np.array(ids)
            group["timestamps"].attrs["units"] = "ms"

        return fill

    def legacy(file: Any) -> None:
        file["spikes/timestamps"], file["spikes/gids"] = np.array(TIMES), np.array(IDS)

    def renamed(times: str, ids: str, root: str = "spikes/ctx") -> Callable[[Any], None]:
        def fill(file: Any) -> None:
            file[f"{root}/{times}"], file[f"{root}/{ids}"] = np.array(TIMES), np.array(IDS)

        return fill

    def linked(file: Any) -> None:
        population(file, "a")
        file["spikes/b"] = h5py.SoftLink("/spikes/a")

    def outside(file: Any) -> None:
        population(file, "a")
        file["spikes/b"] = h5py.ExternalLink("other.h5", "/spikes/a")

    def hard(file: Any) -> None:
        population(file, "a")
        file["spikes/b"] = file["spikes/a"]

    times, ids = np.array(TIMES), np.array(IDS)
    column, row = (slice(None), None), (None, slice(None))
    return [
        *(_case(f"stored {label}", lambda file, options=options: population(file, **options))
          for label, options in (("in chunks", {"chunks": (2,)}), ("gzip", {
              "chunks": (2,), "compression": "gzip"}),
              ("lzf", {"chunks": (2,), "compression": "lzf"}),
              ("growing", {"chunks": (2,), "maxshape": (None,)}),
              ("with checks", {"chunks": (2,), "fletcher32": True}))),
        _case("columns of (n, 1)", shaped(times[column], ids[column]), EITHER),
        _case("rows of (1, n)", shaped(times[row], ids[row]), EITHER),
        _case("a column and a row", shaped(times[column], ids[row]), EITHER),
        _case("a column and a plain one", shaped(times[column], ids), EITHER),
        _case("float columns, as MATLAB has them", shaped(times[column], ids[column] * 1.0),
              EITHER),
        _case("a table of (2, 2)", shaped(times.reshape(2, 2), ids.reshape(2, 2)), REFUSED),
        _case("three dimensions", shaped(times[:, None, None], ids[:, None, None]), EITHER),
        _case("single numbers", shaped(0.5, 2), EITHER, ((0.5,), (2,))),
        _case("one id too few", shaped(times, ids[:-1]), REFUSED),
        _case("one time too few", shaped(times[:-1], ids), REFUSED),
        _case("nothing", shaped(np.zeros(0), np.zeros(0, int)), REFUSED),
        _case("the layout before SONATA 0.1", legacy, EITHER,
              words=("layout", "gids", "population")),
        _case("the layout before SONATA 0.1, a population named", legacy, EITHER, name="ctx",
              words=("layout", "gids", "population")),
        _case("gids for node_ids", renamed("timestamps", "gids"), EITHER,
              words=("node_ids", "gids")),
        _case("times for timestamps", renamed("times", "node_ids"), EITHER,
              words=("timestamps", "times")),
        _case("no population", renamed("timestamps", "node_ids", "spikes"), EITHER),
        _case("no spikes", renamed("timestamps", "node_ids", "events/ctx"), REFUSED),
        _case("no populations at all", lambda file: file.create_group("spikes"), REFUSED),
        _case("a soft link", linked, EITHER, name="b"),
        _case("a hard link", hard, EITHER, name="b"),
        _case("a link to another file", outside, REFUSED, name="b", words=("file", "b")),
    ]


def _orders() -> list[Case]:
    order = {"by_time": (0, 1, 2, 3), "by_id": (2, 0, 1, 3), "backwards": (3, 2, 1, 0)}
    enumeration = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")

    def right(picked: tuple[int, ...]) -> Any:
        pairs = sorted(((TIMES[n], IDS[n]) for n in picked), key=lambda pair: pair[0])
        return tuple(t for t, _ in pairs), tuple(i for _, i in pairs)

    listed = []
    for label, picked in order.items():
        for sorting in (None, "by_time", "by_id", "none", b"by_id", 1, np.array(1, enumeration),
                        "nonsense"):
            shown = "enum" if isinstance(sorting, np.ndarray) else sorting
            listed.append(_case(
                f"order {label}, sorting {shown!r}",
                lambda file, picked=picked, sorting=sorting: population(
                    file, times=[TIMES[n] for n in picked], ids=[IDS[n] for n in picked],
                    sorting=sorting),
                SAME if label == "by_time" and shown in (None, "by_time") else EITHER,
                right(picked)))
    return listed


def _populations() -> list[Case]:
    def both(name: str) -> Callable[[Any], None]:
        def fill(file: Any) -> None:
            population(file, name)
            population(file, "another", times=(1.0,), ids=(0,))

        return fill

    listed = [_case(f"population {name[:30]!r} of two", both(name),
                   EITHER if name in ("...", "a\tb") else SAME, name=name) for name in NAMES]
    listed += [_case(f"population {name[:30]!r} alone, not named",
                    lambda file, name=name: population(file, name)) for name in NAMES]
    return [*listed,
            _case("two populations, none named", both("ctx"), REFUSED),
            _case("two populations, a third named", both("ctx"), REFUSED, name="cty"),
            _case("one population, another named", lambda file: population(file), REFUSED,
                  name="cty"),
            _case("a population named ''", lambda file: population(file), EITHER, name=""),
            _case("a population named ..", both("ctx"), REFUSED, name="../spikes"),
            _case("a population named a path", both("ctx"), REFUSED, name="ctx/timestamps"),
            _case("a population named another case", both("ctx"), REFUSED, name="CTX")]


def cases() -> list[Case]:
    """Return every case of this kind."""
    return [*_numbers(), *_units(), *_layouts(), *_orders(), *_populations()]
