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
    return f"{measured:.4g}"


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
    about = "" if target is None else f"{amount(target)}" + (
        f" ± {amount(spread)}" if spread is not None else "") + (
        f" ± {amount(row['se'])} SE" if row.get("se") is not None else "") + ", "
    if low is None or high is None:
        return about + (f"passes from {amount(low)}" if high is None else
                        f"passes to {amount(high)}")
    return about + f"passes from {amount(low)} to {amount(high)}"
