"""What a session refuses before anything is on disk: one line, with its exit code."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import worlds

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.errors import CircuitError
from neostriatum.learning.encoder import Gaussian, OneHot
from neostriatum.learning.readout import Difference, Snr

#: A way to ask, and the line that answers.
BAD: list[tuple[dict[str, Any], str]] = [
    ({"trials": 0}, r"trials: must be "),
    ({"trials": 10**9}, r"trials: must be "),
    ({"phases": {"wait": "1 ms"}}, r"phases: unknown \(got wait\). Known: before, choice"),
    ({"phases": {"delay": "200.05 ms"}}, r"phases.delay: .*whole .*200.05"),
    ({"phases": {"choice": "0 ms"}}, r"phases.choice: must be from 0.1 ms"),
    ({"phases": {"delay": "1 mV"}}, r"phases.delay: .*\(got 1 mV\)"),
    ({"phases": {"after": "300 ms"}}, r"phases.after: must be at least the dip of dopamine"),
    ({"readout": "vote"}, r"readout: must be one of difference, snr, disinhibition \(got vote\)"),
    ({"readout": object()}, r"readout: must be difference, snr, disinhibition, or have go"),
    ({"readout": "disinhibition"}, r"readout: must name cell types of the circuit \(got SNr\)"),
    ({"critic": "R"}, r"critic: must be one of V, Q, TD, none \(got R\)"),
    ({"critic": 3}, r"critic: must be V, Q, TD, none, or have a method error"),
    ({"encoder": 3}, r"encoder: must have populations and a method rates"),
    ({"encoder": OneHot(("odour",))}, r"circuit: must be given with an encoder of populations"),
    ({"encoder": OneHot(("odour",)), "circuit": "striatum_v1"},
     r"environment bandit: has 2 actions \(got a circuit with 0 channels"),
    ({"efference": "-1 Hz"}, r"efference: must be 0 Hz or more"),
    ({"inhibition": "1 nS"}, r"inhibition: .*\(got 1 nS\)"),
    ({"limits": {"D2": (0.5, 0.2)}}, r"limits.D2: must be two levels from 0 to 1"),
    ({"limits": {"D9": 0}}, r"modulators: D9 must be there"),
    ({"fixed": ["MSN"]}, r"fixed: must name cell types of the circuit \(got MSN\)"),
    ({"stimulate": [{"channel": "left"}]}, r"stimulate 1: must have channel, type, current, phase"),
    ({"stimulate": [{"channel": "up", "type": "dSPN", "current": "1 pA", "phase": "choice"}]},
     r"stimulate: must name a channel and a type of the circuit \(got up, dSPN\)"),
    ({"weights_every": 0}, r"weights_every: must be "),
    ({"duration": "2 s"}, r"learn: duration must not be given"),
    ({"events": []}, r"learn: events must not be given"),
    ({"shrink": 2}, r"run: .*shrink"),
    ({"changes": {"modulators.D1.level": {"sine": {"mean": 0.3, "amplitude": 0.1,
                                                   "frequency": "1 Hz"}}}},
     r"modulators.D1.level: must be constant where a session sets it"),
    ({"parameters": {"arms": 3}}, r"bandit: unknown parameter \(got arms\)"),
    ({"parameters": "p=0.8"}, r"parameters: must be a dict of keys and values \(got p=0.8\)"),
    ({"parameters": [0.8, 0.2]}, r"parameters: must be a dict"),
    ({"phases": "200 ms"}, r"phases: must be a dict of keys and values \(got 200 ms\)"),
    ({"phases": ["200 ms"]}, r"phases: must be a dict"),
    ({"phases": {"delay": True}}, r"phases.delay: must be a number with its unit"),
    ({"phases": {"Delay": "1 ms"}}, r"phases: unknown \(got Delay\)"),
    ({"phases": {"delay": "nan ms"}}, r"phases.delay: must be a number with its unit"),
    ({"phases": {"delay": "1e9 s"}}, r"phases.delay: must be from 0 ms to 600 s"),
    ({"limits": "D2=0"}, r"limits: must be a dict of keys and values \(got D2=0\)"),
    ({"limits": ["D2"]}, r"limits: must be a dict"),
    ({"limits": {"D2": (0, 0.5, 1)}}, r"limits.D2: must be "),
    ({"fixed": 3}, r"fixed: must be a list \(got 3\)"),
    ({"stimulate": {"channel": "left"}}, r"stimulate: must be a list \(got "),
    ({"stimulate": 3}, r"stimulate: must be a list \(got 3\)"),
    ({"stimulate": [{"channel": "left", "type": "FS", "current": "1 pA", "phase": "choice"}]},
     r"task: stimulate: must name a channel of an action and a type of the readout "
     r"\(got left, FS\)\. Known: left, right; dSPN, iSPN"),
    ({"stimulate": [{"channel": "left", "type": "dSPN", "current": "1", "phase": "choice"}]},
     r"stimulate 1: current must carry its unit"),
    ({"trials": 2.5}, r"trials: must be a whole number"),
    ({"weights_every": 1.5}, r"weights_every: must be a whole number"),
    ({"efference": None}, r"efference: must be a number with its unit"),
    ({"efference": "nan Hz"}, r"efference: must be a number with its unit"),
    ({"efference": "1e9 Hz"}, r"event at 0 ms: axons.motor.channels.left.rate: must be at most"),
    ({"circuit": 5}, r"circuit: must be a name, a path or a dict"),
    ({"circuit": "striatum"}, r"environment bandit: has 2 actions \(got a circuit with 0 channels"),
    ({"circuit": "striatum_v2"}, r"striatum_v2: unknown circuit. Known: striatum_v1"),
    ({"readout": Difference("dspn", "iSPN")}, r"readout: must name cell types .*\(got dspn\)"),
    ({"readout": Difference(["dSPN"], "iSPN")}, r"readout: go must name a cell type \(got \['dS"),
    ({"readout": Snr("dSPN", "iSPN", every=0)}, r"readout: every must be a time above 0 ms"),
    ({"readout": Snr("dSPN", "iSPN", every="5 ms")}, r"readout: every must be a time .*got 5 ms"),
    ({"readout": Snr("dSPN", "iSPN", every=float("nan"))}, r"readout: every must .*\(got nan\)"),
    ({"seed": "a"}, r"seed: must be a whole number"),
    ({"changes": {"pathways.cortex->dSPN.learning.dose": float("nan")}},
     r"task: pathways.cortex->dSPN.learning.dose: must be a"),
    ({"changes": {"pathways.cortex->dSPN.learning.dose": 1000}},
     r"task: pathways.cortex->dSPN.learning.dose: must keep the change by one pair of spikes"),
    ({"changes": {"axons.cortex.identity": False}},
     r"task: pathways.cortex->dSPN.learning: must be of axons with identity"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_options(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(CircuitError, match=f"^{message}") as refused:
        ns.learn("bandit", out=tmp_path / "r", **{"size": 60} | options)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("what", "message"), [
    ("worlds:nothing", r"environment: must be MODULE:FACTORY that can be imported"),
    ("nowhere:world", r"environment: must be MODULE:FACTORY that can be imported"),
    (worlds.without_step(), r"environment types.SimpleNamespace: must have a method step"),
    (worlds.wrong_actions(), r"environment worlds.World: has 3 actions .*2 channels"),
    (SimpleNamespace(reset=print, step=print), r"environment .*: action_space must be Discrete"),
    (":world", r"environment: must be MODULE:FACTORY that can be imported \(got :world"),
    (".worlds:World", r"environment: must be MODULE:FACTORY that can be imported \(got .worlds:W"),
    ("worlds:", r"environment: must be MODULE:FACTORY that can be imported \(got worlds:"),
    ("worlds:FAULTS", r"environment worlds:FAULTS: cannot be made \(TypeError: "),
    ("worlds:leaves", r"environment worlds:leaves: cannot be made \(SystemExit: 3\)"),
    (worlds.with_space(True), r"environment types.SimpleNamespace: action_space must be Discrete"),
    (worlds.with_space(0), r"environment types.SimpleNamespace: action_space must be Discrete"),
    (worlds.with_space(10**6), r"environment .*: action_space must have at most 256 actions \(got"),
    (worlds.with_space(2, idle=5), r"environment .*: idle must be None or an action, 0 to 1 \(got"),
    (worlds.with_space(2, idle="none"), r"environment .*: idle must be .* \(got none\)"),
    (worlds.with_space(2, expected="much"), r"environment .*: expected must be a finite reward "),
    (worlds.with_space(2, expected=float("nan")), r"environment .*: expected must be .*got nan"),
    (None, r"environment builtins.NoneType: must have a method reset"),
    (SimpleNamespace(reset=print, step=print, action_space=SimpleNamespace(n=2)),
     r"encoder: must be given where the observations are not Discrete"),
])
def test_bad_environments(what: Any, message: str, tmp_path: Path) -> None:
    circuit = None if "actions" not in message else _circuit()
    with pytest.raises(CircuitError, match=f"^{message}"):
        ns.learn(what, out=tmp_path / "r", size=60, circuit=circuit)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("code", "reason"), [
    ("def (:", "SyntaxError"), ("1 / 0", "ZeroDivisionError: division by zero"),
    ("import sys; sys.exit(3)", "SystemExit: 3"),
])
def test_a_module_that_cannot_be_imported(code: str, reason: str, tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken_world.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    for option, text in (("learn", "environment: must be MODULE:FACTORY that can be imported"),
                         ("models", "models: broken_world could not be imported")):
        assert main(["learn", "broken_world:world"] if option == "learn" else
                    ["models", "--models", "broken_world"]) == 2
        error = capsys.readouterr().err
        assert text in error
        assert reason in error
        assert error.count("\n") == 1


def _circuit() -> ns.Circuit:
    from neostriatum.learning.tasks.circuit import task_circuit

    return task_circuit(2, 1)


def test_a_circuit_without_electrodes_or_efference() -> None:
    raw = _circuit().to_dict()
    del raw["inputs"]["left"]
    with pytest.raises(CircuitError, match=r"inputs.left.targets.dSPN.current: must be there"):
        ns.learn("bandit", circuit=raw, size=60)
    raw = _circuit().to_dict()
    del raw["axons"]["motor"]
    raw["pathways"] = {key: pathway for key, pathway in raw["pathways"].items()
                       if "motor" not in key}
    with pytest.raises(CircuitError, match=r"axons.motor: must be there for an efference copy"):
        ns.learn("bandit", circuit=raw, size=60)
    with pytest.raises(CircuitError, match=r"axons.odour: must be there, as the encoder sets"):
        ns.learn("bandit", circuit=_circuit(), encoder=OneHot(("odour",)), size=60)


def test_a_bad_encoder_or_critic_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(CircuitError, match=r"^encoder: an observation must be a whole number"):
        OneHot(("a", "b")).rates(2)
    for populations in ((), "cortex"):
        with pytest.raises(CircuitError, match=r"^encoder: populations must be a tuple of names"):
            OneHot(populations)
    with pytest.raises(CircuitError, match=r"^encoder: lowest must be below highest"):
        Gaussian(("a", "b"), 1, 0, 1)
    lost = SimpleNamespace(error=lambda outcome: float("nan"))
    with pytest.raises(CircuitError, match=r"^critic: the error must be finite \(got nan\)"):
        ns.learn("bandit", critic=lost, size=60, figures=False, trials=2, out=tmp_path / "r",
                 changes={"warmup": "0 ms"})
    assert ns.Run(tmp_path / "r").status == "failed"


@pytest.mark.parametrize(("arguments", "code", "message"), [
    (["learn", "bandid"], 2, "task: unknown (got bandid)"),
    (["learn", "bandit", "--p", "0.8;0.2"], 2, "--p: must be numbers with commas"),
    (["learn", "bandit", "--stimulate", "left"], 2, "--stimulate: must be CHANNEL:TYPE:CURRENT"),
    (["learn", "bandit", "--p", "0.8,"], 2, "--p: must be numbers with commas"),
    (["learn", "bandit", "--p", "80%,20%"], 2, "--p: must be numbers with commas"),
    (["learn", "bandit", "--p", "0.8"], 2, "bandit: p: must be 2 to 16 probabilities (got 1)"),
    (["learn", "bandit", "--p", "0.8,0.2", "--parameter", "p=[0.5,0.5]"], 2,
     "--p: is the same as --parameter p (got both). Give one of them"),
    (["learn", "bandit", "--reverse-at", "2", "--parameter", "reverse_at=3"], 2,
     "--reverse-at: is the same as --parameter reverse_at (got both)"),
    (["learn", "bandit", "--reverse-at", "10,5"], 2, "bandit: reverse_at: trials must rise"),
    (["learn", "bandit", "--phase", "delay=200"], 2, 'phases.delay: must carry its unit, "200 ms"'),
    (["learn", "bandit", "--phase", "delay"], 2, "--phase: must be KEY=VALUE (got delay)"),
    (["learn", "bandit", "--limit", "D2"], 2, "--limit: must be KEY=VALUE (got D2)"),
    (["learn", "bandit", "--limit", "D2=a:b"], 2, "limits.D2: must be a number"),
    (["learn", "bandit", "--limit", "d2=0"], 2, "modulators: d2 must be there"),
    (["learn", "bandit", "--fixed", "dspn"], 2, "fixed: must name cell types of the circuit"),
    (["learn", "bandit", "--efference", "8"], 2, 'efference: must carry its unit, "8 Hz"'),
    (["learn", "bandit", "--parameter", "drft=0.1"], 2, "bandit: unknown parameter (got drft)"),
    (["learn", "b\u00e4ndit"], 2, "task: unknown (got b\u00e4ndit). Known: bandit"),
    (["learn", ""], 2, "task: unknown (got )"),
    (["learn", "bandit", "--engine", "brian2"], 3, "engine brian2: "),
    (["learn", "bandit", "--out", "pyproject.toml"], 5, ""),
])
def test_exit_codes(arguments: list[str], code: int, message: str, tmp_path: Path,
                    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").touch()
    assert main([*arguments, "--size", "60", "--trials", "1"]) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
