"""The figures of a run or a network by name, as pictures in memory or files in a folder.

In: a run, a network, or the path of one. Out: PNG, SVG or PDF, the same bytes every time.
"""

from __future__ import annotations

import inspect
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.durable import replacing
from neostriatum.errors import CircuitError, InputError, RunFileError, shown
from neostriatum.network.network import Network
from neostriatum.recording.checked import checked
from neostriatum.recording.opened import opened
from neostriatum.recording.store import Run
from neostriatum.units import quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Of a PNG, which is drawn for screens with twice the dots.
COLOURS = 128
FORMATS = ("png", "svg", "pdf")
#: What every run draws when it ends.
STANDARD = ("raster", "traces", "rates")
#: A date would make two files of the same run differ.
_UNDATED = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


def draw(
    what: Run | Network | str | Path,
    names: Iterable[str] = (),
    *,
    formats: Iterable[str] = ("png",),
    out: str | Path | None = None,
    start: Any = None,
    stop: Any = None,
) -> dict[str, Any]:
    """Draw figures of a run or a network into files.

    Parameters
    ----------
    what : Run, Network, str or Path
        A run or a network, the folder of a run, or the file or folder of a network.
    names : iterable of str
        Figures to draw; by default every one that can be drawn.
    formats : iterable of str
        "png", "svg", "pdf".
    out : str or Path, optional
        Folder. By default that of the run's figures, where files of the same name are replaced;
        in any other an existing file is refused.
    start, stop : str, optional
        Window of time, as in "500 ms"; the whole run by default. With a window and without
        names, the figures that show a course in time are drawn.

    Returns
    -------
    dict
        ``out`` (the folder), ``files`` (names in it), ``skipped`` ({figure: reason}).

    Raises
    ------
    CircuitError
        An unknown figure or format, a bad window, or a named figure that cannot be drawn.
    RunFileError
        Neither a run nor a network, damaged or unfinished ones, or a folder that cannot be written.

    Examples
    --------
    >>> import neostriatum as ns
    >>> ns.draw("runs/0001", ["raster"], formats=["pdf"], stop="500 ms")  # doctest: +SKIP
    """
    what = opened(what)
    if isinstance(what, Run):
        checked(what)
    known = figures_of(what)
    names, formats = _list(names), _list(formats)
    for kind, given, rule in (("figure", names, known), ("format", formats, FORMATS)):
        if unknown := [one for one in given if one not in rule]:
            msg = f"{kind}: must be one of {', '.join(rule)} (got {shown(unknown[0])})"
            raise CircuitError(msg)
    limits = _window(what, start, stop)
    chosen = names or [name for name in known if not limits or _takes_window(known[name])]
    folder, label, ours = _folder(what, out)
    pictures, skipped = {}, {}
    for name in dict.fromkeys(chosen):
        if limits and not _takes_window(known[name]):
            msg = f"{name}: shows the whole run, so it takes no window (got one). Leave it out"
            raise CircuitError(msg)
        try:
            pictures[name] = picture(known[name], what, formats, **limits)
        except InputError as error:
            if names or limits:
                msg = f"{name}: {error}"
                raise CircuitError(msg) from None
            skipped[name] = str(error)
    files = {f"{name}.{ending}": data for name, made in pictures.items()
             for ending, data in made.items()}
    _write(folder, files, replace=ours)
    return {"out": label, "files": list(files), "skipped": skipped}


def figures_of(what: Run | Network) -> dict[str, Callable[..., Any]]:
    """Return the functions that draw a run or a network, by the names of their figures."""
    from neostriatum import plotting

    if isinstance(what, Network):
        return {"positions": plotting.positions, "degrees": plotting.degrees,
                "connection_probability": plotting.connection_probability,
                "connectivity": plotting.connectivity}
    # What a session learnt comes first.
    return plotting.LEARNING | plotting.FIGURES if what.record.get("learning") else plotting.FIGURES


