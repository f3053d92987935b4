"""Remove a cell type from a circuit, with everything that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Tables whose keys are cell types, and those whose keys are two of them, with what is between.
_TYPES = ("cells", "noise", "spread", "start")
_PAIRS = {"pathways": "->", "gap_junctions": "-"}


def without(raw: dict[str, Any], cell: str) -> dict[str, Any]:
    """Return a circuit's plain data without a cell type, its pathways, gap junctions and drive.

    An input that reaches no other type goes too.

    Examples
    --------
    >>> from neostriatum.circuit.load import load
    >>> sorted(without(load("striatum_v1").to_dict(), "FS")["pathways"])
    ['dSPN->dSPN', 'dSPN->iSPN', 'iSPN->dSPN', 'iSPN->iSPN']
    """
    kept = dict(raw)
    for key in _TYPES:
        kept[key] = {name: value for name, value in raw[key].items() if name != cell}
    for key, mark in _PAIRS.items():
        kept[key] = {name: value for name, value in raw[key].items()
                     if cell not in name.split(mark)}
    inputs = {name: entry | {"targets": {target: value for target, value in
                                         entry["targets"].items() if target != cell}}
              for name, entry in raw["inputs"].items()}
    if "pools" in raw:
        pools = {name: [member for member in members if member != cell]
                 for name, members in raw["pools"].items()}
        kept["pools"] = {name: members for name, members in pools.items() if members}
    kept["inputs"] = {name: entry for name, entry in inputs.items() if entry["targets"]}
    kept["channels"] = channels_among(raw["channels"], [one for one in raw["cells"] if one != cell])
    return kept


def channels_among(channels: dict[str, Any], types: list[str]) -> dict[str, Any]:
    """Return channels without the shares of other cell types; one of others alone has no cells."""
    kept = {}
    for name, channel in channels.items():
        of = [cell for cell in channel.get("of", ()) if cell in types]
        kept[name] = channel if "of" not in channel else (
            channel | {"of": of} if of else {"fraction": 0.0})
    return kept


def held(raw: dict[str, Any], cell: str, levels: Mapping[str, float]) -> dict[str, Any]:
    """Return a circuit's plain data with the levels held that a cell type released.

    Parameters
    ----------
    raw : dict
        The data, without the cell type.
    cell : str
        The cell type.
    levels : dict
        The level at which a modulator is held, by its name.
    """
    modulators, left_out = dict(raw.get("modulators", {})), list(raw.get("left_out", ()))
    for name, given in modulators.items():
        if given.get("released_by") == cell:
            modulators[name] = {"level": levels[name]} | {
                key: value for key, value in given.items() if key == "reference"}
            left_out.append(f"release of {name} by {cell}: its level is held at {levels[name]:g}")
    return raw | ({"modulators": modulators, "left_out": left_out} if modulators else {})
