"""Runs for other tools: what each format's own reader finds in what we wrote."""

import json
import shutil
from pathlib import Path

import h5py
import libsonata
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import neostriatum as ns
from neostriatum.analysis import count_correlation, isi_cv
from neostriatum.recording import csv, drawn, nwb, simulation_config
from neostriatum.recording import neo as nix
from neostriatum.recording.record import write_record

TYPES = ["dSPN", "iSPN", "FS"]


def of(run, name):
    """Times and local ids of the spikes of a type."""
    span = run.populations[name]
    mine = (run.spikes.ids >= span.start) & (run.spikes.ids < span.stop)
    return run.spikes.times_ms[mine], run.spikes.ids[mine] - span.start


# ---- the network of a run --------------------------------------------------------------------


def test_network_of(run, network, tmp_path):
    """A network is believed if it has the hash of the run, wherever it comes from."""
    assert network.hash() == run.summary["network_hash"]
    network.save(tmp_path / "net.h5")
    copy = shutil.copytree(run.folder, tmp_path / "run")
    for change, why in (({"network": str(tmp_path / "net.h5")}, ""),
                        ({"network": str(tmp_path / "no.h5")}, "no.h5: no such file"),
                        ({"network_seed": 4}, "a network that circuit and seed alone do not give"),
                        ({"network": str(tmp_path / "net.h5"), "network_hash": "0"},
                         "net.h5: is another network now")):
        write_record(copy, run.record | change)
        found, said = drawn.network_of(ns.Run(copy))
        assert (found is None) == bool(why)
        assert why in said
    said = ns.export(copy, "csv", tmp_path / "out")
    assert not said["network"]
    assert "another network" in said["note"]
    assert "x_um" not in pd.read_csv(tmp_path / "out" / "neurons.csv")
    for to in ("nwb", "neo", "sonata"):
        assert not ns.export(copy, to, tmp_path / to)["network"]
    config = libsonata.SimulationConfig.from_file(
        str(tmp_path / "sonata" / simulation_config.CONFIG))
    assert len(libsonata.SpikeReader(config.output.spikes_file)["FS"].get()) > 0


# ---- SONATA ----------------------------------------------------------------------------------


def test_libsonata(run, network, folders):
    config = libsonata.SimulationConfig.from_file(
        str(folders["sonata"] / simulation_config.CONFIG))
    assert (config.run.tstop, config.run.dt) == (run.duration_ms, 0.1)
    circuit = libsonata.CircuitConfig.from_file(config.network)
    assert circuit.node_populations == set(TYPES)
    assert circuit.edge_population("FS_to_dSPN").size == len(network.edges["FS->dSPN"])
    spikes = libsonata.SpikeReader(config.output.spikes_file)
    report = config.report("v")
    potentials = libsonata.ElementReportReader(report.file_name)
    assert config.list_report_names == {"v", "u"}
    slow = libsonata.ElementReportReader(config.report("u").file_name)["FS"]
    assert slow.data_units == "pA"
    assert np.allclose(slow.get().data, run.recorded("u")["FS"].values, rtol=1e-6)
    sets = libsonata.NodeSets.from_file(config.node_sets_file)
    for name in TYPES:
        times, ids = of(run, name)
        found = spikes[name].get_dict()
        assert np.array_equal(found["timestamps"], times)
        assert np.array_equal(found["node_ids"], ids)
        read, trace = potentials[name], run.traces[name]
        assert (read.time_units, read.data_units, read.sorted) == ("ms", "mV", True)
        frame = read.get()
        assert np.allclose(frame.times, trace.times_ms)
        assert np.allclose(frame.data, trace.v_mv, atol=1e-4)
        inside = (trace.times_ms > 9.99) & (trace.times_ms < 20.01)
        assert np.allclose(read.get(node_ids=[1], tstart=10, tstop=20).data[:, 0],
                           trace.v_mv[inside, 1], atol=1e-4)
        nodes = circuit.node_population(name)
        assert sets.materialize(report.cells, nodes).flatten().tolist() == [0, 1, 2]
        assert np.array_equal(nodes.get_attribute("x", nodes.select_all()),
                              network.positions[run.populations[name], 0])


