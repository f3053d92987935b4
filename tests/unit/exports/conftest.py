"""A run with spikes, one without, and every export of them."""


import pytest

import neostriatum as ns
from neostriatum.recording import drawn
from neostriatum.recording.export import FORMATS


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run with enough spikes for statistics; its last bin of 10 ms is unfinished."""
    return ns.run("striatum_v1", size=200, duration="2505 ms", seed=3, figures=False,
                  changes={"warmup": "0 ms", "cells.FS.fraction": 0.2, "cells.dSPN.fraction": 0.4,
                           "cells.iSPN.fraction": 0.4},
                  record=["dSPN:3", "iSPN:3:v", "FS:3:v,u:5"],
                  out=tmp_path_factory.mktemp("export") / "run")


@pytest.fixture(scope="session")
def silent(tmp_path_factory):
    """A run without a spike and without a trace."""
    made = ns.run("striatum_v1", size=30, duration="5 ms", seed=3, figures=False,
                  engine="reference",
                  changes={"warmup": "0 ms"}, record="none",
                  out=tmp_path_factory.mktemp("silent") / "run")
    assert made.summary["spikes"] == 0
    assert made.populations["FS"] == range(30, 30)
    return made


@pytest.fixture(scope="session")
def folders(run, silent, tmp_path_factory):
    """The folder of an export: folders["nwb"], and of the silent run folders["nwb", 0]."""
    root = tmp_path_factory.mktemp("out")
    found = {}
    for to in FORMATS:
        for key, one in ((to, run), ((to, 0), silent)):
            found[key] = root / f"{to}{len(found)}"
            said = ns.export(one, to, found[key])
            assert said["network"], said["note"]
            assert said["spikes"] == len(one.spikes)
            assert said["traced"] == (0 if one is silent else 9)
    return found


@pytest.fixture(scope="session")
def network(run):
    return drawn.network_of(run)[0]
