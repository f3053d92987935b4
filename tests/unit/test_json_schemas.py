"""What commands print with --json is what the published schemas say."""

import json
from pathlib import Path

import jsonschema
import pytest

from neostriatum.bench import engines
from neostriatum.cli import main

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
RUN = ["run", "striatum_v1", "--size", "100", "--duration", "20 ms", "--set", "warmup=0 ms",
       "--engine", "reference", "--out", "run"]
#: The commands in order: some need what an earlier one wrote.
COMMANDS = [
    ("run", RUN),
    ("run", ["rerun", "run", "--out", "again"]),
    ("figures", ["plot", "run", "rates", "--out", "figures"]),
    ("export", ["export", "run", "--to", "csv", "--out", "tables"]),
    ("cell", ["cell", "FS", "--circuit", "striatum_v1", "--current", "300 pA",
              "--duration", "50 ms"]),
    ("cell", ["cell", "FS", "--circuit", "striatum_v1", "--sweep", "0:300:300 pA",
              "--duration", "50 ms"]),
    ("pair", ["pair", "FS", "dSPN", "--circuit", "striatum_v1"]),
    ("build", ["build", "striatum_v1", "--size", "100", "--out", "net.h5"]),
    ("dry-run", ["build", "striatum_v1", "--size", "1000", "--dry-run"]),
    ("models", ["models"]),
    ("info", ["info", "striatum"]),
    ("info", ["info", "run"]),
    ("cite", ["cite", "striatum"]),
    ("cite", ["cite", "run"]),
]


def schema(name):
    """A published schema, itself checked."""
    read = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(read)
    return read


def test_output_of_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, words in COMMANDS:
        assert main([*words, "--json"]) == 0, words
        jsonschema.validate(json.loads(capsys.readouterr().out), schema(name))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "words"), [
    ("protocol", ["cell", "dSPN", "--protocol", "rin"]),
    ("validate", ["validate", "--quick"]),
    ("learn", ["learn", "bandit", "--trials", "2", "--size", "60", "--threads", "1"]),
])
def test_output_of_slow_commands(name, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--json"]) == 0
    jsonschema.validate(json.loads(capsys.readouterr().out), schema(name))


@pytest.mark.slow
def test_output_of_bench(monkeypatch, capsys):
    """Of one engine that is there and one that nobody has."""
    monkeypatch.setattr(engines, "_contestants", lambda task, most: [
        engines.Contestant(name, 1, "double", task) for name in ("numba", "abacus")])
    assert main(["bench", "--circuit", "striatum_v1", "--size", "100", "--duration", "20 ms",
                 "--repeats", "2", "--threads", "1", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    jsonschema.validate(measured, schema("bench"))
    assert [row["engine"] for row in measured["rows"]] == ["numba"]
    assert "abacus" in measured["missing"]["abacus"]
    assert measured["ratios"]["nest_over_numba"] == {"double": None, "single": None}


def test_a_missing_key_is_seen():
    with pytest.raises(jsonschema.ValidationError, match="spike_hash"):
        jsonschema.validate({"circuit": "striatum"}, {
            **schema("run"), "required": ["spike_hash"]})


def test_every_schema_is_on_the_page():
    page = (SCHEMAS.parent / "reference" / "schemas.md").read_text("utf-8")
    names = {path.name for path in SCHEMAS.glob("*.json")}
    assert names == {word for word in names if f"schemas/{word}" in page}
