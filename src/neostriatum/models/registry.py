"""The models that a circuit can name: those shipped, registered ones, and those of entry points."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from neostriatum.errors import ModelError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.models.cell import CellModel
    from neostriatum.models.receptor import ReceptorModel
    from neostriatum.models.release import ReleaseModel

    Model = CellModel | ReceptorModel | ReleaseModel

#: Modules of the shipped models by kind; a model's name is its module's.
_SHIPPED = {
    "cell": ("izhikevich", "izhikevich_fs", "striatal", "adex", "adex_rebound"),
    "receptor": ("exponential", "two_exponentials", "nmda", "nmda_sigmoid"),
    "release": ("tsodyks_markram", "two_pools"),
}
#: Group of entry points of other packages: a module, or a model in one.
GROUP = "neostriatum.models"
_registered: dict[tuple[str, str], Any] = {}
#: Kind and name of the models that a circuit was loaded with.
_used: set[tuple[str, str]] = set()
#: Entry points that could not be imported, with the reason.
broken: dict[str, str] = {}
_looked = False


def register(model: Any) -> None:
    """Let circuits name a model.

    Parameters
    ----------
    model : CellModel, ReceptorModel or ReleaseModel
        What circuits call by its name.

    Raises
    ------
    ModelError
        No model, a name that another model has, or a name by which a circuit was loaded already
        with another model.

    Examples
    --------
    >>> import neostriatum as ns
    >>> from neostriatum.models.adex import ADEX
    >>> from dataclasses import replace
    >>> ns.register(replace(ADEX, name="my_adex"))
    """
    kind, name = getattr(model, "kind", None), getattr(model, "name", None)
    if kind not in _SHIPPED:
        msg = f"register: must be a CellModel, ReceptorModel or ReleaseModel (got {shown(model)})"
        raise ModelError(msg)
    known = _registered.get((kind, name))
    if known is not None and known.text == model.text:
        return
    if known is not None and (kind, name) in _used:
        msg = f'register: a circuit was loaded with {kind} "{name}" already. Choose another name'
        raise ModelError(msg)
    if known is not None or name in _SHIPPED[kind]:
        msg = f'register: {kind} "{name}" exists with other equations. Choose another name'
        raise ModelError(msg)
    _registered[kind, name] = model


def find(kind: str, name: str) -> Any:
    """Return the model of a kind and name.

    Raises
    ------
    ModelError
        An unknown name.
    """
    if name in _SHIPPED[kind]:
        return getattr(import_module(f"neostriatum.models.{name}"), name.upper())
    if (kind, name) not in _registered:
        _read_entry_points()
    if (kind, name) not in _registered:
        near = get_close_matches(name, names(kind), n=1) or names(kind)
        msg = (f'unknown {kind} model (got "{shown(name)}"). Known: {", ".join(near)}; or name the '
               "module that registers it, --models MODULE")
        raise ModelError(msg)
    _used.add((kind, name))
    return _registered[kind, name]


def declaration(kind: str, name: str) -> Any:
    """Return what says which states and parameters a model of this kind and name has.

    Raises
    ------
    ModelError
        An unknown name.
    """
    return find(kind, name)


def names(kind: str) -> list[str]:
    """Return the names of a kind, the shipped ones first."""
    own = [name for of, name in _registered if of == kind]
    return [*_SHIPPED[kind], *sorted(own)]


def every() -> Iterator[Any]:
    """Yield all models, also those of entry points."""
    _read_entry_points()
    for kind in _SHIPPED:
        for name in names(kind):
            yield find(kind, name)


def registered() -> tuple[Any, ...]:
    """Return the models that are not shipped, for workers in other processes."""
    return tuple(_registered.values())


def read_modules(modules: list[str]) -> None:
    """Import modules that register models, or hold some.

    Raises
    ------
    ModelError
        A module that cannot be imported.
    """
    for module in modules:
        try:
            _register_all(import_module(module))
        except Exception as error:
            msg = f"models: {shown(module)} could not be imported ({type(error).__name__}: {error})"
            raise ModelError(msg) from error


def _register_all(holder: Any) -> None:
    for value in list(vars(holder).values()):
        if getattr(value, "kind", None) in _SHIPPED and not isinstance(value, type) and (
                getattr(value, "name", None) not in _SHIPPED[value.kind]):
            register(value)


def _read_entry_points() -> None:
    global _looked
    if _looked:
        return
    _looked = True
    for entry in entry_points(group=GROUP):
        try:
            value = entry.load()
            if getattr(value, "kind", None) in _SHIPPED:
                register(value)
            else:
                _register_all(value)
        except Exception as error:
            # The others go on.
            broken[entry.name] = f"{type(error).__name__}: {error}"
