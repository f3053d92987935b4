"""How targets and measurements read in a line or a table."""

from __future__ import annotations

from typing import Any


def amount(measured: Any) -> str:
    """Return a measured value in a few characters.

    Examples
    --------
    >>> amount(229.4321), amount(None), amount([0.0, 2.25]), amount({"D1": 3.0, "D2": 4.0})
    ('229.4', 'nothing', '0, 2.25', 'D1 3, D2 4')
    """
    if measured is None:
        return "nothing"
    if isinstance(measured, dict):
        return ", ".join(f"{name} {amount(value)}" for name, value in measured.items())
    if isinstance(measured, (list, tuple)):
        return ", ".join(amount(value) for value in measured)
    if isinstance(measured, str):
        return measured
    return f"{measured:.4g}".replace("-", "\N{MINUS SIGN}")


def numbers(row: dict[str, Any]) -> tuple[str, str]:
    """Return what was measured and what was published, in a line each.

    Examples
    --------
    >>> numbers({"measured": {"D1": 4.0, "D2": 3.0}, "target": ["D2", "D1"], "unit": "ms",
    ...          "tolerance": {"kind": "order"}, "deviation": None, "spread": None})
    ('D2 3, D1 4 ms', 'D2 < D1')
    """
    kind, measured = row["tolerance"]["kind"], row["measured"]
    if kind == "order" and measured:
        measured = {name: measured.get(name) for name in row["target"]}
    if kind == "rms" and measured is not None:
        allowed = row["tolerance"]["rms"]
        return (f"rms {amount(row['deviation'] * allowed)} {row['unit']}",
                f"curve of {len(row['target'])} points, passes within {allowed:g} rms")
    return f"{amount(measured)} {row['unit']}".rstrip(), wanted(row)


def wanted(row: dict[str, Any]) -> str:
    """Return what was published, with what passes.

    Examples
    --------
    >>> wanted({"target": 229.5, "spread": None,
    ...         "tolerance": {"kind": "relative", "low": 218.0, "high": 241.0}})
    '229.5, passes from 218 to 241'
    """
    target, spread, said = row["target"], row["spread"], row["tolerance"]
    if said["kind"] == "order":
        return " < ".join(target)
    if said["kind"] == "rms":
        return f"{amount(target)}, passes within {said['rms']:g} rms"
    low, high = said["low"], said["high"]
    if target is not None and target > 0 and low is not None:
        low = max(low, 0.0)  # of a quantity without negative values
    about = "" if target is None else f"{amount(target)}" + (
        f" ± {amount(spread)}" if spread is not None else "") + (
        f" ± {amount(row['se'])} SE" if row.get("se") is not None else "") + ", "
    if low is None or high is None:
        return about + (f"passes from {amount(low)}" if high is None else
                        f"passes to {amount(high)}")
    return about + f"passes from {amount(low)} to {amount(high)}"
