"""A circuit of five populations, two of a user's own, in every command, figure and file."""

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

import neostriatum as ns
from neostriatum.circuit.aliases import KNOWN, reported
from neostriatum.circuit.cautions import warnings_of
from neostriatum.circuit.pools import pools_of
from neostriatum.cli import main
from neostriatum.plotting import palette
from neostriatum.plotting.gallery import figures_of
from neostriatum.recording import drawn

FILE = Path(__file__).parents[1] / "data" / "good_five.toml"
TYPES = ["dSPN", "iSPN", "FS", "GP", "Ast"]
COUNTS = {"dSPN": 30, "iSPN": 30, "FS": 10, "GP": 20, "Ast": 10}
QUICK = {"size": 100, "duration": "40 ms", "figures": False}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return ns.run(FILE, out=tmp_path_factory.mktemp("five") / "run", threads=2,
                  record=["GP:10:v", "Ast:[0,3]:v,u,g_GABA_slow", "dSPN:2:v"], **QUICK)


@pytest.fixture(scope="module")
def network(run):
    return drawn.network_of(run)[0]


def said(capsys, *words):
    """The JSON that a command prints."""
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def printed(capsys, *words):
    """What a command prints for a person."""
    assert main(list(words)) == 0
    return capsys.readouterr().out


class TestNames:
    def test_known_types_first_then_the_order_of_the_file(self):
        circuit = ns.load(FILE)
        assert list(circuit.types) == TYPES
        assert ns.load(circuit.to_dict()) == circuit

    def test_all_known_types_keep_their_order(self):
        raw = ns.load(FILE).to_dict()
        cell = raw["cells"]["dSPN"] | {"fraction": 0.2}
        cells = dict.fromkeys(("ChIN", "LTS", "FSI", "SP2", "D1"), cell)
        bare = {key: raw[key] for key in ("name", "receptors", "volume")}
        assert ns.load(bare | {"cells": cells}).types == KNOWN

    @pytest.mark.parametrize("name", ["GPe_TI", "Purkinje", "s", "SPN2", "LTS"])
    def test_any_name_is_a_type(self, name, tmp_path):
        raw = ns.load(FILE).to_dict()
        raw = {"name": "one", "volume": raw["volume"],
               "cells": {name: raw["cells"]["GP"] | {"fraction": 1.0, "dopamine": []}},
               "inputs": {"electrode": {"targets": {name: {"current": "200 pA"}}}}}
        made = ns.run(raw, size=3, duration="20 ms", engine="reference", figures=False,
                      out=tmp_path / "run")
        assert made.summary["rates_hz"][name] > 0
        assert list(made.summary["rates_hz"]) == [name]

    def test_changes_and_overlays_reach_a_new_type(self, tmp_path):
        (tmp_path / "o.toml").write_text('name = "o"\n[parts.more]\n'
                                         'cells.GP.parameters.C = "70 pF"\n')
        circuit = ns.load(FILE, overlay=str(tmp_path / "o.toml"),
                          changes={"pathways.GP->Ast.conductance.GABA_slow": "2 nS"})
        assert circuit.cells["GP"].parameters.C.value == 70
        assert circuit.pathways["GP->Ast"].conductance["GABA_slow"].value == 2

    def test_warnings_go_by_the_cell_and_not_by_its_name(self):
        raw = ns.load(FILE).replace({"noise": {"GP": "1 mV", "iSPN": "1 mV"}})
        noisy = [text for text in warnings_of(raw) if text.startswith("noise")]
        assert noisy == ["noise on iSPN depends on dt: the cell's time constant at rest is 0.3 ms"]

    def test_a_circuit_of_the_first_three_reports_all_of_them(self):
        assert reported(["FS", "dSPN"]) == ["dSPN", "iSPN", "FS"]
        assert reported(["FS", "LTS"]) == ["FS", "LTS"]


class TestPools:
    def test_without_a_section(self):
        assert ns.load("striatum_v1").pools is None
        assert "pools" not in ns.load("striatum_v1").to_dict()
        assert pools_of(["dSPN", "iSPN", "FS"]) == {"SPN": ("dSPN", "iSPN"), "FS": ("FS",)}
        assert pools_of(["dSPN", "FS"]) == {"dSPN": ("dSPN",), "FS": ("FS",)}

    def test_with_a_section(self):
        circuit = ns.load(FILE)
        assert pools_of(circuit.types, circuit.pools) == {
            "SPN": ("dSPN", "iSPN"), "INT": ("FS", "Ast"), "GP": ("GP",)}
        assert ns.load(FILE, changes={"pools": {}}).pools == {}

    def test_aliases_are_types(self):
        assert ns.load(FILE, changes={"pools": {"A": ["D1", "FSI"]}}).pools == {"A": ("dSPN", "FS")}

    def test_figures_share_a_scale_within_a_pool(self, run):
        from neostriatum.plotting import psth, raster

        for axes, label in ((psth(run)[1], "{}"), (raster(run)[1], "{} rate")):
            tops = {name: axes[label.format(name)].get_ylim()[1] for name in TYPES}
            assert tops["dSPN"] == tops["iSPN"] != tops["FS"]
            assert tops["FS"] == tops["Ast"]


