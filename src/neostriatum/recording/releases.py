"""Recorded states of releases: what there is of a pathway, and what its next spikes release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.engines.plasticity import lower_release
from neostriatum.engines.probes import PATHWAYS
from neostriatum.errors import CircuitError, shown
from neostriatum.recording.instants import circuits_at, in_common

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import Plasticity
    from neostriatum.engines.base import Trace
    from neostriatum.recording.store import Run

#: What follows from the states of a release: what a spike would release, relative to a first one.
RELEASED = "released"


def plastic_pathways(circuit: Circuit) -> dict[str, Plasticity]:
    """Return the short-term plasticity of the pathways whose sources have states of their own."""
    pooled = {name for name, axons in circuit.axons.items() if not axons.identity}
    return {name: pathway.stp for name, pathway in circuit.pathways.items()
            if pathway.stp is not None and name.split("->")[0] not in pooled}


def release_states(circuit: Circuit, pathway: str) -> tuple[str, ...]:
    """Return the names of the states of release of a pathway.

    Raises
    ------
    CircuitError
        A pathway without short-term plasticity, or from axons without trains.
    """
    known = plastic_pathways(circuit)
    if pathway not in known:
        msg = (f"record: {PATHWAYS}{pathway}: must be a pathway with short-term plasticity whose "
               f"sources have trains (got {shown(pathway)}). Known: {', '.join(known) or 'none'}")
        raise CircuitError(msg)
    return known[pathway].release_model.names


def released(run: Run) -> dict[str, Trace]:
    """Return what a spike would release, by ``pathways.<name>``, where all states are recorded.

    Sources and times are those that the states have in common.
    """
    traces = {}
    for pathway in plastic_pathways(run.circuit):
        name, states = PATHWAYS + pathway, release_states(run.circuit, pathway)
        if not set(states) <= set(run.steps_of(name)):
            continue
        trace, values = in_common(run, name, states)
        for circuit, part in circuits_at(run, trace.times_ms):
            release = lower_release(plastic_pathways(circuit)[pathway], circuit.dt.value)
            trace.values[part] = release.expected({state: own[part]
                                                   for state, own in values.items()})
        if len(trace.ids):
            traces[name] = trace
    return traces
