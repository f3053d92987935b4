"""Units of SONATA networks: column by unit by group; an attribute is obeyed or refused."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from case import EITHER, REFUSED, SAME, Case
from sonata_files import (
    AXES,
    circuit,
    columns,
    config,
    configured,
    plain,
    read,
    scaled,
    written,
)

KIND = "units"

#: (spelling, how many of it are one of ours, expectation)
LENGTHS: list[tuple[Any, float, str]] = [
    ("um", 1, SAME), ("µm", 1, EITHER), ("μm", 1, EITHER), ("micron", 1, EITHER),
    ("micrometer", 1, EITHER), ("micrometers", 1, EITHER), ("microns", 1, EITHER),
    ("UM", 1, EITHER), (" um ", 1, EITHER),
    ("nm", 1e3, EITHER), ("mm", 1e-3, EITHER), ("cm", 1e-4, EITHER), ("m", 1e-6, EITHER),
    ("meter", 1e-6, EITHER), ("angstrom", 1e4, EITHER), ("10 um", 0.1, EITHER),
    ("ms", 1, REFUSED), ("nS", 1, REFUSED), ("um^2", 1, REFUSED), ("1/um", 1, REFUSED),
    ("mV", 1, REFUSED), ("1", 1, REFUSED),
    ("bananas", 1, REFUSED), ("voxels", 1, REFUSED), ("?", 1, REFUSED), ("um um", 1, REFUSED),
]
TIMES: list[tuple[Any, float, str]] = [
    ("ms", 1, SAME), ("millisecond", 1, EITHER), ("milliseconds", 1, EITHER), ("msec", 1, EITHER),
    ("MS", 1, EITHER), ("ms ", 1, EITHER),
    ("s", 1e-3, EITHER), ("us", 1e3, EITHER), ("µs", 1e3, EITHER), ("ns", 1e6, EITHER),
    ("second", 1e-3, EITHER), ("seconds", 1e-3, EITHER), ("min", 1 / 6e4, EITHER),
    ("0.1 ms", 10, EITHER), ("1/kHz", 1, EITHER),
    ("um", 1, REFUSED), ("Hz", 1, REFUSED), ("mS", 1, REFUSED), ("ms^2", 1, REFUSED),
    ("1", 1, REFUSED), ("m/s", 1, REFUSED),
    ("us", 1, REFUSED), ("s", 1, REFUSED), ("ns", 1, REFUSED),
    ("steps", 1, REFUSED), ("ticks", 1, REFUSED), ("?", 1, REFUSED),
]
WEIGHTS: list[tuple[Any, float, str]] = [
    ("nS", 1, SAME), ("nanosiemens", 1, EITHER), ("nanosiemen", 1, EITHER), ("NS", 1, EITHER),
    ("nS ", 1, EITHER), ("nA/V", 1, EITHER), ("1/Gohm", 1, EITHER),
    ("uS", 1e-3, SAME), ("µS", 1e-3, EITHER), ("μS", 1e-3, EITHER), ("pS", 1e3, EITHER),
    ("mS", 1e-6, EITHER), ("S", 1e-9, EITHER), ("siemens", 1e-9, EITHER),
    ("microsiemens", 1e-3, EITHER),
    ("ns", 1, REFUSED), ("pA", 1, REFUSED), ("nA", 1, REFUSED), ("mV", 1, REFUSED),
    ("S/cm^2", 1, REFUSED), ("1", 1, REFUSED),
    ("weight", 1, REFUSED), ("arbitrary", 1, REFUSED), ("?", 1, REFUSED),
]
SPELLINGS = {**dict.fromkeys(AXES, LENGTHS), "delay": TIMES, "syn_weight": WEIGHTS}
#: The unit of each column, another of the same dimension, one of another.
PAIRS = {**dict.fromkeys(AXES, ("um", ("mm", 1e-3), "ms")), "delay": ("ms", ("s", 1e-3), "um"),
         "syn_weight": ("nS", ("uS", 1e-3), "pA")}


def _case(key: str, spelling: Any, factor: float, expect: str, groups: int = 1,
          which: tuple[int, ...] = (0,), label: str = "") -> Case:
    def run(folder: Path) -> str:
        columns(written(folder, groups), key, scaled(factor, spelling), which)
        return read(folder)

    shown = label or (repr(spelling) if factor != 1 or expect != REFUSED else
                      f"{spelling!r}, not converted")
    where = "" if groups == 1 else f", {'and '.join(f'group {n} ' for n in which)}of {groups}"
    return Case(f"{key} in {shown}{where}", run, expect, lambda: plain(groups),
                (key, "unit", "position"))


def _others(key: str) -> list[Case]:
    """Return attributes that are not plain text."""
    ours, (other, factor), wrong = PAIRS[key]
    array = np.array
    rows: list[tuple[str, Any, float, str]] = [
        ("empty", "", 1, EITHER), ("empty bytes", np.bytes_(""), 1, EITHER),
        ("bytes", np.bytes_(ours), 1, SAME), ("bytes of another", np.bytes_(other), factor, EITHER),
        ("bytes of a wrong one", np.bytes_(wrong), 1, REFUSED),
        ("bytes that are not UTF-8", np.bytes_(b"\xb5m\xff"), 1, REFUSED),
        ("array", array([ours.encode()]), 1, EITHER),
        ("array of another", array([other.encode()]), factor, EITHER),
        ("array of a wrong one", array([wrong.encode()]), 1, REFUSED),
        ("array of two", array([ours.encode(), other.encode()]), 1, REFUSED),
        ("number", 1.0, 1, REFUSED), ("truth", True, 1, REFUSED),
    ]
    return [_case(key, unit, f, expect, label=label) for label, unit, f, expect in rows]


def _grouped(key: str) -> list[Case]:
    """Return two groups of which one has the attribute, or each has its own."""
    ours, (other, factor), wrong = PAIRS[key]
    listed = [_case(key, unit, f, expect, 2, which)
             for unit, f, expect in ((ours, 1, SAME), (other, factor, EITHER), (wrong, 1, REFUSED),
                                     ("bananas", 1, REFUSED), ("", 1, EITHER))
             for which in ((0,), (1,))]

    def both(first: int) -> Case:
        def run(folder: Path) -> str:
            columns(written(folder, 2), key, scaled(1, ours), (first,))
            columns(folder, key, scaled(factor, other), (1 - first,))
            return read(folder)

        return Case(f"{key} in {ours!r} in group {first}, {other!r} in the other", run, EITHER,
                    lambda: plain(2), (key, "unit", "position"))

    def three(folder: Path) -> str:
        columns(written(folder, 3), key, scaled(factor, other), (1,))
        return read(folder)

    return [*listed, both(0), both(1),
            Case(f"{key} in {other!r} in the middle of three groups", three, EITHER,
                 lambda: plain(3), (key, "unit", "position"))]


def _argument(label: str, group_unit: str | None, factors: tuple[float, float],
              weight_unit: str) -> Case:
    """Return weights of two groups, the first with an attribute, and ``weight_unit``."""
    def run(folder: Path) -> str:
        written(folder, 2)
        columns(folder, "syn_weight", scaled(factors[0], group_unit), (0,))
        columns(folder, "syn_weight", scaled(factors[1], None), (1,))
        return read(folder, weight_unit=weight_unit)

    return Case(f"weight_unit {weight_unit} and {label}", run, EITHER, lambda: plain(2),
                ("syn_weight", "unit"))


def _junctions(label: str, group: int, unit: str | None, factor: float, expect: str) -> Case:
    """Return synapses in group 0 and gap junctions in group 1 of one population."""
    def network(folder: Path, change: bool) -> str:
        written(folder)
        content = config()
        content["networks"]["edges"].append({"edges_file": "$DIR/mixed.h5"})
        configured(folder, content)
        peak = circuit().gap_junctions["FS-FS"].conductance.value
        with h5py.File(folder / "mixed.h5", "w") as file:
            edges = file.create_group("edges/FS_to_FS")
            for end, ids in (("source", [0, 0, 1, 2]), ("target", [1, 2, 3, 3])):
                edges[f"{end}_node_id"] = ids
                edges[f"{end}_node_id"].attrs["node_population"] = "FS"
            edges["edge_type_id"] = [7] * 4
            edges["edge_group_id"], edges["edge_group_index"] = [0, 0, 1, 1], [0, 1, 0, 1]
            edges["0/syn_weight"], edges["0/delay"] = [1.0, 1.5], [1.0, 2.0]
            edges["1/syn_weight"], edges["1/is_gap_junction"] = [peak, peak], [1, 1]
            if change:
                scaled(factor, unit)(edges[str(group)], "syn_weight", group)
        return read(folder)

    def right() -> str:
        with tempfile.TemporaryDirectory() as folder:
            return network(Path(folder), False)

    return Case(label, lambda folder: network(folder, True), expect, right,
                ("syn_weight", "unit"))


def _size(label: str, factor: float, words: tuple[str, ...]) -> Case:
    def run(folder: Path) -> str:
        for axis in AXES:
            columns(written(folder) if axis == "x" else folder, axis, scaled(factor, None))
        return read(folder)

    return Case(f"positions without units, {label}", run, REFUSED, words=words)


def _all(label: str, unit: str, factor: float) -> Case:
    def run(folder: Path) -> str:
        written(folder)
        for axis in AXES:
            columns(folder, axis, scaled(factor, unit))
        return read(folder)

    return Case(f"x, y and z in {label}", run, EITHER, plain, ("x", "unit", "position"))


def cases() -> list[Case]:
    """Return every case of this kind."""
    listed = [_case(key, *row) for key in ("x", "delay", "syn_weight") for row in SPELLINGS[key]]
    for key in ("y", "z"):
        ours, (other, factor), wrong = PAIRS[key]
        listed += [_case(key, ours, 1, SAME), _case(key, other, factor, EITHER),
                  _case(key, wrong, 1, REFUSED), _case(key, "bananas", 1, REFUSED)]
    for key in ("x", "delay", "syn_weight"):
        listed += _others(key)
    for key in (*AXES, "delay", "syn_weight"):
        listed += _grouped(key)
    listed += [_all("nanometres", "nm", 1e3), _all("millimetres", "mm", 1e-3),
              _all("metres", "m", 1e-6)]
    words = ("side", "position", "um", "cube", "x, y")
    listed += [_size("of a cell in metres", 1e-6, words), _size("of 2e7 um", 1e5, words)]
    return [*listed,
            _argument("nothing else", None, (1e-3, 1e-3), "uS"),
            _argument("a group in nS", "nS", (1, 1e-3), "uS"),
            _argument("a group in uS", "uS", (1e-3, 1), "nS"),
            _argument("a group in pS", "pS", (1e3, 1e-3), "uS"),
            _junctions("gap junctions in uS beside synapses", 1, "uS", 1e-3, EITHER),
            _junctions("synapses in uS beside gap junctions", 0, "uS", 1e-3, EITHER),
            _junctions("gap junctions in pS beside synapses", 1, "pS", 1e3, EITHER),
            _junctions("gap junctions in pA beside synapses", 1, "pA", 1, REFUSED)]
