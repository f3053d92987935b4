"""What objects say of themselves: short in a terminal, folded in a notebook, never a script."""

import re
from html.parser import HTMLParser

import pytest

import neostriatum as ns
from neostriatum.card import CHARACTERS, LINES, WIDTH, Card, Fold
from neostriatum.circuit.catalogue import presets

VOID = {"rect", "meta"}


class Balanced(HTMLParser):
    """Fails on tags that do not close each other."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check(thing):
    text, page = repr(thing), thing._repr_html_()
    assert len(text) <= CHARACTERS
    lines = text.splitlines()
    assert 1 < len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
    assert "script" not in reader.seen
    # Colours are those of the page around it, so that a dark one stays readable.
    assert not re.findall(r"#[0-9a-fA-F]{3,6}\b|rgb\(", page)
    return text, page


@pytest.mark.parametrize("name", presets())
def test_a_circuit(name):
    text, page = check(ns.load(name))
    assert text.startswith(f"Circuit {name}")
    assert str(ns.load(name)) == text
    assert "<details>" in page


def test_a_circuit_says_what_was_changed():
    circuit = ns.load("striatum_v1").replace({"cells.dSPN.parameters.C": "16 pF"})
    assert "changed" not in repr(ns.load("striatum_v1"))
    assert re.search(r"changed +1: cells\.dSPN\.parameters\.C = 16\.0 pF", repr(circuit))


def test_a_network():
    network = ns.build("striatum_v1", size=120, seed=3)
    text, page = check(network)
    assert f"{network.synapses:,} between cells" in text
    assert f"{network.hash()[:8]}" not in text  # which takes seconds of a large one
    assert "FS-&gt;dSPN" in page


def test_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = ns.run("striatum_v1", size=60, duration="20 ms", engine="reference", figures=False,
                 out="r", changes={"warmup": "0 ms"})
    text, page = check(run)
    assert run.summary["spike_hash"][:16] in text
    assert "finished" in text.splitlines()[0]
    assert page.count("<rect") == min(len(run.spikes), 300 * len(run.populations))


def test_results_of_cells_and_pairs():
    text, _ = check(ns.cell("dSPN", current="350 pA", circuit="striatum_v1",
                            duration="300 ms"))
    assert "350 pA" in text
    text, _ = check(ns.pair("FS", "dSPN", circuit="striatum_v1"))
    assert "mV" in text


def test_long_lines_are_cut():
    card = Card("x " * 500, [("names", "name " * 1000)] * 30, (Fold("t", ("a",), [("<b>",)]),))
    assert len(card.text()) <= CHARACTERS
    assert len(card.text().splitlines()) == LINES
    assert "&lt;b&gt;" in card.html()