def test_spikes_of_axons_are_exported(tmp_path):
    """Where a run recorded some, under the names of the virtual nodes."""
    axons = {"size": 30, "rate": "50 Hz"}
    pathway = {"conductance": {"AMPA": "0.1 nS"}, "delay": "1 ms",
               "wiring": {"rule": "fixed_indegree", "n": 5}}
    run = ns.run({"extends": "striatum_v1", "warmup": "0 ms", "axons": {"cortex": axons},
                  "pathways": {"cortex->dSPN": pathway}}, size=30, duration="20 ms",
                 engine="reference", figures=False, record=["axons.cortex:all:spikes"],
                 out=tmp_path / "run")
    ns.export(run, "sonata", tmp_path / "sonata")
    found = libsonata.SpikeReader(str(tmp_path / "sonata" / "output" / "axons.h5"))
    read = found["cortex"].get_dict()
    assert len(read["node_ids"]) == run.summary["axons"]["cortex"] > 0
    assert np.array_equal(read["timestamps"], run.axons["cortex"].times_ms)
    network = libsonata.CircuitConfig.from_file(
        str(tmp_path / "sonata" / "network" / "circuit_config.json"))
    assert network.node_population("cortex").size == 30


@pytest.mark.filterwarnings("ignore")  # BMTK leaves files open, and pandas warns it of its ways
def test_bmtk(run, folders, monkeypatch):
    from bmtk.utils.reports.compartment import CompartmentReport
    from bmtk.utils.reports.spike_trains import SpikeTrains
    from bmtk.utils.sonata.config import SonataConfig

    monkeypatch.chdir(folders["sonata"])  # where BMTK looks for relative names
    config = SonataConfig.from_json(simulation_config.CONFIG)
    assert Path(config.output["spikes_file"]) == Path("output/spikes.h5")
    assert config.reports["v"]["unit"] == "mV"
    output = folders["sonata"] / "output"
    spikes = SpikeTrains.from_sonata(str(output / "spikes.h5"))
    assert set(spikes.populations) == set(TYPES)
    for name in TYPES:
        times, ids = of(run, name)
        busy = int(np.bincount(ids).argmax())
        assert np.array_equal(spikes.get_times(busy, population=name), times[ids == busy])
        report = CompartmentReport(str(output / "v.h5"), mode="r", default_population=name)
        assert report.node_ids().tolist() == [0, 1, 2]
        assert report.units() == "mV"
        found, trace = report.data(node_id=1), run.traces[name]
        # BMTK cuts the number of steps down to a whole one, and may lose the last.
        assert len(trace.times_ms) - len(found) in (0, 1)
        assert np.allclose(found[:, 0], trace.v_mv[: len(found), 1], atol=1e-4)


@pytest.mark.parametrize("seed", [0, 3, 2**31 - 1, 2**31, 2**40, 2**53 + 1, 2**63 - 1])
def test_a_seed_is_that_seed_to_every_reader(seed, silent, tmp_path):
    """Below 2^31 it stands where libsonata reads it, which has 32 bits; else only as text."""
    from neo.io.nixio import NixIO

    folder = shutil.copytree(silent.folder, tmp_path / "run")
    record = silent.record | {"seed": seed, "summary": silent.summary | {"seed": seed}}
    write_record(folder, record)
    made = ns.Run(folder)
    ns.export(made, "sonata", tmp_path / "sonata")
    path = tmp_path / "sonata" / simulation_config.CONFIG
    said = json.loads(path.read_text("utf-8"))
    assert said["metadata"]["seed"] == str(seed)
    config = libsonata.SimulationConfig.from_file(str(path))
    assert config.run.random_seed == (seed if seed < 2**31 else simulation_config.NO_SEED)
    ns.export(made, "neo", tmp_path / "neo")
    with NixIO(str(tmp_path / "neo" / nix.FILE), "ro") as file:
        assert file.read_block().annotations["seed"] == seed
    array = made.to_xarray()
    array.to_netcdf(tmp_path / "run.nc", engine="scipy")
    with xr.open_dataset(tmp_path / "run.nc", engine="scipy") as again:
        assert int(again.attrs["seed"]) == seed


def test_silent_sonata(folders):
    config = libsonata.SimulationConfig.from_file(
        str(folders["sonata", 0] / simulation_config.CONFIG))
    assert config.list_report_names == set()
    spikes = libsonata.SpikeReader(config.output.spikes_file)
    assert [len(spikes[name].get()) for name in spikes.get_population_names()] == [0, 0, 0]


