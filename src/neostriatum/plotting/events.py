"""The events of a run in a figure over its time: a line at each, and what it did above it.

In: panels that share the axis of time, and a run. Out: lines in all of them, labels over the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from neostriatum.plotting.margins import heighten
from neostriatum.plotting.palette import INK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

    from neostriatum.plotting.view import RunView

#: Events that get a label; of more, the first ones do, and the others are lines alone.
MOST = 12
LONGEST = 40  # characters of a label
#: Rows of labels, their height, and where the first lies above the axes: over the title [points].
ROWS, ROW_PT, ABOVE_PT = 6, 8.0, 16.0
SIZE_PT = 6.0
GAP_PT = 3.0  # at least between two labels of a row


class _Place(NamedTuple):
    """Where a label may stand: its line, its two ends [points from the left], its row."""

    line: float
    left: float
    right: float
    row: int


def mark_events(
    panels: Sequence[Axes], run: RunView, start_ms: float = 0.0, stop_ms: float | None = None
) -> None:
    """Draw a line at each event of a run, labelled over the first panel.

    Parameters
    ----------
    panels : sequence of matplotlib.axes.Axes
        The panels over the time of the run, finished, from the top.
    run : RunView
        The run; one that does not know events has none.
    start_ms, stop_ms : float
        The window [ms]; by default the whole run. An event at its end changes nothing in it, so it
        is left out.

    Notes
    -----
    Labels of near events stand in rows above each other, to the right or to the left of their
    line. One without a free place is left out; its line is still there.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from neostriatum.plotting.style import new_figure
    >>> panel = new_figure(width_in=3, height_in=2).add_subplot(xlim=(0, 100))
    >>> event = SimpleNamespace(time_ms=50.0, label="lesion of FS")
    >>> mark_events([panel], SimpleNamespace(events=[event], duration_ms=100.0))
    >>> panel.texts[0].get_text()
    'lesion of FS'
    """
    stop_ms = run.duration_ms if stop_ms is None else stop_ms
    events = [one for one in getattr(run, "events", ()) if start_ms <= one.time_ms < stop_ms]
    if not events:
        return
    from matplotlib.collections import LineCollection

    for panel in panels:
        panel.add_collection(LineCollection(
            [[(one.time_ms, 0), (one.time_ms, 1)] for one in events], colors=INK, linewidths=0.6,
            alpha=0.8, transform=panel.get_xaxis_transform(), zorder=2.5), autolim=False)
    _label(panels[0], events[:MOST])


def _label(axes: Axes, events: Sequence[Any]) -> None:
    """Write what the events did over some axes, and make the figure higher by as much."""
    texts = [axes.annotate(
        _short(one.label), (one.time_ms, 1), xycoords=axes.get_xaxis_transform(), xytext=(0, 0),
        textcoords="offset points", fontsize=SIZE_PT, color=INK, va="baseline", parse_math=False,
        annotation_clip=False) for one in events]
    figure: Any = axes.figure
    for text in texts:
        text.set_in_layout(False)
    figure.draw_without_rendering()  # places the axes, so that widths are known
    to_pt = 72 / figure.dpi
    box = axes.get_window_extent()
    lines = [(float(axes.transData.transform((one.time_ms, 0))[0]) - box.x0) * to_pt
             for one in events]
    widths = [text.get_window_extent().width * to_pt for text in texts]
    places = _places(lines, widths, box.width * to_pt)
    for text, place in zip(texts, places, strict=True):
        if place is None:
            text.remove()
        else:
            _put(axes, text, place)
    rows = 1 + max((place.row for place in places if place is not None), default=-1)
    heighten(figure, rows * ROW_PT / 72)


def _put(axes: Axes, text: Annotation, place: _Place) -> None:
    """Move a label to its place, and draw its line up to it, behind the title and other labels."""
    from matplotlib.text import Text

    height = ABOVE_PT + place.row * ROW_PT
    text.set_in_layout(True)
    text.set_position((place.left - place.line, height))
    text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.5})
    up = axes.annotate(
        "", text.xy, xycoords=axes.get_xaxis_transform(), xytext=(0, height + ROW_PT - 2),
        textcoords="offset points", annotation_clip=False,
        arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.6, "alpha": 0.8, "shrinkA": 0,
                    "shrinkB": 0})
    up.set_zorder(2.5)
    for title in axes.get_children():
        if isinstance(title, Text) and title.get_text() == axes.get_title(loc="left") != "":
            title.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.5})


def _places(lines: Sequence[float], widths: Sequence[float], width: float) -> list[_Place | None]:
    """Return a place for every label, None where none is free.

    The first labels stand to the right of their line and the last ones to the left, parted where
    most find a place, fewest lines run through labels and fewest rows are needed.
    """
    def cost(places: list[_Place | None]) -> tuple[int, int, int]:
        there = [place for place in places if place is not None]
        crossed = sum(_crosses(one, other) for one in there for other in there)
        return places.count(None), crossed, max((place.row for place in there), default=0)

    every = [_parted(lines, widths, width, at) for at in range(len(lines), -1, -1)]
    return min(every, key=cost)


def _parted(lines: Sequence[float], widths: Sequence[float], width: float,
            at: int) -> list[_Place | None]:
    """Return the places where the labels from number `at` on stand to the left of their line."""
    places: list[_Place | None] = [None] * len(lines)
    taken: list[_Place] = []
    # From the middle outwards, so that the lines of higher labels pass beside the lower ones.
    for number in [*range(at, len(lines)), *range(at - 1, -1, -1)]:
        line = lines[number]
        left = line + GAP_PT if number < at else line - GAP_PT - widths[number]
        free = [place for row in range(ROWS)
                for place in [_Place(line, left, left + widths[number], row)]
                if left >= 0 and place.right <= width
                and not any(_overlap(place, other) for other in taken)]
        if free:
            places[number] = min(free, key=lambda place: sum(
                _crosses(place, other) + _crosses(other, place) for other in taken))
            taken.append(places[number])
    return places


def _overlap(one: _Place, other: _Place) -> bool:
    """Whether two labels run into each other."""
    return (one.row == other.row and one.left - GAP_PT < other.right
            and other.left - GAP_PT < one.right)


def _crosses(one: _Place, other: _Place) -> bool:
    """Whether the line of one label runs through the other, or so near that it seems to."""
    return one.row >= other.row and other.left - 1 < one.line < other.right + 1


def _short(label: str) -> str:
    """Return the start of a label, with characters that the font of the figures has."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    text = label if len(label) <= LONGEST else label[: LONGEST - 1].rstrip() + "…"
    return "".join(x if font.get_char_index(ord(x)) else "?" for x in text)
