"""What decides the kernel of a population and is no number: its constants and rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from neostriatum.engines.numba_engine.heard import acting, heard_of_receptors, leaf
from neostriatum.models.expression import Expression, Operation
from neostriatum.models.printer import canonical
from neostriatum.models.symbol import Computed, Parameter, substituted, symbols

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.population import Population
    from neostriatum.models.cell import CellModel
    from neostriatum.models.receptor import ReceptorModel


@dataclass(frozen=True)
class ReceptorShape:
    """A receptor: the drives that reach it, its column of the ring or -1, whether a gain acts.

    ``scaled`` are its columns that levels scale, each with the number of its entry.
    """

    model: ReceptorModel
    drives: tuple[int, ...]
    column: int
    gained: bool
    scaled: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Shape:
    """A kind of kernel.

    Parameters
    ----------
    model : CellModel
        The equations of the cell.
    receptors : tuple of ReceptorShape
        What it hears, in order.
    spread : tuple of str
        Parameters that differ from cell to cell.
    varying : frozenset of str
        Parameters that a modulator acts on.
    currents : tuple of bool
        Injected currents in their order: whether some cells alone receive it.
    opened : int
        Currents that modulators open.
    noisy, coupled, holding, single : bool
        Noise on v, gap junctions, v held after a spike, single precision.
    shared : tuple of (str, str)
        Constants that have the value of an earlier one for good.
    ahead : int
        Columns, the last, whose arrivals are known ahead of a window.
    regions : int
        Regions that hear levels of their own.
    regional : frozenset of str
        Constants that differ between regions.
    own : tuple of (int, str, str)
        Effects of levels that receptors make: the receptor, the parameter or "gain" of a receptor,
        and "factor" or "add".
    """

    model: CellModel
    receptors: tuple[ReceptorShape, ...]
    spread: tuple[str, ...]
    varying: frozenset[str]
    currents: tuple[bool, ...]
    opened: int
    noisy: bool
    coupled: bool
    holding: bool
    single: bool
    shared: tuple[tuple[str, str], ...]
    ahead: int = 0
    regions: int = 0
    regional: frozenset[str] = frozenset()
    own: tuple[tuple[int, str, str], ...] = ()

    @property
    def columns(self) -> int:
        """Columns of the ring."""
        return 1 + max([-1, *(receptor.column for receptor in self.receptors),
                        *(column for receptor in self.receptors for column, _ in receptor.scaled)])

    @property
    def drives(self) -> int:
        """Drives that count events."""
        return 1 + max([-1, *(drive for receptor in self.receptors for drive in receptor.drives)])

    @cached_property
    def leader(self) -> dict[str, str]:
        """The constant that holds the value of another, by the other's name."""
        return dict(self.shared)

    @cached_property
    def made_rows(self) -> dict[str, Expression]:
        """Subtrees that only parameters enter which differ from cell to cell, computed once."""
        fixed = set(self.spread) - self.varying - self._owned
        rows: dict[str, Expression] = {}

        def visit(tree: Expression) -> None:
            if not isinstance(tree, Operation):
                return
            named = set(symbols(tree))
            # A row holds numbers, so a comparison is done where it is needed.
            if named & fixed and not named - fixed - self._steady and not tree.condition:
                rows.setdefault(f"row {canonical(tree)}", tree)
                return
            for part in tree.arguments:
                visit(part)

        for tree in (*self.model.steps.values(), self.model.fires):
            visit(tree)
        return rows

    @cached_property
    def _steady(self) -> set[str]:
        """Names whose values hold for the whole run and for every cell."""
        plain = {parameter.name for parameter in self.model.parameters}
        return (plain - set(self.spread) - self.varying - self._owned) | {"dt"}

    @cached_property
    def _owned(self) -> set[str]:
        """Parameters that levels act on which receptors of the cell make."""
        plain = {parameter.name for parameter in self.model.parameters}
        return {target for _, target, _ in self.own} & plain

    @cached_property
    def trees(self) -> tuple[dict[str, Expression], Expression, dict[str, Expression]]:
        """New states, threshold and jumps, of the names of constants and rows."""
        leaves = {name.removeprefix("row "): leaf(name, tree.powers)
                  for name, tree in self.made_rows.items()}
        spread = {name: self.parameter(name) for name in {*self.spread, *self._owned}}

        def lowered(tree: Expression) -> Expression:
            if not isinstance(tree, Operation):
                return substituted(tree, spread)
            if leaves and (text := canonical(tree)) in leaves:
                return leaves[text]
            return Operation(tree.name, tuple(map(lowered, tree.arguments)), tree.powers)

        new = {name: lowered(tree) for name, tree in self.model.steps.items()}
        then = {name: substituted(tree, spread) for name, tree in self.model.resets.items()}
        return new, lowered(self.model.fires), then

    def parameter(self, name: str) -> Expression:
        """Return a parameter as modulators leave it, and as levels that receptors make do."""
        return heard_of_receptors(self._spread_parameter(name), name, self.own)

    def _spread_parameter(self, name: str) -> Expression:
        """Return a parameter that may differ from cell to cell, as modulators leave it."""
        own = next(part for part in self.model.parameters if part.name == name)
        if name not in self.varying or name not in self.spread:
            return own
        factor, more = leaf(f"factor {name}", own.powers), leaf(f"added {name}", own.powers)
        return Operation("+", (Operation("*", (own, factor), own.powers), more), own.powers)

    @cached_property
    def _used(self) -> set[str]:
        """Names in the trees of the cell."""
        new, fires, then = self.trees
        names = set(symbols(*new.values(), fires, *then.values()))
        current = self.model.constant_current
        return names | ({current.name} if current is not None else set())

    @cached_property
    def constants(self) -> list[str]:
        """Names of the numbers of a step, in the order in which a kernel is given them."""
        names = ["dt"] + [parameter.name for parameter in self.model.parameters
                          if parameter.name in self._used and parameter.name not in self.spread]
        for name in self.spread:
            if name in self.varying:
                names += [f"factor {name}", f"added {name}"]
        for place, receptor in enumerate(self.receptors):
            names += [f"{name} {place}" for name in _receptor_constants(receptor.model)]
            names += [f"weight {drive} {place}" for drive in receptor.drives]
            names += [f"gain {place}"] * receptor.gained
            names += [f"scale {entry}" for _, entry in receptor.scaled]
        names += [f"own {number}" for number in range(len(self.own))]
        names += ["quantum"] + [f"current {place}" for place in range(len(self.currents))]
        for place in range(self.opened):
            names += [f"opened {place}", f"reversal {place}"]
        names = [name for name in names if name not in self.leader]
        return names + [f"{name}@{region}" for name in names if name in self.regional
                        for region in range(1, self.regions + 1)]

    @cached_property
    def rows(self) -> list[str]:
        """Names of the rows of a tile, the potential first."""
        states = ["v", *(name for name in self.model.names if name != "v")]
        receptors = [f"{state} {place}" for place, receptor in enumerate(self.receptors)
                     for state in receptor.model.names]
        spread = [name for name in self.spread if name in self._used]
        masks = [f"mask {place}" for place, masked in enumerate(self.currents) if masked]
        return [*states, *receptors, *spread, *self.made_rows, *masks,
                *["region"] * bool(self.regional),
                *(f"level {place}" for place in sorted({place for place, _, _ in self.own}))]

    @cached_property
    def cost(self) -> float:
        """About how long a cell takes for a step, for sharing out the work."""
        new, fires, _ = self.trees
        cell = sum(tree.size for tree in (*new.values(), fires))
        receptors = sum(20 + receptor.model.effect.size for receptor in self.receptors)
        return 10.0 + cell + receptors + 150.0 * self.noisy + 5.0 * self.drives

    @cached_property
    def text(self) -> str:
        """Canonical text: equal for populations that can share a kernel."""
        new, fires, then = self.trees
        lines = [f"cell {' '.join(self.model.names)} {self.constants} {self.rows} {self.shared}",
                 f"{self.currents} {self.opened} {self.noisy} {self.coupled} {self.holding} "
                 f"{self.single} {self.ahead}"]
        lines += [f"{name} {canonical(tree)}" for name, tree in new.items()]
        lines += [canonical(fires)] + [f"{name} {canonical(tree)}" for name, tree in then.items()]
        lines += [f"{receptor.drives} {receptor.column} {receptor.gained} {receptor.scaled} "
                  f"{receptor.model.text.partition(chr(10))[2]}" for receptor in self.receptors]
        current = self.model.constant_current
        return "\n".join([*lines, current.name if current is not None else "no current"])


