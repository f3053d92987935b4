"""The circuit that tasks are played on: channels for actions, axons for cues."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.datafile import read_data
from neostriatum.circuit.load import load

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: Cell types of the direct and of the indirect pathway, and those that these release or hold back.
GO, STOP, OUTPUT = "dSPN", "iSPN", "SNr"
#: Axons that carry the cue, and those that tell the striatum what was chosen.
CUE, EFFERENCE = "cortex", "motor"
#: Presets that a task can be played on: what it adds to each stands in a file of that name.
USUAL, LOOP = "striatum_v1", "basal_ganglia"


def action_names(actions: int) -> list[str]:
    """Return the names of the channels of some actions.

    Examples
    --------
    >>> action_names(1), action_names(2), action_names(3)
    (['go'], ['left', 'right'], ['action_1', 'action_2', 'action_3'])
    """
    return {1: ["go"], 2: ["left", "right"]}.get(
        actions, [f"action_{k + 1}" for k in range(actions)])


def cue_names(cues: int) -> tuple[str, ...]:
    """Return the names of the axons that carry some cues.

    Examples
    --------
    >>> cue_names(1), cue_names(2)
    (('cortex',), ('cortex_1', 'cortex_2'))
    """
    return (CUE,) if cues == 1 else tuple(f"{CUE}_{k + 1}" for k in range(cues))


def task_circuit(actions: int, cues: int, active: float = 1.0, preset: str = USUAL) -> Circuit:
    """Return the circuit of a task.

    Parameters
    ----------
    actions : int
        Channels.
    cues : int
        Populations of axons that learn.
    active : float
        How many of them are active at a time; their synapses per cell shrink in proportion, so
        that a cue brings as much as the only one would.
    preset : str
        What it is played on, `USUAL` or `LOOP`.
    """
    path = Path(str(files("neostriatum.learning.tasks") / f"{preset}.toml"))
    raw: dict[str, Any] = read_data(path)
    channels = action_names(actions)
    shared = raw["channels"].pop("channel")
    raw["channels"] = {name: shared | {"share": 1 / actions} for name in channels}
    raw["axons"][EFFERENCE] |= {
        "groups": actions, "channels": dict.fromkeys(channels, 1 / actions)}
    cue = raw["axons"].pop(CUE)
    plastic = {end: raw["pathways"].pop(f"{CUE}->{end}") for end in (GO, STOP)}
    for name in cue_names(cues):
        raw["axons"][name] = cue
        for end, pathway in plastic.items():
            wiring = pathway["wiring"]
            raw["pathways"][f"{name}->{end}"] = pathway | {
                "wiring": wiring | {"n": max(1, round(wiring["n"] / active))}}
    held = raw["inputs"].pop("channel")["targets"]
    for name in channels:
        raw["inputs"][name] = {"targets": {
            end: entry | {"channel": name} for end, entry in held.items()}}
    return load(raw)
