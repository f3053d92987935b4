"""Which of two actions the loop of the basal ganglia selects, as its authors measured it.

Cortex calls both actions for 100 ms in every 1007 ms. A call multiplies its drive of a fifth of the
dSPNs of the action's channel and of the iSPNs of the other one by the salience of the action, and
that of all FS by the mean of both. SNr is counted while cortex calls, from its first moment on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.inputs import channel_members
from neostriatum.engines.lowered import lower
from neostriatum.validation.lab import Lab, Recorded, Unsuited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network
    from neostriatum.recording.store import Spikes

#: Channels, and the inputs that call their actions.
SIDES = ("left", "right")
#: From the start of one call to that of the next, and how long a call lasts [ms].
TURN_MS, CALL_MS = 1007.0, 100.0
#: By how much later cells hear cortex than the authors count from [ms]: their delay of cortical
#: trains, which the preset leaves out, is put into the window.
EARLY_MS = 2.5
#: How long before a call SNr is at rest [ms].
REST_MS = 400.0


def action(lab: Lab, saliences: tuple[float, float] = (2.0, 1.0), overlays: tuple[str, ...] = (),
           size: int = 20_000, repeats: int = 10) -> dict[str, Any]:
    """Return the rates of both channels of SNr while two actions are called, in the mean."""
    if missing := [side for side in SIDES if side not in lab.load().inputs]:
        msg = f"{lab.load().name} has no input {missing[0]}, which calls an action"
        raise Unsuited(msg)
    circuit = called(lab.load(overlay=tuple(overlays)), [saliences] * repeats)
    network = lab.build(circuit, size)
    made = lab.record(circuit, network, repeats * TURN_MS)
    rates, rest = (of_calls(circuit, network, made, repeats, rested).mean(axis=0)
                   for rested in (False, True))
    return {"left_hz": rates[0], "right_hz": rates[1], "contrast_hz": rates[1] - rates[0],
            "lower_hz": rates.min(), "rest_difference": np.ptp(rest) / rest.mean()}


def called(circuit: Circuit, pairs: Sequence[tuple[float, float]]) -> Circuit:
    """Return a circuit whose two actions are called in turn, with the saliences of each pair."""
    cortex = circuit.inputs["cortex"].targets
    rates: dict[str, Any] = {cell: cortex[cell].rate for cell in ("dSPN", "iSPN", "FS")}
    drive = {cell: (rate.lowest + rate.highest) / 2 for cell, rate in rates.items()}
    fs = circuit.to_dict()["inputs"]["cortex"]["targets"]["FS"]
    changes: dict[str, Any] = {"inputs.both": {"targets": {"FS": fs | {"rate": _calls(
        [drive["FS"] * (sum(pair) / 2 - 1) for pair in pairs])}}}}
    for place, side in enumerate(SIDES):
        for cell in ("dSPN", "iSPN"):
            changes[f"inputs.{side}.targets.{cell}.rate"] = _calls(
                [drive[cell] * (pair[place] - 1) for pair in pairs])
    return circuit.replace(changes)


def of_calls(circuit: Circuit, network: Network, spikes: Spikes | Recorded, calls: int,
             rested: bool = False) -> np.ndarray:
    """Return the rates of SNr [Hz] by call and channel: during it, or at rest before it."""
    ends = (np.arange(calls) + 1) * TURN_MS - EARLY_MS
    if rested:
        ends -= CALL_MS
    length = REST_MS if rested else CALL_MS
    edges = np.stack([ends - length, ends], axis=1).ravel()
    first = network.populations["SNr"].start
    snr = lower(circuit, network, 1).populations[list(network.counts).index("SNr")]
    rates = []
    for side in SIDES:
        members = channel_members(circuit, network, side, snr, 1) + first
        counts = np.histogram(spikes.times_ms[np.isin(spikes.ids, members)], edges)[0][::2]
        rates.append(counts * 1000.0 / (len(members) * length))
    return np.stack(rates, axis=1)


def _calls(rates_hz: list[float]) -> dict[str, Any]:
    """Return a time course that has each rate at the end of its turn, and else 0 Hz."""
    times, values = ["0 ms"], ["0 Hz"]
    for turn, rate in enumerate(rates_hz, start=1):
        times += [f"{turn * TURN_MS - CALL_MS!r} ms", f"{turn * TURN_MS!r} ms"]
        values += [f"{rate!r} Hz", "0 Hz"]
    return {"steps": {"times": times, "values": values}}
