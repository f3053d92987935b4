"""Cells that measure: relays that fire when told, integrators whose potential shows every input.

An integrator has next to no current of its own, so `v[n] - v[n-1] = dt/C g[n] (E - v[n-1])`, and
its potential gives back the conductance of every step, and each event that arrived. A relay fires
in the very step of each strong input and forgets it.
"""

import numpy as np
from nets import Net, edges, recorded

import neostriatum as ns
from neostriatum.network.network import Network

#: Start value of every instrument and reversal potential of what reaches it [mV].
REST, REVERSAL = -80.0, 0.0
#: The smallest k that a circuit allows [nS/mV], and v_t [mV].
K, V_T = 1e-6, -70.0
_PASSIVE = {"k": f"{K!r} nS/mV", "v_r": f"{REST} mV", "v_t": f"{V_T} mV", "a": "0.01 / ms",
            "b": "0 nS", "c": f"{REST} mV", "d": "0 pA"}


def integrator(C_pF: float = 1000.0) -> dict:
    """Return an integrator's `cells.TYPE`."""
    return {"parameters": {**_PASSIVE, "C": f"{C_pF!r} pF", "v_peak": "40 mV"}}


def relay() -> dict:
    """Return a relay's `cells.TYPE`."""
    return {"parameters": {**_PASSIVE, "C": "1 pF", "v_peak": "-60 mV"}}


#: The input of a relay: it decays within a step or two.
TRIGGER = {"trigger": {"E": f"{REVERSAL} mV", "tau": "0.02 ms"}}


def circuit(cells, receptors, folder=None, **sections):
    """Return a circuit of instruments with equal fractions."""
    share = 1.0 / len(cells)
    raw = {"name": "bench", "receptors": receptors, "volume": {"density": "1000 / mm^3"},
           "cells": {name: {"fraction": share, **said} for name, said in cells.items()}, **sections}
    return ns.load(raw, folder=folder)


def network(made, counts, contacts=None, spread=None) -> Network:
    """Return a network for a circuit of instruments, contacts placed by hand."""
    wires = {name: edges(counts[name.split("->")[0]], (contacts or {}).get(name, []))
             for name in made.pathways}
    size = sum(counts.values())
    return Network(1, counts, 100.0, False, np.full((size, 3), 50.0, np.float32), wires,
                   {}, spread or {})


def told(folder, name: str, steps, cells, dt: float) -> dict:
    """Return the input that makes relays ``cells`` fire at ``steps``."""
    events = [(int(step), cell) for step in steps for cell in cells]
    # A jump of at least 40 mV from rest, at any dt from 0.05 ms.
    return recorded(folder, name, events, {"trigger": "10 nS"}, dt)


def conductance(v_mv: np.ndarray, C_pF: float, dt: float, E: float = REVERSAL) -> np.ndarray:
    """Return the conductance [nS] that moved integrators at every step, (steps, cells)."""
    before = np.vstack([np.full((1, v_mv.shape[1]), REST), v_mv[:-1]])
    own = K * (before - REST) * (before - V_T)
    return ((v_mv - before) * C_pF / dt - own) / (E - before)


def arrivals(g_nS: np.ndarray, tau: float, dt: float) -> np.ndarray:
    """Return what was added to a conductance [nS] at every step."""
    decayed = np.vstack([np.zeros((1, g_nS.shape[1])), g_nS[:-1] * np.exp(-dt / tau)])
    return g_nS - decayed


def echo(folder, steps, contacts, stp=None, dt: float = 0.1, n_steps: int = 400) -> Net:
    """Return a net of FS relays told to fire at ``steps``, and dSPN integrators that they reach.

    ``contacts`` are (relay, integrator, delay in 0.1 ms); each spike adds 1 nS with tau 6 ms.
    """
    receptors = {**TRIGGER, "AMPA": {"E": f"{REVERSAL} mV", "tau": "6 ms"}}
    pathway = {"conductance": {"AMPA": "1 nS"}, "delay": "1 ms",
               "wiring": {"rule": "fixed_probability", "p": 1.0}}
    relays = 1 + max(contact[0] for contact in contacts)
    made = circuit(
        {"dSPN": integrator(), "FS": relay()}, receptors, folder, dt=f"{dt!r} ms",
        pathways={"FS->dSPN": pathway | ({"stp": stp} if stp else {})},
        inputs={"told": {"targets": {"FS": told(folder, "told", steps, range(relays), dt)}}})
    counts = {"dSPN": 1 + max(contact[1] for contact in contacts), "FS": relays}
    return Net("echo", made, network(made, counts, {"FS->dSPN": contacts}), n_steps)


def shown(v_mv, dt: float = 0.1) -> np.ndarray:
    """Return the arrivals [nS] at the integrators of `echo`."""
    return arrivals(conductance(v_mv, 1000.0, dt), 6.0, dt)


