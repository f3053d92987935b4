"""The compiled models of a circuit: cells, nodes of gap junctions, sources, synapses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.engines.nest_engine.cell import cell
from neostriatum.engines.nest_engine.learning import learning_text
from neostriatum.engines.nest_engine.module import modules
from neostriatum.engines.nest_engine.nodes import gap_node
from neostriatum.engines.nest_engine.release import release
from neostriatum.engines.nest_engine.trains import shared, train
from neostriatum.ranks import launched, rank, together

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.nest_engine.shape import Form


def compiled(nest: Any, lowered: LoweredCircuit, forms: list[Form]) -> dict[Any, Path]:
    """Return the compiled files of all models; with several ranks the first makes them.

    Keys are the numbers of populations, "node" and "train", the text of a model of release, and the
    number of exponentials of a synapse that learns behind "learning".
    """
    texts: dict[Any, tuple[str, str]] = {
        number: (cell(form), "gaps" if form.gaps else "plain")
        for number, form in enumerate(forms) if lowered.populations[number].n}
    if any(kind.tau is not None for kind in lowered.gaps):
        texts["node"] = (gap_node(), "gaps")
    if shared(lowered):
        texts["train"] = (train(), "plain")
    for one in lowered.projections:
        if one.learning:
            parts = len(one.learning.taus)
            texts["learning", parts] = (learning_text(parts), "code")
        elif one.stp:
            texts[one.stp.model.text] = (release(one.stp.model), "synapse")
    if rank() == 0:
        modules(texts, nest)
    if launched() > 1:
        together()
    return modules(texts, nest)
