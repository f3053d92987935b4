"""What public functions return is copied, pickled, and handed to other processes."""

# ruff: noqa: S301 - the pickles are this test's own

import copy
import importlib
import pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import neostriatum as ns
from neostriatum import analysis
from neostriatum.circuit.catalogue import presets
from neostriatum.circuit.value import Frozen
from neostriatum.errors import NeostriatumError
from neostriatum.models.adex import ADEX
from neostriatum.network.estimate import estimate

GOOD = Path(__file__).parents[1] / "data" / "good_small.toml"
PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)
SMALL = {"size": 60, "engine": "reference"}
QUICK = SMALL | {"figures": False}
#: Nothing, or not ours: objects of Brian2, a widget; Matplotlib's axes, which come with a figure.
FOREIGN = {"to_brian2", "plot", "set_progress", "live"}


def plain(thing):
    """Return what can be compared of anything: numbers, texts and where they stand."""
    if isinstance(thing, ns.Network):
        return thing.hash(), plain(thing.circuit)
    if isinstance(thing, ns.Run):
        return str(thing.folder), thing.record, plain(thing.circuit), plain(thing.spikes)
    if isinstance(thing, ns.Circuit):
        spikes = [target.spikes for entry in thing.inputs.values()
                  for target in entry.targets.values() if target.spikes is not None]
        return thing.to_dict(), thing._folder, plain([one.events for one in spikes])
    if isinstance(thing, pd.DataFrame):
        return thing.to_dict()
    if isinstance(thing, Figure):
        return [one.get_xlabel() for one in thing.axes]
    if isinstance(thing, np.ndarray):
        return thing.dtype.str, thing.shape, thing.tobytes()
    if isinstance(thing, dict):
        return {key: plain(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [plain(value) for value in thing]
    return plain(vars(thing)) if hasattr(thing, "__dict__") else repr(thing)


def unchanged(things):
    """Say what of the things that arrived here is other than what was sent."""
    return {name: plain(thing) for name, thing in things.items()}


@pytest.fixture(scope="module")
def returned(tmp_path_factory):
    """Return what every public function gives back, by its name."""
    folder = tmp_path_factory.mktemp("returned")
    (folder / "spikes.csv").write_text("time_ms,id\n0,3\n1.5,1\n")
    (folder / "net.toml").write_text(
        GOOD.read_text("utf-8") + '\n[inputs.recorded.targets.FS]\nspikes = { file = "spikes.csv" }'
        '\nconductance = { AMPA = "50 nS" }\n')
    things = {"load": ns.load(folder / "net.toml"), "register": ns.register(ADEX)}
    circuit = things["load"]
    things["build"] = network = ns.build(circuit, size=60)
    network.save(folder / "net.h5")
    things["load_network"] = ns.load_network(folder / "net.h5", circuit)
    things["estimate"] = estimate(circuit, 60)
    things["construct"] = ns.construct(GOOD, size=60, out=folder / "built.h5")
    things["anatomy"] = ns.anatomy(network)
    things["pair_recordings"] = ns.pair_recordings(network, "FS->dSPN", pairs=10)
    things["run"] = run = ns.run(circuit, duration="20 ms", out=folder / "run", **QUICK)
    assert things["run"].circuit == circuit
    things["rerun"] = ns.rerun(run, out=folder / "again")
    short = ns.run(circuit, duration="10 ms", out=folder / "short", **QUICK)
    things["resume"] = ns.resume(short, duration="30 ms")
    things["cell"] = ns.cell("dSPN", current="300 pA", duration="20 ms")
    things["pair"] = ns.pair("FS", "dSPN")
    things["protocol"] = ns.protocol("dSPN", "rin", duration="50 ms")
    things["sweep"] = ns.sweep(circuit=GOOD, duration="2 ms", vary={"dopamine": [0.0, 0.5]},
                               jobs=1, out=folder / "sweep", **SMALL)
    things["validate"] = ns.validate(only=("spn-rheobase",), workers=0)
    things["export"] = ns.export(run, "csv", folder / "csv")
    things["draw"] = ns.draw(run, ["raster"], out=folder / "figures")
    things["report"] = ns.report(run, pictures={})
    things["show"] = ns.show(run, folder / "show.html")
    things["learn"] = ns.learn("bandit", trials=1, size=100, figures=False, out=folder / "learnt",
                               changes={"warmup": "0 ms"})
    things["figure"] = ns.plot.raster(run)[0]
    things |= {"to_pandas": run.to_pandas(), "to_xarray": run.to_xarray()}
    spikes = (run.spikes.times_ms, run.spikes.ids)
    things["correlation"] = analysis.count_correlation(*spikes, 60, 20.0, 5.0)
    things["states"] = analysis.up_down_states(*(run.traces["dSPN"].times_ms[::10],
                                                 run.traces["dSPN"].values[::10, 0]))
    return things


def test_nothing_is_forgotten(returned):
    functions = {name for name in ns.__all__ if name[:1].islower()} - FOREIGN
    assert functions <= set(returned)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_everything_returned_is_pickled(returned, protocol):
    for name, thing in returned.items():
        again = pickle.loads(pickle.dumps(thing, protocol))
        assert type(again) is type(thing)
        assert plain(again) == plain(thing), name


def test_everything_returned_is_copied(returned):
    for name, thing in returned.items():
        if name != "figure":  # Matplotlib's own affair
            assert plain(copy.copy(thing)) == plain(thing), name
            assert plain(copy.deepcopy(thing)) == plain(thing), name


def test_everything_returned_reaches_another_process(returned):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(unchanged, returned).result(200) == unchanged(returned)


@pytest.mark.parametrize("name", presets())
def test_a_circuit_is_equal_and_has_the_same_hash(name):
    circuit = ns.load(name)
    for again in (pickle.loads(pickle.dumps(circuit)), copy.deepcopy(circuit), ns.load(name)):
        assert again == circuit
        assert hash(again) == hash(circuit)
    other = circuit.replace({"dopamine.d1": 0.77})
    assert other != circuit
    assert len({circuit, other, ns.load(name)}) == 2
    # Their in-degrees need so many.
    size = {"lindahl2016": 8200, "basal_ganglia": 14_000}.get(name, 50)
    drawn = ns.build(pickle.loads(pickle.dumps(circuit)), size)
    assert drawn.hash() == ns.build(circuit, size).hash()


def test_equal_circuits_have_equal_hashes_whatever_the_zero():
    circuit = ns.load("striatum_v1")
    one, other = (circuit.replace({"dopamine.d1": zero}) for zero in (0.0, -0.0))
    assert one == other
    assert hash(one) == hash(other)


def test_every_class_and_error_is_found_by_its_name():
    for module in pkgutil.walk_packages(ns.__path__, "neostriatum."):
        if "nest_engine" not in module.name and "__main__" not in module.name:
            importlib.import_module(module.name)
    todo, kinds = [Frozen, NeostriatumError], set()
    while todo:
        kinds.add(kind := todo.pop())
        todo.extend(kind.__subclasses__())
    assert len(kinds) > 40
    for kind in kinds:
        assert pickle.loads(pickle.dumps(kind)) is kind
        if issubclass(kind, Exception):
            again = pickle.loads(pickle.dumps(kind("where: rule (got 1)")))
            assert (type(again), str(again)) == (kind, "where: rule (got 1)")