# ---- NWB -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["nwb", ("nwb", 0)])
def test_nwb_is_valid(key, folders):
    import pynwb
    from nwbinspector import Importance, inspect_nwbfile

    path = folders[key] / nwb.FILE
    assert pynwb.validate(path=path) == []
    found = list(inspect_nwbfile(nwbfile_path=path))
    assert not [one for one in found if one.importance == Importance.CRITICAL]
    # Checks of the inspector that fail by themselves on a column without a single spike.
    failed = [one for one in found if one.importance == Importance.ERROR]
    assert not failed or key == ("nwb", 0), failed
    # What a simulation cannot answer, a module that says what it is, and keywords, which Neo
    # cannot read; nothing else.
    assert {one.check_function_name for one in found if one not in failed} <= {
        "check_experimenter_exists", "check_institution", "check_subject_species_exists",
        "check_processing_module_name", "check_keywords"}


def test_dandi_misses_the_species_alone(folders, tmp_path):
    """What docs/export.md says of the DANDI archive, and its remedy."""
    from nwbinspector import Importance, inspect_nwbfile, load_config

    path = shutil.copy(folders["nwb"] / nwb.FILE, tmp_path)

    def critical():
        return [one.check_function_name
                for one in inspect_nwbfile(nwbfile_path=path, config=load_config("dandi"))
                if one.importance == Importance.CRITICAL]

    assert critical() == ["check_subject_species_exists"]
    with h5py.File(path, "a") as file:
        file["general/subject/species"] = "Mus musculus"
    assert critical() == []


def test_nwb(run, network, folders):
    import pynwb

    with h5py.File(folders["nwb"] / nwb.FILE) as file:
        assert file["units/spike_times"].shape == (len(run.spikes),)
        assert file["units/spike_times_index"].shape == (200,)
    with pynwb.NWBHDF5IO(folders["nwb"] / nwb.FILE, "r") as io:
        file = io.read()
        assert file.session_start_time.isoformat() == run.record["started"]
        assert "Not a recording from an animal" in file.experiment_description
        assert (file.lab, file.institution, file.experimenter) == (None, None, None)
        assert "no animal" in file.subject.description
        assert (file.subject.species, file.subject.weight) == (None, None)
        assert not file.devices
        assert not file.electrodes
        assert json.loads(file.scratch["circuit"].data) == run.record["circuit"]
        assert json.loads(file.scratch["run"].data)["spike_hash"] == run.summary["spike_hash"]
        assert "doi:10.1371/journal.pcbi.1001011" in file.related_publications[:]
        units = file.units
        assert units.resolution == pytest.approx(1e-4)
        assert units["cell_type"][:].tolist() == ["dSPN"] * 80 + ["iSPN"] * 80 + ["FS"] * 40
        assert np.array_equal(units["z"][:], network.positions[:, 2])
        for number in (0, 85, 170, 199):
            wanted = run.spikes.times_ms[run.spikes.ids == number] / 1000
            assert np.array_equal(units.get_unit_spike_times(number), wanted)
            assert units.get_unit_obs_intervals(number).tolist() == [[0, 2.505]]
        module = file.processing["simulation"]
        rates = module["population_rate_FS"]
        assert rates.data[:].any()
        assert np.array_equal(rates.data[:], run.population_rates()[1]["FS"])
        assert (rates.rate, rates.unit, rates.starting_time) == (100, "Hz", 0)
        series, trace = module["membrane_potential_iSPN"], run.traces["iSPN"]
        assert series.unit == "volts"
        assert np.allclose(series.data[:] * series.conversion, trace.v_mv / 1000, atol=1e-7)
        assert series.starting_time == pytest.approx(1e-4)
        assert series.rate == pytest.approx(10_000)
        slow, wanted = module["u_FS"], run.recorded("u")["FS"]
        assert (slow.unit, slow.rate) == ("amperes", 2000)
        assert np.allclose(slow.data[:] * slow.conversion, wanted.values * 1e-12, rtol=1e-6)
        cells = module["traced_cells"]
        mine = cells["series"][:] == "membrane_potential_iSPN"
        assert cells["unit"].data[:][mine].tolist() == trace.ids.tolist()


def test_neo_opens_nwb(run, folders):
    """Neo's own reader of NWB, which refuses what it does not know."""
    from neo.io import NWBIO

    file = NWBIO(str(folders["nwb"] / nwb.FILE), "r")
    (block,) = file.read_all_blocks()
    (segment,) = block.segments
    assert len(segment.spiketrains) == 200
    assert sum(map(len, segment.spiketrains)) == len(run.spikes)
    wanted = run.spikes.times_ms[run.spikes.ids == 170]
    assert np.allclose(segment.spiketrains[170].rescale("ms").magnitude, wanted)


