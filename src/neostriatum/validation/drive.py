"""Synaptic drive of isolated cells by generators of glutamate and GABA events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.experiments.isolate import bare_network
from neostriatum.validation.lab import Lab, Unsuited, effect_index, require

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network

#: Afferents of each generator (Humphries et al. 2009).
AFFERENTS = 84
#: Rate of a cell without dopamine in the test of the first spike [Hz], and where its drive is
#: looked for [events/s].
OUTPUT_HZ = 5.0
SEARCHED_PER_S = (200.0, 50_000.0)
#: Lowest potential that belongs to a spike and not to a state of the membrane [mV].
SPIKE_MV = -40.0
#: A receptor that reverses above this excites [mV].
EXCITING_MV = -30.0


def conductances(circuit: Circuit, cell: str) -> dict[str, tuple[str, float]]:
    """Return receptor and peak conductance [nS] per event of AMPA, NMDA and GABA onto a cell.

    Those of the circuit's own inputs and axons; where none brings GABA, that of a lateral synapse.
    """
    found: dict[str, tuple[str, float]] = {}
    driving = [entry.targets[cell].conductance or {} for entry in circuit.inputs.values()
               if cell in entry.targets]
    driving += [circuit.pathways[f"{name}->{cell}"].conductance for name in circuit.axons
                if f"{name}->{cell}" in circuit.pathways]
    for conductance in driving:
        for name, g in conductance.items():
            found.setdefault(role(circuit, name), (name, g.value))
    if "GABA" not in found:
        for source in ("iSPN", "dSPN", "FS"):
            pathway = circuit.pathways.get(f"{source}->{cell}")
            inhibiting = {} if pathway is None else {
                name: g for name, g in pathway.conductance.items() if role(circuit, name) == "GABA"}
            if inhibiting:
                name = next(iter(inhibiting))
                found["GABA"] = (name, inhibiting[name].value)
                break
    if missing := {"AMPA", "NMDA", "GABA"} - set(found):
        msg = f"{circuit.name} has no {sorted(missing)[0]} onto {cell}"
        raise Unsuited(msg)
    return found


def role(circuit: Circuit, receptor: str) -> str:
    """Return which of AMPA, NMDA and GABA a receptor is: by its name, or by its numbers."""
    if receptor in ("AMPA", "NMDA", "GABA"):
        return receptor
    values = circuit.receptors[receptor].values
    if "magnesium" in values:
        return "NMDA"
    return "AMPA" if values.get("E", 0.0) > EXCITING_MV else "GABA"


def generator(cell: str, rate_hz: float, *conductances: tuple[str, float]) -> dict[str, Any]:
    """Return the raw input of a binomial generator of `AFFERENTS` trains."""
    return {"targets": {cell: {
        "afferents": AFFERENTS, "process": "binomial", "rate": f"{rate_hz!r} Hz",
        "conductance": {name: f"{g!r} nS" for name, g in conductances}}}}


def driven(lab: Lab, cell: str, events_per_s: float, n: int, duration_ms: float,
           dopamine: float = 0.0, intrinsic_only: bool = False) -> tuple[Circuit, Any]:
    """Return isolated cells under both generators, ``events_per_s`` together, and their network."""
    whole = require(lab.load(), cells=(cell,))
    changes: dict[str, Any] = {}
    if intrinsic_only:
        changes = {f"cells.{cell}.dopamine.{effect_index(whole, cell, one.acts_on)}.coefficient":
                   0.0 for one in whole.cells[cell].dopamine if one.acts_on.startswith("I_")}
    g, rate = conductances(whole, cell), events_per_s / 2.0 / AFFERENTS
    alone = lab.cell(cell, dopamine, changes, inputs={
        "glutamate": generator(cell, rate, g["AMPA"], g["NMDA"]),
        "gaba": generator(cell, rate, g["GABA"])})
    return alone, bare_network(cell, n)


def ff_curve(lab: Lab, cell: str, events_per_s: list[float], dopamine: float = 0.0,
             intrinsic_only: bool = False, n: int = 20, duration_ms: float = 5000.0,
             since_ms: float = 500.0) -> dict[str, Any]:
    """Return the output rate for rates of both generators together.

    The cell starts at rest and is counted from ``since_ms`` on.
    """
    rates = []
    for number, events in enumerate(events_per_s):
        circuit, network = driven(lab, cell, events, n, duration_ms, dopamine, intrinsic_only)
        made = lab.record(circuit, network, duration_ms, seed=1 + number)
        rates.append(float(made.rates(n, since_ms).mean()))
    slope = float(np.polyfit(events_per_s, rates, 1)[0]) if len(rates) > 1 else None
    return {"rates_hz": rates, "slope": slope}


def first_spike_order(lab: Lab, events_per_s: float = 1100.4, dopamine: float = 0.8,
                      n: int = 200, duration_ms: float = 3000.0) -> dict[str, Any]:
    """Return the median time to the first spike of cells driven from rest, by dopamine.

    With 0 ``events_per_s`` both types have the drive at which dSPNs without dopamine fire at
    `OUTPUT_HZ`. ``over_none`` is the time over that of the same type without dopamine. A median
    that no spike reached within ``duration_ms`` is None.
    """
    events = events_per_s or _drive_for(lab, "dSPN")
    found: dict[str, float | None] = {}
    over: dict[str, float | None] = {"none": 1.0}
    for name, cell in (("D1", "dSPN"), ("D2", "iSPN")):
        without, there = (
            _first_ms(lab, *driven(lab, cell, events, n, duration_ms, level), duration_ms)
            for level in (0.0, dopamine))
        found |= {name: there, f"none {cell}": without}
        over[name] = there / without if there and without else None
    return {"first_ms": found | {"none": found["none dSPN"]}, "over_none": over,
            "events_per_s": events}


def _first_ms(lab: Lab, circuit: Circuit, network: Network, duration_ms: float) -> float | None:
    """Return the median time to the first spike, None where half of the cells are silent."""
    made = lab.record(circuit, network, duration_ms)
    first = np.full(network.size, np.inf)
    np.minimum.at(first, made.ids, made.times_ms)
    median = float(np.median(first))
    return median if np.isfinite(median) else None


def _drive_for(lab: Lab, cell: str) -> float:
    """Return the events per second, to 2 %, at which a cell fires at `OUTPUT_HZ`."""
    low, high = SEARCHED_PER_S
    while high > 1.02 * low:
        middle = float(np.sqrt(low * high))
        if ff_curve(lab, cell, [middle], n=50)["rates_hz"][0] < OUTPUT_HZ:
            low = middle
        else:
            high = middle
    return float(np.sqrt(low * high))


def bimodality(lab: Lab, cell: str = "dSPN", agonist_hz: float = 4.0, multiple: float = 100.0,
               background_hz: float = 4.0, dopamine: float = 0.0, block: bool = True,
               n: int = 10, duration_ms: float = 20_000.0) -> dict[str, Any]:
    """Return the peaks of the membrane potential under NMDA agonist over weak background drive.

    The agonist is a third generator whose NMDA conductance is ``multiple`` times that of a
    cortical event. ``dip`` is how deep the histogram falls between its two peaks, as a share of
    the lower one: 0 with a single peak.
    """
    g = conductances(require(lab.load(), cells=(cell,)), cell)
    changes = {} if block else {f"receptors.{g['NMDA'][0]}.magnesium": "0 mM"}
    alone = lab.cell(cell, dopamine, changes, inputs={
        "glutamate": generator(cell, background_hz, g["AMPA"], g["NMDA"]),
        "gaba": generator(cell, background_hz, g["GABA"]),
        "agonist": generator(cell, agonist_hz, (g["NMDA"][0], multiple * g["NMDA"][1]))})
    made = lab.record(alone, bare_network(cell, n), duration_ms, probed={cell: np.arange(n)})
    v = made.v_mv[made.trace_ms > 500.0]
    return two_peaks(v[v < SPIKE_MV]) | {"rate_hz": float(made.rates(n).mean())}


def two_peaks(v_mv: np.ndarray) -> dict[str, Any]:
    """Return the two peaks of a histogram of potentials [mV] and the dip between them.

    Bins of 0.5 mV, smoothed by a Gaussian of 1.5 mV; a peak is a local maximum of at least a
    twentieth of the highest, and the two highest at least 5 mV apart are taken.
    """
    counts, edges = np.histogram(v_mv, np.arange(-100.0, SPIKE_MV + 0.5, 0.5))
    kernel = np.exp(-0.5 * (np.arange(-10, 11) * 0.5 / 1.5) ** 2)
    smooth = np.convolve(counts / max(counts.sum(), 1), kernel / kernel.sum(), "same")
    middle = (edges[1:] + edges[:-1]) / 2
    inside = smooth[1:-1]
    tops = 1 + np.flatnonzero((inside > smooth[:-2]) & (inside >= smooth[2:])
                              & (inside > smooth.max() / 20))
    tops = tops[np.argsort(-smooth[tops])]
    shape = {"potentials_mv": middle.tolist(), "density": smooth.tolist()}
    for other in tops[1:]:
        low, high = sorted((int(tops[0]), int(other)))
        if middle[high] - middle[low] >= 5.0:
            dip = 1.0 - smooth[low:high].min() / min(smooth[low], smooth[high])
            return shape | {"down_mv": float(middle[low]), "up_mv": float(middle[high]),
                            "dip": float(dip)}
    top = float(middle[tops[0]]) if len(tops) else None
    return shape | {"down_mv": top, "up_mv": None, "dip": 0.0}
