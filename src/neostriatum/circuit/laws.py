"""The constants of the distance laws, each with its source."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files

from pydantic import TypeAdapter

from neostriatum.circuit.value import Frozen, measure


class Law(Frozen):
    """``ln E(d) = -alpha - beta [1 - exp(-gamma (d - delta))] exp(eta d)``, d in um."""

    alpha: measure("1")
    beta: measure("1")
    gamma: measure("1/um")
    delta: measure("um")
    eta: measure("1/um")


@lru_cache(maxsize=1)
def laws() -> dict[str, Law]:
    """Return the laws of Humphries et al. 2010 (Table 4) by the name of the connection."""
    text = (files("neostriatum.circuit") / "laws.toml").read_text("utf-8")
    return TypeAdapter(dict[str, Law]).validate_python(tomllib.loads(text))


def load_laws() -> dict[str, dict[str, float]]:
    """Return the constants as plain floats: alpha, beta [1], gamma, eta [1/um], delta [um].

    Examples
    --------
    >>> round(load_laws()["MSN-MSN"]["alpha"], 3)
    0.511
    """
    names = ("alpha", "beta", "gamma", "delta", "eta")
    return {name: {key: getattr(law, key).value for key in names} for name, law in laws().items()}