class TestRun:
    def test_summary(self, run):
        assert run.record["counts"] == COUNTS
        assert list(run.summary["rates_hz"]) == TYPES
        rates = run.rates()
        for name, rate in run.summary["rates_hz"].items():
            assert rate == pytest.approx(rates[name].mean(), abs=1e-5)
            assert rate > 0

    @pytest.mark.usefixtures("one_figure")
    def test_lines(self, capsys, tmp_path):
        out = printed(capsys, "run", str(FILE), "--size", "100", "--duration", "20 ms",
                      "--engine", "reference", "--out", str(tmp_path / "run"))
        for name, count in COUNTS.items():
            assert f"  {name:<5} {count:>9} neurons" in out

    def test_recorded(self, run):
        assert {name: len(trace.ids) for name, trace in run.traces.items()} == {
            "GP": 10, "Ast": 2, "dSPN": 2}
        assert run.variables == ["v", "u", "g_GABA_slow"]
        start = run.populations["Ast"].start
        assert run.recorded("g_GABA_slow")["Ast"].ids.tolist() == [start, start + 3]
        assert run.recorded("g_GABA_slow")["Ast"].values.max() > 0

    def test_record_refuses_another_type(self):
        with pytest.raises(ns.NeostriatumError, match=r"must be one of dSPN, .*Ast, .*\(got STN"):
            ns.run(FILE, record="STN:1:v", out="never", **QUICK)
        assert not Path("never").exists()

    def test_resume_and_rerun(self, run, tmp_path, capsys):
        longer = ns.run(FILE, out=tmp_path / "a", record="none",
                        **QUICK | {"duration": "20 ms"})
        longer = ns.resume(longer.folder, duration="40 ms")
        assert longer.summary["spike_hash"] == run.summary["spike_hash"]
        again = said(capsys, "rerun", str(run.folder), "--out", str(tmp_path / "b"))
        assert again["equal"]
        assert list(again["rates_hz"]) == TYPES

    def test_analysis(self, run):
        table = run.to_pandas()
        assert list(table["type"].cat.categories) == TYPES
        _, rates = run.population_rates()
        assert list(rates) == TYPES
        assert table["type"].value_counts()["GP"] == round(run.rates()["GP"].sum() * 0.04)

    def test_network_file(self, run, network, tmp_path):
        network.save(tmp_path / "net.h5")
        loaded = ns.load_network(tmp_path / "net.h5")
        assert loaded.counts == COUNTS
        assert loaded.hash() == network.hash() == run.summary["network_hash"]
        made = ns.run(network=tmp_path / "net.h5", out=tmp_path / "run", duration="40 ms",
                      figures=False, record="none")
        assert made.summary["spike_hash"] == run.summary["spike_hash"]


class TestFigures:
    def test_every_figure(self, run, network, tmp_path):
        for what, names in ((run, figures_of(run)), (network, figures_of(network))):
            made = ns.draw(what, out=tmp_path / type(what).__name__)
            assert made["files"] == [f"{name}.png" for name in names]

    @pytest.mark.parametrize("name", ["raster", "psth", "rate_histogram", "cv_histogram",
                                      "traces", "states", "activity", "correlation_distance"])
    def test_a_panel_for_every_type(self, name, run):
        from neostriatum import plotting

        assert set(getattr(plotting, name)(run)[1]) >= set(TYPES)

    def test_degrees_and_connectivity(self, network):
        from neostriatum.plotting import connectivity, degrees

        axes = degrees(network)[1]
        assert set(axes) == {f"{way} {name}" for way in ("in", "out") for name in TYPES}
        labels = connectivity(network)[1].get_xticklabels()
        assert [label.get_text() for label in labels] == TYPES
        assert [label.get_color() for label in labels] == [
            palette.lettering(palette.colour(name, TYPES)) for name in TYPES]

    def test_colours_and_markers_differ(self):
        many = [*palette.COLOURS, *(f"T{number}" for number in range(12))]
        made = palette.colours(many)
        assert len(set(made.values())) == len(many)
        assert not {palette.OTHER, palette.INK, palette.FAINT} & set(made.values())
        assert {name: made[name] for name in palette.COLOURS} == palette.COLOURS
        both = {(made[name], palette.marker(name, many)) for name in many}
        assert len(both) == len(many)
        assert len({palette.marker(name, many) for name in many[:13]}) == 13
        assert palette.colour("T0") == palette.OTHER

    @pytest.mark.usefixtures("one_figure")
    def test_report(self, run):
        made = ns.report(run)
        page = Path(made["out"]).read_text("utf-8")
        for name in TYPES:
            assert f'<span class="swatch type-{name}"></span>{name}' in page
            assert f".swatch.type-{name} {{ background: {palette.colour(name, TYPES)}; }}" in page


