"""A concentration is a level in nM: its unit in every export, and a window without samples."""

import h5py
import numpy as np
import pynwb
import pytest

import neostriatum as ns
from neostriatum.errors import CircuitError

RECORD = ["modulators.DA:level:5", "modulators.D1:level:5", "pathways.FS->dSPN:1:x:5"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return ns.run("striatum", overlay="ejdrup_dorsal", size=100, duration="10 ms", figures=False,
                  changes={"warmup": "0 ms"}, record=RECORD,
                  out=tmp_path_factory.mktemp("run") / "run")


def test_it_has_its_unit(run):
    assert run.unit("level", "modulators.DA") == "nM"
    assert run.unit("level", "modulators.D1") == "1"
    with h5py.File(run.folder / "traces-level.h5") as file:
        assert file["report/modulators.DA/data"].attrs["units"] == "nM"


def test_tables_have_one_unit_each(run, tmp_path):
    ns.export(run, "csv", tmp_path / "csv")
    heads = {name: (tmp_path / "csv" / name).read_text().splitlines()[0].rsplit(",", 1)[1]
             for name in ("levels.csv", "concentrations.csv")}
    assert heads == {"levels.csv": "level_1", "concentrations.csv": "level_nM"}
    data = run.to_xarray()
    assert data.modulator_level.modulator.values.tolist() == ["D1"]
    assert data.transmitter_level.attrs["units"] == "nM"
    np.testing.assert_array_equal(data.transmitter_level.sel(transmitter="DA").dropna("time"),
                                  run.recorded("level")["modulators.DA"].values[:, 0])


def test_the_formats_of_laboratories_spell_it(run, tmp_path):
    ns.export(run, "nwb", tmp_path / "nwb")
    with pynwb.NWBHDF5IO(tmp_path / "nwb" / "run.nwb", "r") as io:
        series = io.read().processing["simulation"]["level_modulators.DA"]
        assert (series.unit, series.conversion) == ("molar", 1e-9)
        assert series.description == "level of modulators.DA, stored in nM, one column"
    signals = run.to_neo().segments[0].analogsignals
    [signal] = [one for one in signals if one.name == "level modulators.DA"]
    assert signal.units.dimensionality.string == "umol/m**3"


@pytest.mark.parametrize("variable", ["level", "x"])
def test_a_window_between_samples_says_so(run, variable):
    _, axes = ns.plot.recorded(run, variable, start_ms=5.1, stop_ms=5.3)
    for name, panels in axes.items():
        assert f"no {name} {variable} was recorded in this window" in {
            text.get_text() for panel in panels for text in panel.texts}


@pytest.mark.parametrize(("entry", "form"), [
    ("modulators.ACh:5:level:1", 'must be modulators.NAME:level:EVERY, "modulators.ACh:level:10"'),
    ("pathways.FS->dSPN", "must be pathways.NAME:SOURCES:STATES:EVERY"),
    ("dSPN", "must be TYPE:CELLS:VARIABLES:EVERY"),
    ("XX:1:v", "modulators.M4, pathways.NAME (got XX)")])
def test_a_wrong_entry_names_its_form(entry, form, tmp_path):
    with pytest.raises(CircuitError) as error:
        ns.run("striatum", record=[entry], size=60, duration="1 ms", out=tmp_path / "run")
    assert form in str(error.value)
