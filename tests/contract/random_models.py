"""Random models of cells: trees of bounded depth whose states stay in their range."""

import numpy as np

from neostriatum.models import (
    CellModel,
    I,
    State,
    clip,
    constant,
    exp,
    log,
    logistic2,
    maximum,
    minimum,
    parameters,
    positive,
    rate,
    where,
)

LOW, HIGH, UNIT = constant("-90 mV"), constant("-20 mV"), constant("20 mV")


class Trees:
    """Draws expressions of some leaves in mV."""

    def __init__(self, draw: np.random.Generator, leaves: list) -> None:
        self.draw, self.leaves = draw, leaves

    def voltage(self, depth: int):
        """An expression in mV."""
        if depth == 0:
            return self.leaves[self.draw.integers(len(self.leaves))]
        kind = self.draw.integers(9)
        a = self.voltage(depth - 1)
        if kind == 0:
            return a + self.voltage(depth - 1)
        if kind == 1:
            return a - self.voltage(depth - 1)
        if kind == 2:
            return a * self.number(depth - 1)
        if kind == 3:
            return minimum(a, self.voltage(depth - 1))
        if kind == 4:
            return maximum(a, self.voltage(depth - 1))
        if kind == 5:
            return where(self.condition(depth - 1), a, self.voltage(depth - 1))
        if kind == 6:
            return abs(a)
        if kind == 7:
            return -a
        return positive(a) / (1.5 + positive(self.number(depth - 1)))

    def number(self, depth: int):
        """An expression without unit, of some size."""
        kind = self.draw.integers(5)
        if depth == 0 or kind == 0:
            return float(np.round(self.draw.normal(), 3)) + 0.0 * (self.leaves[0] / UNIT)
        small = clip(self.voltage(depth - 1) / UNIT, -3.0, 3.0)
        if kind == 1:
            return exp(small)
        if kind == 2:
            return log(1.0 + positive(small))
        if kind == 3:
            return logistic2(positive(small) + 0.5, small * 1.4426950408889634)
        return small * small * small

    def condition(self, depth: int):
        """A comparison, or two."""
        first = self.voltage(depth) > self.voltage(depth)
        kind = self.draw.integers(3)
        if kind == 0:
            return first
        second = self.number(depth) <= self.number(depth)
        return (first & second) if kind == 1 else (first | second)


def random_model(seed: int) -> CellModel:
    """Return a model with 2 to 4 states."""
    draw = np.random.default_rng(seed)
    count = int(draw.integers(2, 5))
    v, *others = states = [State(name, "mV") for name in ("v", "x", "y", "z")[:count]]
    tau, g, v_peak, reset, low, t_ref = parameters(
        "tau ms > 0", "g nS > 0", "v_peak mV", "reset mV", "low mV", "t_ref ms >= 0")
    trees = Trees(draw, [*states, low, reset])
    rates = [rate(v, clip(trees.voltage(4), LOW, HIGH) - v + I / g, per=tau)]
    rates += [rate(state, clip(trees.voltage(3), LOW, HIGH) - state, times=1.0 / (2.0 * tau))
              for state in others]
    then = {state: clip(trees.voltage(2), LOW, HIGH) for state in others}
    return CellModel(
        name=f"random_{seed}", states=tuple(states), rates=tuple(rates), fires=v >= v_peak,
        then={v: reset, **then}, starts={state: low for state in states},
        hold=t_ref if draw.integers(2) else None)


def parameters_of(model: CellModel) -> dict[str, str]:
    """Return values of a random model's parameters as a circuit file has them."""
    values = {"tau": "9 ms", "g": "8 nS", "v_peak": "-42 mV", "reset": "-63 mV", "low": "-71 mV",
              "t_ref": "0.7 ms"}
    return {parameter.name: values[parameter.name] for parameter in model.parameters}