class TestCommands:
    def test_build(self, capsys, tmp_path):
        made = said(capsys, "build", str(FILE), "--size", "300", "--out", str(tmp_path / "net"))
        network = ns.load_network(made["out"])
        assert made["neurons"] == network.counts
        for block in (made["centre"], made["edge"]):
            assert set(block["neurons"]) == {"SPN", "INT", "GP"}
            assert set(block["indegree"]) == set(block["distance_um"]) == {
                "SPN->SPN", "SPN->GP", "INT->SPN", "INT->INT", "GP->GP", "GP->INT"}
            assert set(block["outdegree"]) == {"SPN->GP", "INT->SPN", "GP->INT"}
        # Radius and cube are such that all are in the middle.
        whole = ns.anatomy(network, "1 mm")["centre"]
        into = sum(len(network.edges[name]) for name in ("FS->FS", "FS->Ast", "Ast->Ast"))
        assert whole["indegree"]["INT->INT"]["mean"] == pytest.approx(
            into / whole["neurons"]["INT"], abs=1e-3)
        assert whole["outdegree"]["SPN->GP"]["mean"] == pytest.approx(
            20 * network.counts["GP"] / whole["neurons"]["SPN"], abs=1e-3)

    def test_build_lines(self, capsys, tmp_path):
        out = printed(capsys, "build", str(FILE), "--size", "200", "--centre-radius", "1 mm",
                      "--out", str(tmp_path / "net"))
        assert "120 SPN, 40 INT, 40 GP" in out
        assert "  SPN->GP   20 +- 0 per GP" in out
        assert "from each INT" in out
        assert "gap junctions per FS" in out

    def test_dry_run(self, capsys):
        assert said(capsys, "build", str(FILE), "--size", "100", "--dry-run")["neurons"] == COUNTS

    def test_info(self, capsys):
        made = said(capsys, "info", str(FILE))
        assert list(made["thresholds_mv"]) == TYPES
        assert made["circuit"]["pools"] == {"SPN": ["dSPN", "iSPN"], "INT": ["FS", "Ast"]}
        out = printed(capsys, "info", str(FILE))
        assert "GP " in out
        assert "cells.Ast.parameters.v_b" in out

    @pytest.mark.parametrize("name", ["GP", "Ast"])
    def test_cell(self, name, capsys, tmp_path):
        made = said(capsys, "cell", name, "--current", "300 pA", "--circuit", str(FILE),
                    "--duration", "100 ms", "--out", str(tmp_path))
        assert made["cell"] == name
        assert made["rate_hz"] > 0
        assert Path(made["out"]).is_file()

    def test_cell_refuses_another_type(self, capsys):
        assert main(["cell", "STN", "--current", "1 pA", "--circuit", str(FILE)]) == 2
        assert "unknown cell type (got STN). Known: dSPN, iSPN, FS, GP, Ast" in " ".join(
            capsys.readouterr().err.split())

    def test_help_lists_no_types(self, capsys):
        for command in ("cell", "pair"):
            out = printed(capsys, command, "--help")
            assert "or FS" not in out
            assert "of the circuit" in " ".join(out.split())

    @pytest.mark.parametrize("n", [1, 4])
    @pytest.mark.parametrize(("source", "target"), [("GP", "Ast"), ("Ast", "dSPN"), ("GP", "GP")])
    def test_pair(self, source, target, n, capsys, tmp_path):
        made = said(capsys, "pair", source, target, "--n", str(n), "--circuit", str(FILE),
                    "--duration", "60 ms", "--out", str(tmp_path))
        assert (made["source"], made["target"]) == (source, target)
        assert made["psp_mv"] if n == 1 else made["rates_hz"].keys() == {"source", "target"}

    def test_sweep(self, tmp_path):
        made = ns.sweep(circuit=str(FILE), size=100, duration="20 ms", engine="reference",
                        out=tmp_path / "sweep", jobs=1, vary={"dopamine": [0.0, 0.5]})
        table = pd.read_csv(made.table)
        assert [name for name in table if name.startswith("rate_")] == [
            f"rate_{name}_hz" for name in TYPES]
        assert [name for name in table if name.startswith("cv_")] == [
            f"cv_{name}" for name in TYPES]
        assert (table["rate_GP_hz"] > 0).all()
        assert made.figure is not None

    def test_sweep_figures_have_a_panel_for_every_type(self):
        from neostriatum.plotting import heat_map, response

        table = {"x": [0.0, 1.0, 0.0, 1.0], "y": [0.0, 0.0, 1.0, 1.0], "status": ["finished"] * 4}
        table |= {f"rate_{name}_hz": [1.0, 2.0, 3.0, 4.0] for name in ("GP", "Ast", "FS", "dSPN")}
        names = ["dSPN", "FS", "GP", "Ast"]
        assert list(response(table, "x")[1]) == list(heat_map(table, "x", "y")[1]) == names


