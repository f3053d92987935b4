"""What is measured on this machine, and what is refused before anything is."""

import json

import pytest
from adex import NUMBERS, adex

import neostriatum as ns
from neostriatum.bench import engines
from neostriatum.bench.engines import bench
from neostriatum.cli import main
from neostriatum.models import registry


def test_processes_know_models_of_ones_own_and_files(tmp_path, monkeypatch):
    """As all that simulates in another process does: of a model, and of spikes beside a file."""
    for name, empty in (("_registered", {}), ("_modules", {}), ("_used", set())):
        monkeypatch.setattr(registry, name, empty)
    ns.register(adex("benched"))
    (tmp_path / "trains.csv").write_text("time_ms,id\n1.0,0\n", encoding="utf-8")
    (tmp_path / "mine.json").write_text(json.dumps({
        "extends": "striatum_v1", "warmup": "0 ms",
        "cells": {"FS": {"model": "benched", "dopamine": [], "parameters": NUMBERS}},
        "inputs": {"played": {"targets": {"dSPN": {
            "spikes": {"file": "trains.csv"}, "conductance": {"AMPA": "1 nS"}}}}}}),
        encoding="utf-8")
    monkeypatch.setattr(engines, "_contestants", lambda task, most: [
        engines.Contestant("reference", 1, "double", task)])
    made = bench(tmp_path / "mine.json", size=30, duration="2 ms", repeats=1, threads=1)
    assert made["missing"] == {}
    assert [row["engine"] for row in made["rows"]] == ["reference"]


@pytest.mark.parametrize(("words", "message"), [
    (["--circuit", "humphries2010"], "--circuit: means nothing with --variants"),
    (["--threads", "2"], "--threads: means nothing with --variants"),
    (["--set", "dt=0.05 ms"], "--set: means nothing with --variants"),
    (["--repeats", "0"], "repeats: must be a whole number from 1")])
def test_variants_take_what_they_follow_alone(words, message, capsys):
    """They are of one circuit, on one thread, so that their numbers are of one kind."""
    assert main(["bench", "--variants", *words]) == 2
    assert message in capsys.readouterr().err


def test_variants_of_few_cells(capsys):
    """One cell of a type has no pair; what is measured has all its names even so."""
    assert main(["bench", "--variants", "--size", "3", "--duration", "1 ms", "--repeats", "1",
                 "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    names = {"receptor", "input", "current", "spread", "noise", "gap", "regions", "binomial"}
    assert set(measured["variants"]) == names
    assert set(measured["ns_per_draw"]) == {"noise", "binomial"}
