"""Tasks on the loop of the basal ganglia, whose output selects."""

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.errors import BuildError
from neostriatum.learning.membership import channels_of
from neostriatum.learning.readout import NONE, WAIT, Disinhibition, Window, types_of
from neostriatum.learning.results import trials_of
from neostriatum.learning.tasks.circuit import LOOP, task_circuit

SHORT = {"phases": {"before": "0 ms", "choice": "120 ms", "action": "20 ms", "delay": "0 ms",
                    "after": "20 ms", "burst": "10 ms", "dip": "20 ms"},
         "size": 12_000, "seed": 1, "figures": False, "trials": 1, "changes": {"warmup": "10 ms"}}


def look(rates: list[float], memory: list[float], uniform: float = 0.0,
         last: bool = False) -> tuple[int, list[float]]:
    nothing = np.zeros(2)
    return Disinhibition("a", "b", "c", window=20.0).look(Window(
        nothing, nothing, nothing, nothing, 0.0, 10.0, uniform, False, last,
        np.array(rates)), memory)


def test_an_action_is_selected_where_its_output_is_below_the_threshold():
    chosen, memory = look([0, 30], [])
    assert chosen == WAIT, "half a window"
    assert look([27, 30], memory)[0] == 0, "13.5 Hz in the mean"
    assert look([29, 30], memory)[0] == WAIT, "14.5 Hz"
    assert look([29, 30], memory, last=True)[0] == NONE
    assert len(look([29, 30], memory * 3)[1]) == 4, "no more than a window is kept"


def test_equals_are_drawn():
    _, memory = look([5, 5], [])
    assert [look([5, 5], memory, uniform)[0] for uniform in (0.0, 0.49, 0.5, 0.99)] == [0, 0, 1, 1]


def test_the_circuit_is_the_loop_with_axons():
    circuit, loop = task_circuit(2, 1, preset=LOOP), ns.load("basal_ganglia")
    for name, pathway in loop.pathways.items():
        assert circuit.pathways[name] == pathway
    assert circuit.to_dict()["cells"] == loop.to_dict()["cells"]
    assert channels_of(circuit, "dSPN", "SNr") == ["left", "right"]
    assert channels_of(task_circuit(3, 1, preset=LOOP), "SNr") == [
        "action_1", "action_2", "action_3"]


def test_more_actions_than_cells(tmp_path):
    with pytest.raises(BuildError, match=r"^task: channels: 16 channels must not share fewer "
                       r"cells \(got 11 GPeTF\)\. Take more neurons$"):
        ns.learn("bandit", circuit="basal_ganglia", out=tmp_path / "r",
                 **SHORT | {"parameters": {"p": [0.1] * 16}, "size": 9000})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    return ns.learn("bandit", circuit="basal_ganglia",
                    out=tmp_path_factory.mktemp("loop") / "r", **SHORT)


def test_a_bandit_is_read_from_the_output(played):
    about = played.record["learning"]["readout"]
    assert about["kind"].endswith("Disinhibition")
    assert types_of(Disinhibition(**{key: value for key, value in about.items()
                                     if key != "kind"})) == ("dSPN", "iSPN", "SNr")
    table = trials_of(played)
    rates = [float(table[f"rate_SNr_{side}_hz"][0]) for side in ("left", "right")]
    assert min(rates) > 0
    spikes = played.spikes
    members = played.populations["SNr"]
    until = 120.0 if np.isnan(table["reaction_ms"][0]) else table["reaction_ms"][0]
    own = (spikes.ids >= members.start) & (spikes.ids < members.stop) & (
        spikes.times_ms <= until + 1e-6)
    assert np.mean(rates) == pytest.approx(own.sum() * 1000 / (len(members) * until), rel=0.1)


@pytest.mark.slow
def test_both_engines_choose_alike(played, tmp_path):
    other = ns.learn("bandit", circuit="basal_ganglia", engine="reference", out=tmp_path / "r",
                     **SHORT)
    for key in ("spike_hash", "learning"):
        assert other.summary[key] == played.summary[key]