class TestExports:
    def test_csv(self, run, tmp_path):
        ns.export(run, "csv", tmp_path / "csv")
        assert list(pd.read_csv(tmp_path / "csv" / "rates.csv")) == [
            "time_ms", *(f"{name}_hz" for name in TYPES)]
        neurons = pd.read_csv(tmp_path / "csv" / "neurons.csv")
        assert neurons["type"].value_counts().to_dict() == COUNTS
        assert set(pd.read_csv(tmp_path / "csv" / "traces.csv")["type"]) == {"GP", "Ast", "dSPN"}

    def test_sonata_and_back(self, run, network, tmp_path):
        ns.export(run, "sonata", tmp_path / "sonata")
        with h5py.File(tmp_path / "sonata" / "output" / "spikes.h5") as file:
            assert set(file["spikes"]) == set(TYPES)
        loaded = ns.load_network(tmp_path / "sonata")
        assert loaded.counts == COUNTS
        assert loaded.hash() == network.hash()

    def test_names_of_node_sets_and_types_do_not_meet(self, tmp_path):
        raw = ns.load(FILE).to_dict()
        cell = raw["cells"]["GP"] | {"fraction": 0.5, "dopamine": []}
        made = ns.run({"name": "sets", "volume": raw["volume"],
                       "cells": {"all": cell, "v_all": cell}}, size=4, duration="5 ms",
                      engine="reference", figures=False, out=tmp_path / "run")
        ns.export(made, "sonata", tmp_path / "sonata")
        sets = json.loads((tmp_path / "sonata" / "node_sets.json").read_text("utf-8"))
        assert sets["all"] == {"population": "all"}
        assert sets["v_all"] == {"population": "v_all"}
        config = json.loads((tmp_path / "sonata" / "simulation_config.json").read_text("utf-8"))
        both = [sets[name]["population"] for name in sets[config["reports"]["v"]["cells"]]]
        assert both == ["all", "v_all"]

    def test_sonata_of_another_tool(self, network, tmp_path):
        """Without the file beside it, an export is any tool's: names of populations are types."""
        from neostriatum.network.sonata import SIDE

        ns.export(network, "sonata", tmp_path / "net")
        (tmp_path / "net" / SIDE).unlink()
        loaded = ns.load_network(tmp_path / "net", FILE)
        assert loaded.counts == COUNTS
        for name, edges in network.edges.items():
            assert np.array_equal(loaded.edges[name].targets, edges.targets)

    def test_neo_and_xarray(self, run):
        pytest.importorskip("neo")
        pytest.importorskip("xarray")
        segment = run.to_neo().segments[0]
        assert {signal.annotations["cell_type"] for signal in segment.analogsignals[:3]} == {
            "GP", "Ast", "dSPN"}
        assert segment.analogsignals[-1].array_annotations["cell_type"].tolist() == TYPES
        assert run.to_xarray().cell_type.values.tolist() == TYPES

    @pytest.mark.parametrize("to", ["nwb", "neo"])
    def test_nwb_and_nix(self, to, run, tmp_path):
        pytest.importorskip({"nwb": "pynwb", "neo": "nixio"}[to])
        made = ns.export(run, to, tmp_path / to)
        assert made["traced"] == 14
        if to == "nwb":
            with h5py.File(tmp_path / to / "run.nwb") as file:
                kinds = [text.decode() for text in file["units/cell_type"][:]]
            assert kinds == [name for name in TYPES for _ in range(COUNTS[name])]
