"""How a circuit is run; every field is an option of the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.folder import path_text
from neostriatum.circuit.plain import plain
from neostriatum.circuit.resolve import Changes
from neostriatum.engines.base import DEFAULT
from neostriatum.errors import CircuitError
from neostriatum.recording.selection import listed

if TYPE_CHECKING:
    from neostriatum.learning.plan import SessionPlan


@dataclass
class Settings(Changes):
    """What is simulated, for how long, by what, and what is kept of it.

    What may be given in several ways has one form here: records are a list, a folder is a text.

    Raises
    ------
    CircuitError
        An option of another kind.
    """

    duration: Any = "2 s"
    size: int | None = None
    seed: int = 1
    engine: str = DEFAULT
    threads: int | None = None
    precision: str = "double"
    out: Any = None
    figures: bool = True
    #: What to record beside the spikes, TYPE:CELLS:VARIABLES:EVERY; see `choices`.
    record: Any = None
    #: What is done during the run: a file, the data of one, or a list of events.
    events: Any = None
    #: Wall time between two checkpoints.
    checkpoint_every: Any = "60 s"
    #: Of the synapses of a network file that another tool made and that does not say it.
    weight_unit: str = "nS"
    #: What decides the events of a run that learns a task: `learn` gives it.
    session: SessionPlan | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.record = listed(self.record)
        self.figures = getattr(self.figures, "item", lambda: self.figures)()  # NumPy's too
        self.out = None if self.out is None else path_text("out", self.out)

    @classmethod
    def of(cls, options: dict[str, Any]) -> Settings:
        """Return the settings of keywords.

        Raises
        ------
        CircuitError
            A keyword that is no option, or a value that it cannot have.
        """
        try:
            return cls(**plain(options))
        except TypeError as error:
            msg = f"run: {str(error).partition('() ')[2]}"
            raise CircuitError(msg) from None