def standard(run: Run) -> tuple[str, ...]:
    """Return the figures that a run draws when it ends."""
    from neostriatum import plotting

    # Minutes of a session are too many for single spikes, and no potentials are recorded.
    return (*plotting.LEARNING, "rates") if run.record.get("learning") else STANDARD


def picture(
    make: Callable[..., Any], what: Run | Network, formats: Iterable[str] = ("png",),
    **settings: Any,
) -> dict[str, bytes]:
    """Return one figure in some formats.

    Parameters
    ----------
    make : callable
        Returns a figure and its axes.
    what : Run or Network
        Its argument.
    formats : iterable of str
        "png", "svg", "pdf".
    **settings
        Further arguments of `make`.

    Returns
    -------
    dict of str to bytes
        The pictures by format.

    Raises
    ------
    InputError
        The figure cannot be drawn of this.
    """
    from neostriatum.plotting.style import paper

    figure, _ = make(what, **settings)
    made = {}
    with paper(svg_hashsalt="neostriatum"):  # else the names inside an SVG differ every time
        for ending in formats:
            buffer = BytesIO()
            figure.savefig(buffer, format=ending, metadata=_UNDATED[ending])
            made[ending] = _smaller(buffer) if ending == "png" else buffer.getvalue()
    return made


def _smaller(picture: BytesIO) -> bytes:
    """Return a PNG with so many colours as the eye tells apart: a third of the bytes."""
    from PIL import Image

    small = BytesIO()
    with Image.open(picture) as full:
        few = full.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(small, format="png", optimize=False, dpi=full.info.get("dpi"))
    return small.getvalue()


def _list(said: Iterable[str]) -> list[str]:
    return [said] if isinstance(said, str) else list(said)


def _takes_window(make: Callable[..., Any]) -> bool:
    return "start_ms" in inspect.signature(make).parameters


def _window(what: Run | Network, start: Any, stop: Any) -> dict[str, float]:
    """Return the limits that were given [ms], none for a whole run."""
    if start is None and stop is None:
        return {}
    if isinstance(what, Network):
        msg = "start, stop: a network has no time (got a window). Leave them out"
        raise CircuitError(msg)
    limits = {"start_ms": 0.0, "stop_ms": float(what.duration_ms)}
    for key, given in (("start_ms", start), ("stop_ms", stop)):
        if given is not None:
            try:
                limits[key] = quantity(given, "ms")
            except ValueError as error:
                msg = f"{key[:-3]}: {error} (got {shown(given)})"
                raise CircuitError(msg) from None
    if not 0 <= limits["start_ms"] < limits["stop_ms"] <= what.duration_ms:
        msg = (f"start, stop: must satisfy 0 <= start < stop <= {what.duration_ms:g} ms "
               f"(got {limits['start_ms']:g}, {limits['stop_ms']:g})")
        raise CircuitError(msg)
    return limits


def _folder(what: Run | Network, out: str | Path | None) -> tuple[Path, str, bool]:
    """Return where to write, its name for the caller, and whether files there may be replaced."""
    if out is not None:
        if not str(out).strip():
            msg = "--out: must name a folder (got nothing). Choose one"
            raise RunFileError(msg)
        return Path(out), str(Path(out)), False
    if isinstance(what, Network):
        msg = "out: must name a folder for the figures of a network (got none). Say --out DIR"
        raise CircuitError(msg)
    return what.folder / "figures", str(Path(what.label) / "figures"), True


def _write(folder: Path, files: dict[str, bytes], replace: bool) -> None:
    for name in files:
        if not replace and (folder / name).exists():
            msg = f"{folder / name}: exists already. Choose another --out"
            raise RunFileError(msg)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: cannot be made ({error.strerror or error}). Choose another --out"
        raise RunFileError(msg) from None
    for name, data in files.items():
        with replacing(folder / name) as temporary:
            temporary.write_bytes(data)
