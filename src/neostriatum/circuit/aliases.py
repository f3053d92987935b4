"""Names of cell types that are known: their order of ids, their aliases, their usual pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Types that have global ids before any other, in this order.
KNOWN = ("dSPN", "iSPN", "FS", "LTS", "ChIN")
#: Types that results name even where the circuit lacks one of them.
ALWAYS = KNOWN[:3]
#: The pools of a circuit that names none, each where all its types are there.
USUAL_POOLS = {"SPN": ("dSPN", "iSPN")}
ALIASES = {
    **dict.fromkeys(("SP1", "SD1", "D1", "MSN_D1", "MSND1", "dspn"), "dSPN"),
    **dict.fromkeys(("SP2", "SD2", "D2", "MSN_D2", "MSND2", "ispn"), "iSPN"),
    **dict.fromkeys(("FSI", "FSN", "fs"), "FS"),
}


def canonical(name: Any) -> Any:
    """Return our name of a cell type given one of its aliases (unknown names unchanged)."""
    return ALIASES.get(name, name) if isinstance(name, str) else name


def in_order(names: Iterable[str]) -> list[str]:
    """Return names of cell types in the order of the global ids: known ones first.

    Examples
    --------
    >>> in_order(["GP", "FS", "dSPN", "Ast"])
    ['dSPN', 'FS', 'GP', 'Ast']
    """
    return sorted(names, key=lambda name: KNOWN.index(name) if name in KNOWN else len(KNOWN))


def reported(types: Iterable[str]) -> list[str]:
    """Return the types that summaries and tables name: those of the circuit.

    A circuit of nothing but dSPN, iSPN and FS has all three, whichever of them it lacks.

    Examples
    --------
    >>> reported(["dSPN"]), reported(["dSPN", "GP"])
    (['dSPN', 'iSPN', 'FS'], ['dSPN', 'GP'])
    """
    names = list(types)
    return list(ALWAYS) if set(names) <= set(ALWAYS) else names


def check_names(names: Iterable[str]) -> None:
    """Raise ValueError for names that somebody would take for one another.

    Files may lie where case does not count, and a reader does not count it either. Edge
    populations of SONATA files are called ``A_to_B`` and ``A_to_A_gap``.
    """
    meant = {name.casefold(): name for name in (*ALIASES, *KNOWN)}
    there: dict[str, str] = {}
    for name in names:
        if "_to_" in name or name.endswith("_gap"):
            msg = (f"a name must not hold _to_ nor end in _gap (got {shown(name)}), as the names "
                   "of edges in SONATA files do. Take another name")
            raise ValueError(msg)
        other = there.get(name.casefold()) or meant.get(name.casefold(), name)
        if other != name:
            alias = f", which means {ALIASES[other]}" if other in ALIASES else ""
            msg = (f"a name must differ from another in more than case (got {shown(name)}, and "
                   f"{other} is known{alias}). Write {other}, or take another name")
            raise ValueError(msg)
        there[name.casefold()] = name
