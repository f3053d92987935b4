"""Pools: the cell types that statistics take together, and how they name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.circuit.aliases import ALIASES, USUAL_POOLS
from neostriatum.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def pools_of(types: Iterable[str], named: Mapping[str, Iterable[str]] | None = None
             ) -> dict[str, tuple[str, ...]]:
    """Return the types of every pool; a type that is in none is a pool of its own.

    Parameters
    ----------
    types : iterable of str
        Cell types in the order of the global ids.
    named : mapping, optional
        The pools of a circuit file; without, dSPN and iSPN are the pool SPN where both are there.

    Returns
    -------
    dict
        Pools by name, in the order of the ids of their first types.

    Examples
    --------
    >>> pools_of(["dSPN", "iSPN", "FS"])
    {'SPN': ('dSPN', 'iSPN'), 'FS': ('FS',)}
    >>> pools_of(["dSPN", "iSPN", "FS"], {})
    {'dSPN': ('dSPN',), 'iSPN': ('iSPN',), 'FS': ('FS',)}
    """
    types = list(types)
    named = _usual(types) if named is None else named
    pool_of = {name: pool for pool, members in named.items() for name in members}
    pools: dict[str, tuple[str, ...]] = {}
    for name in types:
        pool = pool_of.get(name, name)
        pools[pool] = (*pools.get(pool, ()), name)
    return pools


def check_pools(types: Iterable[str], named: Mapping[str, tuple[str, ...]] | None) -> None:
    """Raise ValueError for a pool that no statistics could mean."""
    types = list(types)
    pool_of: dict[str, str] = {}
    kinds = {name.casefold(): f"the alias {name}" for name in ALIASES}
    kinds |= {name.casefold(): f"the cell type {name}" for name in types}
    for pool, members in (_usual(types) if named is None else named).items():
        if kind := kinds.get(pool.casefold()):
            msg = (f"pools.{pool}: must be called otherwise than {kind} (got {pool}). "
                   "Name pools that are not, in [pools]")
            raise ValueError(msg)
        kinds[pool.casefold()] = f"the pool {pool}"
        if not members:
            msg = f"pools.{pool}: must not be empty (got no cell type). Leave it out"
            raise ValueError(msg)
        for name in members:
            if name not in types:
                msg = (f"pools.{pool}: unknown cell type (got {shown(name)}). "
                       f"Known: {', '.join(types)}")
                raise ValueError(msg)
            if name in pool_of:
                msg = (f"pools.{pool}: a type must be in one pool, once (got {name}, which is in "
                       f"{pool_of[name]}). Take it out of one")
                raise ValueError(msg)
            pool_of[name] = pool


def _usual(types: list[str]) -> dict[str, tuple[str, ...]]:
    return {pool: members for pool, members in USUAL_POOLS.items() if set(members) <= set(types)}
