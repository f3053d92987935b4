"""The protocols by name: what a target can ask for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.validation.lab import Lab

_FILES = {
    "single": ("rheobase", "rheobase_shift", "fi_curve", "latency", "threshold_latency",
               "latency_order", "paired_pulse", "passive", "pooled", "spike_threshold",
               "rheobase_order"),
    "drive": ("ff_curve", "first_spike_order", "bimodality"),
    "pairs": ("psp", "psp_order", "train", "coupling", "recordings"),
    "anatomy": ("table5", "within", "gap_density"),
    "network": ("in_vivo", "up_down", "without_fs"),
    "lesion": ("dopamine_loss", "states_after_loss"),
    "published": ("fs_density", "shells"),
    "clamp": ("clamp", "clamp_ratio", "just_above", "first_slope", "late_spike",
              "dopamine_count"),
    "synapses": ("kinetics", "nmda_order", "release_train", "pair_probability", "excitation"),
    "loop": ("loop", "loop_change"),
    "action": ("action",),
    "tissue": ("by_themselves", "active_membrane"),
    "plasticity": ("window", "memory", "kernel", "block", "dips", "agonist", "drift"),
    "learnt_cell": ("pattern", "tuned"),
    "taught": ("bandit", "stimulated", "delayed", "depleted"),
}


def names() -> list[str]:
    """Return the names of the protocols."""
    return [name for found in _FILES.values() for name in found]


def protocol(name: str) -> Callable[..., dict[str, Any]]:
    """Return a protocol by name."""
    for file, found in _FILES.items():
        if name in found:
            return getattr(import_module(f"{__package__}.{file}"), name)
    msg = f"protocol: unknown (got {name})"
    raise ValueError(msg)


def measure(lab: Lab, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run one protocol on a circuit; this is what a worker does.

    Returns
    -------
    dict
        What was measured, by name; ``{"unsuited": reason}`` where the circuit has not what the
        protocol needs.
    """
    from neostriatum.validation.lab import Unsuited

    try:
        return protocol(name)(lab, **arguments)
    except Unsuited as reason:
        return {"unsuited": str(reason)}