def test_nwb_without_a_start(run, tmp_path):
    """A start is not made up."""
    copy = shutil.copytree(run.folder, tmp_path / "run")
    for said in (None, "yesterday", "2026-01-01T12:00:00"):
        write_record(copy, run.record | {"started": said})
        with pytest.raises(ns.NeostriatumError, match="started must be a time with its zone"):
            ns.export(copy, "nwb", tmp_path / "out")
        assert not (tmp_path / "out").exists()


# ---- Neo -------------------------------------------------------------------------------------


def nix_block(folder):
    from neo.io.nixio import NixIO

    with NixIO(str(folder / nix.FILE), "ro") as file:
        return file.read_block()


def test_nix(run, network, folders):
    made = nix_block(folders["neo"])
    assert json.loads(made.annotations["circuit"]) == run.record["circuit"]
    assert made.annotations["spike_hash"] == run.summary["spike_hash"]
    (segment,) = made.segments
    for name, train in zip(TYPES, segment.spiketrains, strict=True):
        times, ids = of(run, name)
        assert train.name == train.annotations["cell_type"] == name
        assert np.array_equal(train.rescale("ms").magnitude, times)
        assert np.array_equal(train.array_annotations["node_id"], ids)
        assert train.t_stop.rescale("ms") == run.duration_ms
        assert train.annotations["neurons"] == len(run.populations[name])
        assert np.array_equal(train.annotations["y_um"],
                              network.positions[run.populations[name], 1].astype(float))
    *potentials, rates = segment.analogsignals
    assert np.array_equal(rates.rescale("Hz").magnitude.T, list(run.population_rates()[1].values()))
    assert rates.array_annotations["cell_type"].tolist() == TYPES
    assert {one.name for one in potentials} == {"v dSPN", "v iSPN", "v FS", "u FS"}
    for signal in potentials:
        variable = signal.annotations["variable"]
        trace = run.recorded(variable)[signal.annotations["cell_type"]]
        assert signal.dimensionality.string == {"v": "mV", "u": "pA"}[variable]
        assert np.array_equal(signal.magnitude, trace.values)
        assert np.allclose(signal.times.rescale("ms").magnitude, trace.times_ms)
        assert np.array_equal(signal.array_annotations["id"], trace.ids)


def test_silent_nix(folders):
    segment = nix_block(folders["neo", 0]).segments[0]
    assert [len(train) for train in segment.spiketrains] == [0, 0, 0]
    assert [signal.shape for signal in segment.analogsignals] == [(1, 3)]


def test_to_neo(run, silent):
    (segment,) = run.to_neo().segments
    assert len(segment.spiketrains) == 200
    train = segment.spiketrains[170]
    assert train.annotations == {"cell_type": "FS", "node_id": 10, "id": 170}
    assert np.array_equal(train.magnitude, run.spikes.times_ms[run.spikes.ids == 170])
    assert len(segment.filter(cell_type="FS", objects="SpikeTrain")) == 40
    assert [len(one) for one in silent.to_neo().segments[0].spiketrains] == [0] * 30


