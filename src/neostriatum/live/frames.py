"""Binary frames for a page: little-endian, one byte of type, whole words.

``S``, a window of simulated time::

    u8 "S", u8 flags (1: ids have 4 bytes), u16 levels, u32 number of the frame,
    i32 first step, u32 steps, u32 spikes, u16 types, u16 samples of the watched cell,
    f32 levels[], i16 potentials of the watched cell [mV/100],
    u8 histogram[types, BINS], u16 step within the window[], u16 ids[]

The histogram is there in one window of a few; steps and ids begin at whole words.

``M``, windows that were merged as the page did not keep up: number of the frame, first step,
steps, windows, and the spikes of every type. ``P``, positions: f32 xyz of every soma [um]. Steps
count from the end of the warm-up.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

#: Bins of the histogram of potentials, from LOWEST on, WIDTH wide [mV].
BINS, LOWEST, WIDTH = 48, -96.0, 1.5
_HEAD = struct.Struct("<cBHIiIIHH")
_MERGED = struct.Struct("<cBHIiII")


@dataclass(frozen=True)
class Window:
    """What happened in a window: steps from the end of the warm-up, global ids, sorted."""

    first: int
    count: int
    steps: np.ndarray
    ids: np.ndarray
    levels: np.ndarray
    #: Potentials of the watched cell at every step [mV].
    watched: np.ndarray
    #: Share of sampled potentials in every bin, 0 to 255, (types, BINS); or none.
    histogram: np.ndarray
    #: Spikes of every type.
    counts: np.ndarray


def packed(window: Window, number: int) -> bytes:
    """Return the frame of a window."""
    wide = bool(len(window.ids)) and int(window.ids.max()) > 65_535
    parts = [
        _HEAD.pack(b"S", int(wide), len(window.levels), number, window.first, window.count,
                   len(window.ids), len(window.histogram), len(window.watched)),
        window.levels.astype("<f4").tobytes(),
        np.clip(np.rint(window.watched * 100.0), -32_768, 32_767).astype("<i2").tobytes(),
        window.histogram.astype("u1").tobytes(),
    ]
    parts.append(b"\0" * (-sum(map(len, parts)) % 4))
    parts += [(window.steps - window.first).astype("<u2").tobytes()]
    parts.append(b"\0" * (-sum(map(len, parts)) % 4))
    parts += [window.ids.astype("<u4" if wide else "<u2").tobytes()]
    parts.append(b"\0" * (-sum(map(len, parts)) % 4))
    return b"".join(parts)


def placed(positions: np.ndarray) -> bytes:
    """Return the frame of the positions of somas (n, 3) [um]."""
    return b"P\0\0\0" + np.ascontiguousarray(positions, "<f4").tobytes()


@dataclass
class Merged:
    """Windows that a page did not get one by one: their time and their spikes by type."""

    first: int = 0
    count: int = 0
    windows: int = 0
    spikes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, window: Window) -> None:
        """Take one more window."""
        if not self.windows or window.first != self.first + self.count:
            self.first, self.count = window.first, 0
            self.windows, self.spikes = 0, np.zeros(len(window.counts), np.int64)
        self.count += window.count
        self.windows += 1
        self.spikes = self.spikes + window.counts

    def packed(self, number: int) -> bytes:
        """Return the frame of these windows."""
        return _MERGED.pack(b"M", 0, len(self.spikes), number, self.first, self.count,
                            self.windows) + self.spikes.astype("<u4").tobytes()


def histogram(potentials: np.ndarray) -> np.ndarray:
    """Return the share of potentials (any shape) [mV] in every bin, 255 for all of them.

    Examples
    --------
    >>> shares = histogram(np.array([-95.5, -95.2, -60.0, 20.0]))
    >>> shares[shares > 0].tolist()
    [128, 64, 64]
    """
    place = np.clip(((potentials.ravel() - LOWEST) / WIDTH).astype(np.int64), 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    return np.rint(counts * 255.0 / max(1, counts.sum())).astype(np.uint8)
