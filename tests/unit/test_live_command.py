"""The command `live`: its one line for machines, what it refuses, and how Ctrl-C ends it."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_live_server import news
from websockets.sync.client import connect

import neostriatum as ns
from neostriatum.cli import main


def test_it_says_where_it_is_and_ends_soon(tmp_path: Path) -> None:
    """A page plays for a while, Ctrl-C: the folder can be resumed to the same events."""
    out = tmp_path / "run"
    with subprocess.Popen(
            [sys.executable, "-m", "neostriatum", "live", "striatum_v1", "--size", "100",
             "--json", "--out", str(out)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said = json.loads(process.stdout.readline())
        schema = Path(__file__).parents[2] / "docs" / "schemas" / "live.json"
        assert set(said) == set(json.loads(schema.read_text("utf-8"))["required"])
        assert said["pid"] == process.pid
        address, _, token = said["url"].partition("#")
        origin = address.rstrip("/")
        with connect(f"ws{origin[4:]}/socket", origin=origin, compression=None) as ws:
            ws.send(json.dumps({"kind": "join", "token": token}))
            assert news(ws, "hello")["controls"] is True
            while news(ws, "status", 60)["time_ms"] < 300:
                pass
            ws.send(json.dumps({"kind": "turn", "values": {"level.D1": 0.9}}))
            news(ws, "applied")
            while news(ws, "status", 60)["time_ms"] < 800:
                pass
            process.send_signal(signal.SIGINT)
            begun = time.monotonic()
            assert process.wait(20) == 0
            assert time.monotonic() - begun < 5  # 2 s on a machine that does nothing else
        assert process.stderr.read() == ""
    whole = ns.resume(out)
    assert whole.duration_ms >= 800
    assert [event.changes for event in whole.events] == [{"modulators.D1.level": 0.9}]


@pytest.mark.parametrize(("arguments", "code", "text"), [
    (["no_such_circuit"], 2, "no_such_circuit"),
    (["striatum_v1", "--size", "0"], 2, "--size"),
    (["striatum_v1", "--port", "70000"], 2, "--port"),
    (["striatum_v1", "--port", "http"], 2, "--port"),
    (["striatum_v1", "--seed", "-1"], 2, "seed: must be a whole number from 0 to 2^63 - 1"),
    (["striatum_v1", "--models", "nowhere"], 2, "models: nowhere could not be imported"),
    (["striatum_v1", "--duration", "2 s"], 2, "No such option: --duration"),
    (["striatum_v1", "seed"], 2, "unexpected extra argument"),
    ([""], 2, '"": unknown circuit'),
])
def test_bad_input_is_one_line(arguments, code, text, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["live", *arguments, "--no-browser"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert text in said.err
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken(capsys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["live", "striatum_v1", "--port", str(port), "--no-browser"]) == 2
    assert f"--port: {port} cannot be used" in capsys.readouterr().err


def test_too_little_memory_ends_it_with_the_reason(capsys, monkeypatch, tmp_path) -> None:
    from neostriatum.runs import start

    def none(*arguments, **more):
        raise MemoryError

    monkeypatch.setattr(start, "build", none)
    monkeypatch.chdir(tmp_path)
    assert main(["live", "striatum_v1", "--size", "100", "--json"]) == 2
    assert "size: needs more memory than there is" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_way(capsys, tmp_path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "x").write_text("mine")
    assert main(["live", "striatum_v1", "--size", "100", "--json", "--out",
                 str(tmp_path / "run")]) == 5
    assert "--out" in capsys.readouterr().err
    assert (tmp_path / "run" / "x").read_text() == "mine"


def test_no_browser_is_said(capsys, monkeypatch) -> None:
    import webbrowser

    from neostriatum.commands.live import _open

    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    _open("http://127.0.0.1:1/#x")
    assert "no browser could be opened" in capsys.readouterr().err
