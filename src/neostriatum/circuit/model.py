"""The circuit: one frozen object that says what is simulated, and checks that it hangs together."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import (
    Field,
    PrivateAttr,
    SerializeAsAny,
    TypeAdapter,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from neostriatum.card import Card, Carded
from neostriatum.circuit.aliases import check_names
from neostriatum.circuit.axons import Axons
from neostriatum.circuit.cell import Cell, Start
from neostriatum.circuit.drive import Channel, Input
from neostriatum.circuit.modulator import (
    DOPAMINE,
    Activation,
    Dopamine,
    Modulator,
)
from neostriatum.circuit.nucleus import Nucleus
from neostriatum.circuit.pathway import GapJunctions, Pathway, Receptor
from neostriatum.circuit.signals import start_level
from neostriatum.circuit.spelling import in_our_names
from neostriatum.circuit.spread import Deviation, Size
from neostriatum.circuit.spread import read as read_spread
from neostriatum.circuit.value import NAME, Frozen, Time, measure
from neostriatum.circuit.volume import Volume

Named = Annotated[str, Field(pattern=NAME)]


class Circuit(Carded, Frozen):
    """A complete description of a striatal microcircuit; see docs/circuit-file.md for the keys.

    Examples
    --------
    >>> import neostriatum as ns
    >>> circuit = ns.load("striatum_v1")
    >>> isinstance(circuit, ns.Circuit), circuit.types
    (True, ('dSPN', 'iSPN', 'FS'))
    """

    name: Named
    summary: str = ""
    left_out: tuple[str, ...] = ()
    dt: measure("ms", gt=0, ge=1e-3) = Field(default="0.1 ms", validate_default=True)
    warmup: Time = Field(default="0 ms", validate_default=True)
    cells: dict[Named, Cell] = Field(min_length=1)
    receptors: dict[Named, SerializeAsAny[Receptor]] = Field(default_factory=dict)
    pathways: dict[str, Pathway] = Field(default_factory=dict)
    gap_junctions: dict[str, GapJunctions] = Field(default_factory=dict)
    inputs: dict[Named, Input] = Field(default_factory=dict)
    channels: dict[Named, Channel] = Field(default_factory=dict)
    axons: dict[Named, Axons] = Field(default_factory=dict)
    nuclei: dict[Named, Nucleus] = Field(default_factory=dict)
    dopamine: Dopamine = Dopamine()
    #: Every level by name, D1 and D2 first.
    modulators: dict[Named, Modulator] = Field(default_factory=dict)
    noise: dict[str, measure("mV", ge=0)] = Field(default_factory=dict)
    spread: dict[str, dict[str, Deviation | Size]] = Field(default_factory=dict)
    start: dict[str, SerializeAsAny[Start]] = Field(default_factory=dict)
    #: What statistics pool; None where the file does not say.
    pools: dict[Named, tuple[str, ...]] | None = None
    volume: Volume
    #: Folder that file names are relative to; None for a circuit that came from no file.
    _folder: Any = PrivateAttr(default=None)
    #: Preset that it is or extends; None for a circuit that comes from none.
    _preset: Any = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _our_names(cls, raw: Any) -> Any:
        return in_our_names(raw) if isinstance(raw, dict) else raw

    @field_validator("modulators", mode="before")
    @classmethod
    def _activations(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        own = {name: raw[name] for name in DOPAMINE if name in raw}
        return raw | TypeAdapter(dict[str, Activation]).validate_python(own)

    @field_validator("cells", mode="before")
    @classmethod
    def _told_apart(cls, raw: Any) -> Any:
        if isinstance(raw, dict):
            check_names(raw)
        return raw

    @field_validator("spread", mode="before")
    @classmethod
    def _with_units(cls, raw: Any, info: ValidationInfo) -> Any:
        # The unit of a spread is that of its parameter, which only the cell's model decides.
        cells = info.data.get("cells", {})
        if not isinstance(raw, dict):
            return raw
        return {name: {parameter: read_spread(name, cells, parameter, sd)
                       for parameter, sd in given.items()} if isinstance(given, dict) else given
                for name, given in raw.items()}

    @field_validator("start", mode="before")
    @classmethod
    def _of_states(cls, raw: Any, info: ValidationInfo) -> Any:
        cells = info.data.get("cells", {})
        if not isinstance(raw, dict):
            return raw
        # A type that is not there is refused once all of the circuit is known.
        return {name: _start(name, cells[name], given) if name in cells else Start()
                for name, given in raw.items()}

    @model_validator(mode="after")
    def _consistent(self) -> Circuit:
        from neostriatum.circuit.check import check

        levels: dict[str, Modulator] = {}
        for name, key in DOPAMINE.items():
            given = self.modulators.get(name, Activation())
            level = given.level if given.level is not None or given.kind is not None \
                else getattr(self.dopamine, key)
            levels[name] = given.model_copy(update={"level": level})
        # A frozen model is still being made here: both spellings come to hold the same levels.
        self.__dict__["modulators"] = levels | {
            name: one for name, one in self.modulators.items() if name not in DOPAMINE}
        self.__dict__["dopamine"] = self.dopamine.model_copy(
            update={key: None if levels[name].kind else levels[name].level
                    for name, key in DOPAMINE.items()})
        check(self)
        return self

    def __eq__(self, other: object) -> bool:
        # Where a circuit was read from is not part of what it says.
        return isinstance(other, Circuit) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(_frozen(self.to_dict()))

    def card(self) -> Card:
        """Return what it says of itself."""
        from neostriatum.circuit.card import card

        return card(self)

    def __str__(self) -> str:
        return repr(self)

    @property
    def types(self) -> tuple[str, ...]:
        """Names of the cell types in the order of the global ids."""
        return tuple(self.cells)

    @property
    def computed_levels(self) -> tuple[str, ...]:
        """Names of the modulators whose level is computed as a run goes on, unless clamped."""
        return tuple(name for name, modulator in self.modulators.items() if modulator.kind)

    @property
    def placed(self) -> tuple[str, ...]:
        """Names of the cell types that lie in the volume, those of no nucleus."""
        return tuple(name for name, cell in self.cells.items() if cell.nucleus is None)

    @field_serializer("modulators")
    def _plain_modulators(self, modulators: dict[str, Modulator]) -> dict[str, Any]:
        # The levels of D1 and D2 stand under their older keys, as they always did.
        raw = {name: one.model_dump(mode="json", exclude_none=True,
                                    exclude={"level"} if name in DOPAMINE and one.kind is None
                                    else None)
               for name, one in modulators.items()}
        # No reference is none, nor are no regions.
        raw = {name: {key: value for key, value in one.items() if value not in (0.0, {})}
               for name, one in raw.items()}
        return {name: one for name, one in raw.items() if one}

    def levels_at(self, time_ms: float) -> dict[str, float]:
        """Return the level of every modulator at a time from the end of the warm-up.

        A level that is computed while a run goes on has that of its start.
        """
        return {name: start_level(self, name, time_ms) for name in self.modulators}

    def receptors_of(self, cell: str) -> tuple[str, ...]:
        """Return the receptors that pathways and inputs of ``cell`` name, in file order."""
        named: set[str] = set()
        for name, pathway in self.pathways.items():
            if name.split("->")[1] == cell:
                named.update(pathway.conductance)
        for entry in self.inputs.values():
            if cell in entry.targets:
                named.update(entry.targets[cell].conductance or ())
        return tuple(name for name in self.receptors if name in named)

    def counts(self, size: int) -> dict[str, int]:
        """Return the number of neurons of each type in ``size`` (largest remainder)."""
        exact = {name: cell.fraction.value * size for name, cell in self.cells.items()}
        counts = {name: math.floor(share + 1e-9) for name, share in exact.items()}
        order = sorted(exact, key=lambda name: (counts[name] - exact[name], self.types.index(name)))
        for name in order[: size - sum(counts.values())]:
            counts[name] += 1
        return counts

    def to_dict(self) -> dict[str, Any]:
        """Return the circuit as nested plain data that `load` reads back to an equal circuit."""
        raw = self.model_dump(mode="json", exclude_none=True)
        for key in ("modulators", "axons", "nuclei"):
            if not raw[key]:
                del raw[key]
        for one in raw.get("axons", {}).values():
            if not one["channels"]:
                del one["channels"]
        return raw

    def replace(self, changes: dict[str, Any]) -> Circuit:
        """Return a circuit with the values at dotted paths replaced, their source "override".

        Parameters
        ----------
        changes : dict
            ``{"cells.dSPN.parameters.C": "16 pF"}``.

        Returns
        -------
        Circuit
            A new circuit; this one is unchanged.

        Raises
        ------
        CircuitError
            A path that does not exist, or a value that the circuit refuses.

        Examples
        --------
        >>> import neostriatum as ns
        >>> ns.load("striatum").replace({"dopamine.d1": 0.8}).dopamine.d1.constant.value
        0.8
        """
        from neostriatum.circuit.replacement import replaced

        return replaced(self, changes)


def _start(name: str, cell: Cell, raw: Any) -> Start:
    table: Any = Start.of(cell.declaration)
    adapter: TypeAdapter[Any] = TypeAdapter(dict[str, table])
    return adapter.validate_python({name: raw})[name]


def _frozen(raw: Any) -> Any:
    """Return plain data as something hashable that is equal where the data are."""
    if isinstance(raw, dict):
        return frozenset((key, _frozen(value)) for key, value in raw.items())
    return tuple(map(_frozen, raw)) if isinstance(raw, list) else raw
