"""Refuse a circuit: one line that says where, which rule, and what was given."""

from __future__ import annotations

from typing import NoReturn

from neostriatum.errors import CircuitError, shown


def refuse(where: str, rule: str) -> NoReturn:
    """Raise CircuitError with one line of at most 200 characters."""
    msg = " ".join(f"{shown(where)}: {rule}".split())
    raise CircuitError(msg if len(msg) <= 200 else msg[:197] + "...")
