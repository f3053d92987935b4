"""The columns of SONATA nodes and edges: those that are understood, harmless, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.errors import shown
from neostriatum.network.sonata_config import NODE_TYPES

if TYPE_CHECKING:
    from neostriatum.network.sonata_table import Table

#: Columns of edges that we read or check.
READ = ("syn_weight", "delay", "nsyns", "is_gap_junction", "weight_factor", "weight_function",
        "model_template", "receptor")
#: Columns of edges that say which rows are meant, where on the cell a synapse is, or what the
#: circuit says in their place; so no number that we read means another thing by them.
HARMLESS = ("population", "source", "target", "pop_name", "edge_type_name", "source_query",
            "target_query", "target_sections", "distance", "distance_range", "dynamics_params",
            "weight_sigma", "sec_id", "sec_x", "sec_pos", "swc_id", "swc_pos", "syn_type_id",
            "syn_property_rule", "x", "y", "z")
HARMLESS_STARTS = ("afferent_", "efferent_")
#: What a label of an edge may be: then ``syn_weight`` is the weight, and stays what it is. The
#: first is named in messages.
LABELS = {
    "weight_function": ("wmax", "", "default", "default_weight_fnc", "set_syn_weight"),
    "model_template": ("static_synapse", "", "exp2syn", "expsyn", "gap_junction"),
}


def check_nodes(table: Table) -> bool:
    """Return whether the nodes are virtual, or refuse a model that is no cell's."""
    models = table.labels("model_type") if table.has("model_type") else {""}
    table.check_types()
    for name in sorted(models - {"", *NODE_TYPES}):
        msg = (f"{table.group.name}: model_type must be one of {', '.join(NODE_TYPES)} "
               f"(got {shown(name)})")
        raise ValueError(msg)
    if "virtual" in models and len(models) > 1:
        msg = f"{table.group.name}: model_type must be virtual for all nodes or for none"
        raise ValueError(msg)
    return models == {"virtual"}


def check_edges(table: Table, receptors: set[str]) -> None:
    """Refuse columns of edges that could change what a weight or delay is."""
    known = {*READ, *(f"syn_weight_{name}" for name in receptors)}
    for name in table.columns():
        if name not in known and name not in HARMLESS and not name.startswith(HARMLESS_STARTS):
            msg = (f"{table.group.name}: column {shown(name)} is not understood. Take it out if no "
                   "weight depends on it")
            raise ValueError(msg)


def check_labels(table: Table, start: int, stop: int, receptors: list[str]) -> None:
    """Refuse edges of other receptors, or whose weight is computed or changes while they run."""
    table.check_types(start, stop)
    labels = LABELS | {"receptor": (", ".join(receptors) or "gap", "", "gap", *receptors)}
    for key, known in labels.items():
        for label in table.labels(key, start, stop) if table.has(key) else ():
            if label not in known and label.split(":")[-1].lower() not in known:
                msg = (f"{table.group.name}: {key} must be {known[0]}, or none "
                       f"(got {shown(label)})")
                raise ValueError(msg)
