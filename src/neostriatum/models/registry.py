"""The models that a circuit can name: those shipped, registered ones, and those of entry points."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.errors import ModelError, shown
from neostriatum.models.plain import plain, rebuilt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.models.cell import CellModel
    from neostriatum.models.learning import LearningRule
    from neostriatum.models.receptor import ReceptorModel
    from neostriatum.models.release import ReleaseModel

    Model = CellModel | ReceptorModel | ReleaseModel | LearningRule

#: Modules of the shipped models by kind; a model's name is its module's.
_SHIPPED = {
    "cell": ("izhikevich", "izhikevich_fs", "striatal", "adex", "adex_rebound"),
    "receptor": ("exponential", "two_exponentials", "nmda", "nmda_sigmoid"),
    "release": ("tsodyks_markram", "two_pools"),
    "learning": ("balanced", "gurney2015", "difference", "cbgtpy"),
}
#: Group of entry points of other packages: a module, or a model in one.
GROUP = "neostriatum.models"
#: Models by kind and name that are not shipped, and the module that registered each.
_registered: dict[tuple[str, str], Any] = {}
_modules: dict[tuple[str, str], str] = {}
#: Kind and name of the models that a circuit was loaded with.
_used: set[tuple[str, str]] = set()
#: Models that runs describe, which nobody may have registered here, with their modules.
_described: dict[tuple[str, str], tuple[Any, str]] = {}
#: Those of the run that is being read.
_of_run: ContextVar[dict[tuple[str, str], Any]] = ContextVar("models of a run", default={})  # noqa: B039
#: Entry points that could not be imported, with the reason.
broken: dict[str, str] = {}
_looked = False


def register(model: Any) -> None:
    """Let circuits name a model.

    Parameters
    ----------
    model : CellModel, ReceptorModel, ReleaseModel or LearningRule
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
    _add(model, sys._getframe(1).f_globals.get("__name__", ""))


def _add(model: Any, module: str) -> None:
    kind: Any = getattr(model, "kind", None)
    name: Any = getattr(model, "name", None)
    if kind not in _SHIPPED or isinstance(model, type):
        msg = ("register: must be a CellModel, ReceptorModel, ReleaseModel or LearningRule "
               f"(got {shown(model)})")
        raise ModelError(msg)
    known = find(kind, name) if name in _SHIPPED[kind] else _registered.get((kind, name))
    if known is not None and _computes_the_same(model, known):
        if (kind, name) in _registered:
            # What can be derived is no part of what a model computes: the later holds.
            _registered[kind, name] = model
        return
    if (kind, name) in _used:
        msg = f'register: a circuit was loaded with {kind} "{name}" already. Choose another name'
        raise ModelError(msg)
    if known is not None:
        msg = f'register: {kind} "{name}" exists with other equations. Choose another name'
        raise ModelError(msg)
    _registered[kind, name], _modules[kind, name] = model, module


def _computes_the_same(model: Any, known: Any) -> bool:
    """Return whether two models are one: equal texts, but for what a shipped one has besides.

    That is bounds, defaults, conditions and a constant current.
    """
    if model.text == known.text:
        return True
    optional = ("parameter ", "requires ", "constant_current None")
    mine = [line for line in model.text.splitlines() if not line.startswith(optional)]
    theirs = [line for line in known.text.splitlines()
              if not line.startswith((*optional, "constant_current "))]
    return known.name in _SHIPPED[known.kind] and mine == theirs


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
        raise ModelError(_unknown(kind, name))
    _used.add((kind, name))
    return _registered[kind, name]


def _unknown(kind: str, name: str) -> str:
    if (kind, name) in _described:
        return f"{kind} model {name} is not registered here. {remedy(_described[kind, name][1])}"
    near = get_close_matches(name, names(kind), n=1) or names(kind)
    if broken:
        return (f'unknown {kind} model (got "{shown(name)}"). Known: {", ".join(near)}; broken '
                f"entry points: {', '.join(broken)}")
    return (f'unknown {kind} model (got "{shown(name)}"). Known: {", ".join(near)}; or name the '
            "module that registers it, --models MODULE")


def remedy(module: str) -> str:
    """Return how to get a model that a module registered."""
    if module in ("", "__main__"):
        return "Register it first, with neostriatum.register"
    return f"Name its module, --models {shown(module)}"


def declaration(kind: str, name: str) -> Any:
    """Return what says which states and parameters a model of this kind and name has.

    That is the model, or what a run says of it where a run is read, or where nobody has it.

    Raises
    ------
    ModelError
        An unknown name.
    """
    if (kind, name) in _of_run.get():
        return _of_run.get()[kind, name]
    try:
        return find(kind, name)
    except ModelError:
        if (kind, name) in _described:
            return _described[kind, name][0]
        raise


def runnable(declared: Any) -> Any:
    """Return the model that a circuit was loaded with, to be computed.

    Raises
    ------
    ModelError
        Nobody has registered it, or somebody another of its name.
    """
    model = find(declared.kind, declared.name)
    if model is not declared and model.text != declared.text:
        msg = (f'{model.kind} model "{model.name}" has other equations here than the circuit was '
               "loaded with. Load the circuit again")
        raise ModelError(msg)
    return model


@contextmanager
def described(models: list[tuple[Any, str]]) -> Iterator[None]:
    """Let a circuit be read with the models, and modules of them, that its run describes."""
    own = {(model.kind, model.name): model for model, _ in models}
    _described.update({(model.kind, model.name): (model, module) for model, module in models})
    token = _of_run.set(own)
    try:
        yield
    finally:
        _of_run.reset(token)


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


def is_shipped(model: Any) -> bool:
    """Return whether a model comes with the package."""
    return model.name in _SHIPPED[model.kind]


def module_of(model: Any) -> str:
    """Return the module that registered a model; nothing for one that is shipped."""
    key = (model.kind, model.name)
    return _modules.get(key) or _described.get(key, (None, ""))[1]


def registered() -> list[dict[str, Any]]:
    """Return the models that are not shipped as plain data, for workers in other processes."""
    return [plain(model) | {"module": module_of(model)} for model in _registered.values()]


def register_plain(models: list[dict[str, Any]]) -> None:
    """Register, in a worker, what `registered` gave."""
    for data in models:
        _add(rebuilt(data), data["module"])


def imported(module: str) -> Any:
    """Import a module that is installed, or lies in the working directory."""
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    return import_module(module)


def read_modules(modules: list[str]) -> None:
    """Import modules that register models, or hold some; those of the working directory too.

    Raises
    ------
    ModelError
        A module that cannot be imported.
    """
    for module in modules:
        try:
            holder = imported(module)
        except (Exception, SystemExit) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            msg = f"models: {shown(module)} could not be imported ({reason})"
            raise ModelError(msg) from error
        _register_all(holder)


def _register_all(holder: Any) -> None:
    for value in list(vars(holder).values()):
        if getattr(value, "kind", None) in _SHIPPED and not isinstance(value, type):
            _add(value, holder.__name__)


def _read_entry_points() -> None:
    global _looked
    if _looked:
        return
    _looked = True
    for entry in entry_points(group=GROUP):
        try:
            value = entry.load()
            if getattr(value, "kind", None) in _SHIPPED:
                _add(value, entry.module)
            else:
                _register_all(value)
        except Exception as error:
            # The others go on.
            broken[entry.name] = f"{type(error).__name__}: {error}"