def _receptor_constants(model: ReceptorModel) -> list[str]:
    """Return the names of the numbers that a receptor's equations are given."""
    leaves = symbols(model.effect, *(each.step for each in model.rates))
    names = [leaf.name for leaf in leaves.values() if isinstance(leaf, (Parameter, Computed))]
    return names + [f"decay {state.name}" for state in model.decays]


def shape_of(lowered: LoweredCircuit, number: int, columns: list[int], ahead: int,
             single: bool) -> Shape:
    """Return the shape of a population.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    number : int
        Which population.
    columns : list of int
        Its entries that spikes and recorded events can reach.
    ahead : int
        How many of these, the last, are known ahead of a window.
    single : bool
        Whether in single precision.
    """
    pop = lowered.populations[number]
    drives = [drive for drive in lowered.drives
              if drive.population == number and drive.pool is None]
    targets = {effect.acts_on for effect in pop.effects if effect.kind != "current"}
    spread = tuple(name for name, value in pop.parameters.items() if getattr(value, "ndim", 0))
    own = {level for region in lowered.regions for level in region}
    regional = frozenset(name for name, effects in acting(pop, spread).items()
                         if pop.region is not None and own & {one.level for one in effects})
    receptors = tuple(
        ReceptorShape(
            synapse.model,
            tuple(place for place, drive in enumerate(drives)
                  if receptor in {into for into, _ in drive.weights}),
            columns.index(receptor) if receptor in columns else -1,
            f"I_{synapse.name}" in targets,
            tuple((columns.index(entry), entry) for entry, inlet
                  in enumerate(pop.inlets, start=len(pop.synapses)) if inlet.receptor == receptor))
        for receptor, synapse in enumerate(pop.synapses))
    parameters = {parameter.name for parameter in pop.model.parameters}
    gains = {f"I_{synapse.name}": f"gain {place}" for place, synapse in enumerate(pop.synapses)}
    currents = [current for current in lowered.currents if current.population == number]
    return Shape(
        pop.model, receptors,
        spread,
        frozenset(targets & parameters),
        tuple(len(current.members) < pop.n for current in currents),
        sum(effect.kind == "current" for effect in pop.effects), pop.sigma > 0,
        lowered.coupled(number), pop.hold > 0, single, _shared(pop), ahead,
        len(lowered.regions) if regional else 0, regional,
        tuple((one.receptor, gains.get(one.acts_on, one.acts_on), one.kind) for one in pop.own))


def _shared(pop: Population) -> tuple[tuple[str, str], ...]:
    """Return the constants of receptors that have the value of an earlier receptor's."""
    first: dict[tuple[str, float], str] = {}
    shared = []
    for place, synapse in enumerate(pop.synapses):
        values = synapse.values | {f"decay {name}": value
                                   for name, value in synapse.decays.items()}
        for name in _receptor_constants(synapse.model):
            leader = first.setdefault((name, values[name]), f"{name} {place}")
            if leader != f"{name} {place}":
                shared.append((f"{name} {place}", leader))
    return tuple(shared)
