"""Lesions and drugs, and the parts of a session one by one."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from neostriatum.errors import CircuitError
from neostriatum.learning.critic import TD, NoCritic, Outcome, Q, V, checked_error
from neostriatum.learning.drive import Drive
from neostriatum.learning.encoder import Gaussian, OneHot, Table
from neostriatum.learning.knobs import Knobs
from neostriatum.learning.phases import Phases
from neostriatum.learning.readout import (
    NONE,
    WAIT,
    Difference,
    Snr,
    Window,
    checked_look,
)
from neostriatum.learning.tasks.circuit import task_circuit


def drive(knobs: Knobs) -> Drive:
    circuit = knobs.applied(task_circuit(2, 1))
    return Drive(circuit, ("left", "right"), ("cortex",), ("dSPN", "iSPN"), Phases(), knobs, 8.0,
                 -120.0)


def peaks(knobs: Knobs, delta: float) -> dict[str, float]:
    return {key.split(".")[1]: value["pulse"]["peak"]
            for key, value in drive(knobs).outcome(1000.0, delta).items()}


def test_dopamine_bursts_and_dips_about_its_tonic_level() -> None:
    assert peaks(Knobs(), 0.5) == {"D1": 0.65, "D2": 0.65}
    assert peaks(Knobs(), -0.5) == {"D1": 0.15, "D2": 0.15}
    assert drive(Knobs()).outcome(1000.0, 0.0) == {}
    burst = drive(Knobs()).outcome(1000.0, 1.0)["modulators.D1.level"]["pulse"]
    dip = drive(Knobs()).outcome(1000.0, -1.0)["modulators.D1.level"]["pulse"]
    assert (burst["start"], burst["stop"], dip["stop"]) == ("1000.0 ms", "1200.0 ms", "1400.0 ms")
    assert (burst["peak"], dip["peak"]) == (1.0, 0.0)


def test_limits_hold_a_level_and_leave_what_is_no_news() -> None:
    """An agonist keeps dips away, an antagonist bursts; a block and a clamp both."""
    agonist = Knobs.of({"D2": (0.5, 1)}, (), ())
    circuit = agonist.applied(task_circuit(2, 1))
    assert circuit.modulators["D2"].level.constant.value == 0.5
    assert circuit.pathways["cortex->iSPN"].learning.tonic.value == 0.3
    assert circuit.pathways["cortex->dSPN"].learning.tonic is None
    assert peaks(agonist, -1.0) == {"D1": 0.0}
    assert peaks(agonist, 1.0) == {"D1": 1.0, "D2": 1.0}
    assert peaks(Knobs.of({"D1": 0}, (), ()), 1.0) == {"D2": 1.0}
    assert peaks(Knobs.of({"D1": (0, 0.4)}, (), ()), 1.0) == {"D1": 0.4, "D2": 1.0}


def test_fixed_synapses_do_not_learn() -> None:
    circuit = Knobs.of(None, "iSPN", ()).applied(task_circuit(2, 2))
    assert [name for name, pathway in circuit.pathways.items() if pathway.learning is not None] == [
        "cortex_1->dSPN", "cortex_2->dSPN"]


def test_cells_are_stimulated_in_a_phase() -> None:
    row = {"channel": "left", "type": "dSPN", "current": "80 pA", "phase": "choice"}
    told = drive(Knobs.of(None, (), [row, row | {"channel": "right", "phase": "action"}]))
    cue = told.cue(0.0, {"cortex": 8.0})
    assert cue["inputs.left.targets.dSPN.current"]["pulse"] == {
        "base": "0.0 pA", "peak": "80.0 pA", "start": "100.0 ms", "stop": "600.0 ms"}
    action = told.action(600.0, 0)
    assert action["inputs.right.targets.dSPN.current"]["pulse"]["peak"] == "-40.0 pA"
    assert action["inputs.right.targets.iSPN.current"]["pulse"]["peak"] == "-120.0 pA"
    assert action["axons.motor.channels.left.rate"]["pulse"]["peak"] == "8.0 Hz"
    assert not [key for key in action if key.startswith("inputs.left")]


def window(go: list[float], stop: list[float], **more: object) -> Window:
    rates = {"go": np.array(go), "stop": np.array(stop)}
    return Window(**{**rates, **{f"new_{key}": value for key, value in rates.items()},
                     "passed": 500.0, "since": 500.0, "uniform": 0.5, "idle": False, "last": True}
                  | more)


def test_a_difference_is_chosen_by_softmax() -> None:
    readout = Difference("a", "b", beta=0.25)
    picks = [readout.look(window([10, 4], [2, 4], uniform=u), [])[0]
             for u in np.linspace(0, 0.9999, 1000)]
    assert np.mean(picks) == pytest.approx(1 / (1 + np.exp(0.25 * 8)), abs=2e-3)
    idle = Difference("a", "b", beta=1.0, threshold=5.0)
    assert idle.look(window([40], [0], idle=True), [])[0] == 0
    assert idle.look(window([0], [10], idle=True), [])[0] == NONE
    assert readout.look(window([900, 0], [0, 900], uniform=0.99), [])[0] == 0


def test_an_output_that_pauses_acts() -> None:
    readout, memory, looks = Snr("a", "b", hold=10.0), [], [WAIT]
    while looks[-1] == WAIT:
        chosen, memory = readout.look(window([2, 40], [8, 2], since=5.0, last=False), memory)
        looks.append(chosen)
    # 30 exp(-t/15) is below 10 from the look at 20 ms on, for 10 ms at that of 25 ms.
    assert looks[1:] == [WAIT] * 4 + [1]
    assert readout.look(window([0, 0], [9, 9], since=5.0), readout.fresh())[0] == NONE


def outcome(reward: float, seen: int = 0, action: int = 0, following: int = 0,
            done: bool = True) -> Outcome:
    return Outcome(seen, action, reward, following, done)


@pytest.mark.parametrize(("answer", "rule"), [
    ((2, []), r"a channel below 2, -2 to wait or -1 for none \(got 2\)"),
    ((-3, []), r"look must return a channel below 2.*\(got -3\)"),
    ((0.5, []), r"look must return a channel below 2.*\(got 0.5\)"),
    ((True, []), r"look must return a channel below 2.*\(got True\)"),
    (None, r"look must not raise \(got TypeError"),
    ((0, ["x"]), r"look must not raise \(got Value"),
])
def test_a_readout_that_chooses_no_channel(answer: Any, rule: str) -> None:
    rates = np.zeros(2)
    window = Window(rates, rates, rates, rates, 10.0, 10.0, 0.5, False, True)
    readout = SimpleNamespace(look=lambda window, memory: answer)
    with pytest.raises(CircuitError, match=rf"^readout: .*{rule}"):
        checked_look(readout, window, [])
    readout.look = lambda window, memory: 1 / 0
    with pytest.raises(CircuitError, match=r"^readout: look must not raise \(got ZeroDivisionErr"):
        checked_look(readout, window, [])
    readout.look = lambda window, memory: (np.int64(1), (0.5,))
    assert checked_look(readout, window, []) == (1, [0.5])


def test_critics_learn_what_to_expect() -> None:
    value, action = V(alpha=0.1, start=0.5), Q(alpha=0.5, start=0.0)
    assert [value.error(outcome(1)), value.error(outcome(1, action=1))] == pytest.approx(
        [0.5, 0.45])
    assert [action.error(outcome(1)), action.error(outcome(1, action=1))] == [1.0, 1.0]
    assert action.error(outcome(1)) == 0.5
    assert NoCritic().error(outcome(-0.3)) == -0.3
    assert checked_error(NoCritic(), outcome(7)) == 1.0


def test_td_moves_the_error_to_what_predicts() -> None:
    critic, errors = TD(alpha=0.2, gamma=1.0, lam=0.0), []
    for _ in range(200):
        errors.append([critic.error(outcome(0, seen=1, following=2, done=False)),
                       critic.error(outcome(1, seen=2, following=2))])
    assert errors[0] == [0.0, 1.0]
    assert max(map(abs, errors[-1])) < 1e-9
    assert critic.values == pytest.approx({"1": 1.0, "2": 1.0})


def test_encoders_give_rates_of_their_populations() -> None:
    assert OneHot(("a", "b")).rates(1) == {"a": 0.5, "b": 8.0}
    assert OneHot(("a", "b")).rates([1, 1]) == {"a": 8.0, "b": 8.0}
    tuned = Gaussian(("a", "b", "c"), 0.0, 1.0, 0.25, high=10.0, low=0.0).rates([0.5])
    assert tuned["b"] == 10.0
    assert tuned["a"] == tuned["c"] == pytest.approx(10 * np.exp(-2))
    table = Table({(0, 1): {"a": 3.0}, (1, 0): {"b": 4.0}})
    assert table.rates([1, 0]) == {"a": 0.0, "b": 4.0}


def test_td_of_an_object_is_recorded_by_its_class() -> None:
    from neostriatum.errors import RunFileError
    from neostriatum.learning.parts import rebuilt, record_of_part

    critic = TD(alpha=0.3)
    critic.error(outcome(1))
    again = rebuilt(record_of_part(critic), "r: critic")
    assert (again.alpha, again.values) == (0.3, {})
    with pytest.raises(RunFileError, match=r"r: critic types\.SimpleNamespace is needed to go on"):
        rebuilt(record_of_part(SimpleNamespace()), "r: critic")
