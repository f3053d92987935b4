"""A circuit of five populations on the engines of others: every number is in every output."""

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main

FILE = Path(__file__).parents[1] / "data" / "good_five.toml"
COUNTS = {"dSPN": 30, "iSPN": 30, "FS": 10, "GP": 20, "Ast": 10}
TYPES = list(COUNTS)
#: NEST records potentials alone.
RECORDED = {"nest": ["GP:10:v", "Ast:[0,3]:v", "dSPN:2:v"]}
ALL = ["GP:10:v", "Ast:[0,3]:v,u,g_GABA_slow", "dSPN:2:v"]


@pytest.fixture(params=["nest", pytest.param("brian2", marks=[pytest.mark.slow,
                                                              pytest.mark.compiled])])
def name(request):
    """An engine whose library is there; brian2-runtime takes minutes (see test_populations)."""
    request.getfixturevalue("reference").__class__(request.param)()
    return request.param


def test_every_type_is_in_every_output(name, tmp_path, capsys):
    code = main(["run", str(FILE), "--size", "100", "--duration", "40 ms", "--engine", name,
                 "--threads", "2", *(word for one in RECORDED.get(name, ALL)
                                     for word in ("--record", one)),
                 "--out", str(tmp_path / "run"), "--json"])
    summary = json.loads(capsys.readouterr().out)
    assert code == 0
    run = ns.Run(tmp_path / "run")
    assert (run.record["engine"], run.record["counts"]) == (name, COUNTS)
    check_rates(run, summary)
    check_recorded(run, name)
    check_tables(run, tmp_path)
    again = ns.run(FILE, size=100, duration="40 ms", engine="reference", figures=False,
                   record="none", out=tmp_path / "reference")
    assert again.summary["network_hash"] == run.summary["network_hash"]
    for kind, rate in again.summary["rates_hz"].items():
        assert rate / 2 < summary["rates_hz"][kind] < rate * 2


def check_rates(run, summary):
    """Assert that rates are those of the spikes, in file and summary."""
    assert list(summary["rates_hz"]) == list(run.summary["rates_hz"]) == TYPES
    assert run.summary["rates_hz"] == summary["rates_hz"]
    ids = run.spikes.ids
    with h5py.File(run.folder / "spikes.h5") as file:
        assert set(file["spikes"]) == set(TYPES)
        held = {kind: len(file[f"spikes/{kind}/node_ids"]) for kind in TYPES}
    for kind, count in COUNTS.items():
        cells = run.populations[kind]
        fired = int(((ids >= cells.start) & (ids < cells.stop)).sum())
        assert held[kind] == fired > 0
        assert summary["rates_hz"][kind] == pytest.approx(fired / count / 0.04, abs=1e-6)
        assert run.rates()[kind].mean() == pytest.approx(summary["rates_hz"][kind], abs=1e-5)
    assert sum(held.values()) == summary["spikes"]


def check_recorded(run, name):
    """Assert that potentials, and where an engine records them other variables, are there."""
    found = {kind: trace.values for kind, trace in run.traces.items()}
    assert {kind: values.shape for kind, values in found.items()} == {
        "GP": (400, 10), "Ast": (400, 2), "dSPN": (400, 2)}
    assert all(np.isfinite(values).all() and np.ptp(values) > 1 for values in found.values())
    assert run.variables == (["v"] if name == "nest" else ["v", "u", "g_GABA_slow"])
    if name != "nest":
        assert run.recorded("g_GABA_slow")["Ast"].values.max() > 0
        assert np.ptp(run.recorded("u")["Ast"].values) > 0


def check_tables(run, folder):
    """Assert that report, figures and tables know every type."""
    page = Path(ns.report(run)["out"]).read_text("utf-8")
    for kind in TYPES:
        assert f'<span class="swatch type-{kind}"></span>{kind}' in page
    assert (run.folder / "figures" / "raster.png").stat().st_size > 0
    assert list(run.population_rates()[1]) == TYPES
    assert run.to_pandas()["type"].value_counts().to_dict() == {
        kind: round(rate * COUNTS[kind] * 0.04) for kind, rate in run.summary["rates_hz"].items()}
    ns.export(run, "csv", folder / "csv")
    with (folder / "csv" / "rates.csv").open(encoding="utf-8") as file:
        assert next(csv.reader(file)) == ["time_ms", *(f"{kind}_hz" for kind in TYPES)]
    with (folder / "csv" / "neurons.csv").open(encoding="utf-8") as file:
        kinds = [row["type"] for row in csv.DictReader(file)]
    assert {kind: kinds.count(kind) for kind in TYPES} == COUNTS
    ns.export(run, "sonata", folder / "sonata")
    with h5py.File(folder / "sonata" / "output" / "spikes.h5") as file:
        assert set(file["spikes"]) == set(TYPES)
