"""Protocols of current clamp: what they print, and their figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.commands.app import show
from neostriatum.commands.saved import saved

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.experiments.protocol import ProtocolResult

#: Units as names of values and columns end in them.
UNITS = {"pa": "pA", "mv": "mV", "ms": "ms", "hz": "Hz", "mohm": "MOhm", "pf": "pF",
         "hz_per_pa": "Hz/pA"}


def measure(name: str, kind: str, given: dict[str, Any], out: str | None, as_json: bool) -> None:
    """Run a protocol, draw it where a folder is given, and print it."""
    from neostriatum.experiments.protocol import protocol

    result, figure = protocol(name, kind, **given), None
    if out:
        from neostriatum.plotting.protocol import protocol as draw

        figure = saved(draw(result)[0], out, f"{kind}.png")
    show(as_json, False, result.to_dict() | ({"out": str(figure)} if figure else {}),
         lambda: lines(result, figure))


def lines(result: ProtocolResult, figure: Path | None) -> list[str]:
    """Return what a protocol measured, for a person: values, then columns of one length."""
    from neostriatum.circuit.modulator import others

    text = [f"{result.cell} of {result.circuit}, {result.protocol}, dopamine "
            f"D1 {result.dopamine['d1']:g}, D2 {result.dopamine['d2']:g}"
            f"{others(result.modulators)}, {result.hold_pa:g} pA held, dt {result.dt_ms:g} ms"]
    text += [f"  {words(key):<24} {number(value):>9} {unit(key)}".rstrip()
             for key, value in result.values.items()]
    for length in dict.fromkeys(map(len, result.table.values())):
        columns = {key: column for key, column in result.table.items() if len(column) == length}
        heads = [f"{words(key)} [{unit(key)}]" if unit(key) else words(key) for key in columns]
        widths = [max(len(head), 9) for head in heads]
        text.append("  " + "  ".join(f"{head:>{width}}" for head, width in
                                     zip(heads, widths, strict=True)))
        text += ["  " + "  ".join(f"{number(value):>{width}}" for value, width in
                                  zip(row, widths, strict=True))
                 for row in zip(*columns.values(), strict=True)]
    return text + ([f"figure in {figure}"] if figure else [])


def unit(key: str) -> str:
    """Return the unit that a name ends in.

    Examples
    --------
    >>> unit("rheobase_pa"), unit("slope_hz_per_pa"), unit("spikes")
    ('pA', 'Hz/pA', '')
    """
    return next((spelled for ending, spelled in reversed(UNITS.items())
                 if key.endswith(f"_{ending}")), "")


def words(key: str) -> str:
    """Return a name without its unit, in words.

    Examples
    --------
    >>> words("initial_hz"), words("spikes_after")
    ('initial', 'spikes after')
    """
    ending = next((ending for ending in reversed(UNITS) if key.endswith(f"_{ending}")), "")
    return key.removesuffix(f"_{ending}").replace("_", " ")


def number(value: float | None) -> str:
    """Return a number in a few characters, a dash for none."""
    return "-" if value is None else f"{value:.4g}"
