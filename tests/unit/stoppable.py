"""A small circuit in which every type fires within milliseconds, and runs that stop when told."""

from unittest import mock

import neostriatum as ns


class Stop(Exception):
    """Ends a run between two windows, as a crash would."""


def circuit(**sections):
    """Return the default circuit, busy: more FS, currents, dense and slow wires, short warm-up."""
    raw = ns.load("striatum_v1").to_dict()
    for name, share in (("dSPN", 0.4), ("iSPN", 0.4), ("FS", 0.2)):
        raw["cells"][name]["fraction"] = share
    raw["inputs"]["electrode"] = {"targets": {"FS": {"current": "1 nA"},
                                              "dSPN": {"current": "700 pA"},
                                              "iSPN": {"current": "700 pA"}}}
    for pathway in raw["pathways"].values():
        pathway |= {"wiring": {"rule": "fixed_probability", "p": 0.3}, "delay": {"offset": "4 ms"}}
    return ns.load({**raw, "warmup": "3 ms", **sections})


def run(made, network, out, stop=None, **options):
    """Run, saving after every window; end after this share of the recorded steps."""
    settings = {"engine": "reference", "figures": False, "checkpoint_every": "0 s",
                "duration": "40 ms", "threads": 1, **options}

    def tell(phase, share):
        if stop is not None and phase == "simulate" and share >= stop:
            raise Stop

    with mock.patch("neostriatum.runs.loop.WINDOW_MS", 2.0):
        return ns.run(made, network=network, out=out, progress=tell, **settings)