@pytest.mark.filterwarnings("ignore::quantities.QuantitiesDeprecationWarning")
def test_elephant(run, folders):
    """Elephant computes from the NIX file the same irregularity and correlation as we do."""
    import neo
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient
    from elephant.statistics import cv, isi

    flat = nix_block(folders["neo"]).segments[0].spiketrains[2]
    trains = neo.spiketrainlist.SpikeTrainList.from_spike_time_array(
        flat.magnitude, flat.array_annotations["node_id"], range(flat.annotations["neurons"]),
        t_stop=flat.t_stop, units=flat.units)
    times, ids = of(run, "FS")
    neurons, cvs = isi_cv(times, ids)
    assert len(neurons) > 20
    theirs = [cv(isi(trains[int(neuron)])) for neuron in neurons]
    assert np.abs(cvs - theirs).max() < 1e-9
    # Our bins hold the spikes of whole steps, (0, 10] ms, Elephant's are [0, 10) ms: half a step
    # off the times, and they hold the same spikes, up to the end of the run.
    for stop in (run.duration_ms, 2500.0):
        until = times <= stop
        trains = neo.spiketrainlist.SpikeTrainList.from_spike_time_array(
            times[until] - run.dt_ms / 2, ids[until], range(40), t_stop=stop, units="ms")
        last = 10 * pq.ms * (stop // 10)
        binned = BinnedSpikeTrain(list(trains), bin_size=10 * pq.ms, t_start=0 * pq.ms, t_stop=last)
        matrix = correlation_coefficient(binned)
        pairs = matrix[np.triu_indices(len(matrix), 1)]
        pairs = pairs[np.isfinite(pairs)]
        ours = count_correlation(times[until], ids[until], 40, stop, 10)
        assert ours.pairs == len(pairs) > 100
        assert ours.mean == pytest.approx(pairs.mean(), abs=1e-9)
        assert ours.sd == pytest.approx(pairs.std(ddof=1), abs=1e-9)


# ---- tables and arrays -----------------------------------------------------------------------


def test_csv(run, network, folders):
    spikes = pd.read_csv(folders["csv"] / "spikes.csv")
    wanted = run.to_pandas()[["time_ms", "type", "node_id", "id"]]
    assert list(spikes) == list(wanted)
    assert np.allclose(spikes.time_ms, wanted.time_ms, rtol=1e-12)
    assert spikes.type.tolist() == wanted.type.tolist()
    assert np.array_equal(spikes[["node_id", "id"]], wanted[["node_id", "id"]])
    traces = pd.read_csv(folders["csv"] / "traces.csv")
    assert list(traces) == ["time_ms", "type", "node_id", "id", "v_mv"]
    for name in ("spikes.csv", "traces.csv"):
        rows = (folders["csv"] / name).read_text().splitlines()[1:]
        assert max(len(row.split(",")[0]) for row in rows) <= len("2504.9")
    mine = traces[(traces.type == "FS") & (traces.node_id == 2)]
    assert np.allclose(mine.v_mv, run.traces["FS"].v_mv[:, 2], rtol=1e-8)
    slow = pd.read_csv(folders["csv"] / "traces-u.csv")
    assert list(slow) == ["time_ms", "type", "node_id", "id", "u_pa"]
    assert len(slow) == 3 * 5010
    rates = pd.read_csv(folders["csv"] / "rates.csv")
    assert list(rates) == ["time_ms", "dSPN_hz", "iSPN_hz", "FS_hz"]
    assert np.allclose(rates.iloc[:, 1:].T, list(run.population_rates()[1].values()))
    neurons = pd.read_csv(folders["csv"] / "neurons.csv")
    assert list(neurons) == ["type", "node_id", "id", "rate_hz", "x_um", "y_um", "z_um"]
    assert np.allclose(neurons.rate_hz, np.concatenate(list(run.rates().values())))
    assert np.allclose(neurons[["x_um", "y_um", "z_um"]], network.positions, rtol=1e-5)
    assert neurons.type.tolist() == ["dSPN"] * 80 + ["iSPN"] * 80 + ["FS"] * 40


def test_csv_in_blocks(run, folders, tmp_path, monkeypatch):
    monkeypatch.setattr(csv, "_BLOCK", 97)
    ns.export(run, "csv", tmp_path / "out")
    for name in ("spikes.csv", "traces.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (folders["csv"] / name).read_bytes()


def test_silent_csv(folders):
    assert not (folders["csv", 0] / "traces.csv").exists()
    for name, rows in (("spikes.csv", 0), ("rates.csv", 1), ("neurons.csv", 30)):
        assert len(pd.read_csv(folders["csv", 0] / name)) == rows


def test_to_xarray(run, silent):
    made = run.to_xarray()
    assert made.rate.sel(neuron=170) == pytest.approx(run.rates()["FS"][10])
    assert made.neuron_type.sel(neuron=170) == "FS"
    assert np.array_equal(made.population_rate.sel(cell_type="FS"), run.population_rates()[1]["FS"])
    v = made.v.sel(probe=161)
    assert np.array_equal(v.dropna("time"), run.traces["FS"].v_mv[:, 1])
    assert np.allclose(v.dropna("time").time, run.traces["FS"].times_ms)
    assert made.sizes["time"] == 25050
    assert not made.v.sel(probe=1).isnull().any()
    assert (made.u.attrs["units"], made.u.sel(probe=160).dropna("time").size) == ("pA", 5010)
    assert (v.attrs["units"], str(v.probe_type.values)) == ("mV", "FS")
    assert made.v.sel(time=50.0, method="nearest").notnull().sum() == 9
    assert made.attrs["spike_hash"] == run.summary["spike_hash"]
    assert "v" not in silent.to_xarray()
