"""Keyword arguments that a function hands on to settings, in its signature."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Function = TypeVar("Function", bound="Callable[..., Any]")


def keywords_of(*settings: type, leave_out: Iterable[str] = (), **defaults: Any
                ) -> Callable[[Function], Function]:
    """Show the fields of settings as keywords of a function, in the place of its ``**options``.

    Help, completion and `inspect.signature` name them then. Nothing else changes: the function
    takes its options as before, and the settings refuse what they do not know.

    Parameters
    ----------
    *settings : dataclass
        Their fields are keywords, unless the function has one of that name already.
    leave_out : iterable of str
        Fields that are no keywords.
    **defaults
        Defaults that the function has and the settings do not.

    Returns
    -------
    callable
        A decorator.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Clock:
    ...     dt: str = "0.1 ms"
    >>> @keywords_of(Clock)
    ... def run(circuit, **options): ...
    >>> str(inspect.signature(run))
    "(circuit, *, dt: 'str' = '0.1 ms')"
    """
    def shown(function: Function) -> Function:
        whole = inspect.signature(function)
        own = {name: one for name, one in whole.parameters.items()
               if one.kind is not inspect.Parameter.VAR_KEYWORD}
        every = (each for setting in settings for each in fields(setting))
        more = {each.name: _parameter(each, defaults) for each in every
                if each.name not in own and each.name not in leave_out}
        function.__signature__ = whole.replace(  # type: ignore[attr-defined]  # for inspect
            parameters=[*own.values(), *more.values()])
        return function

    return shown


def _parameter(each: Field[Any], defaults: dict[str, Any]) -> inspect.Parameter:
    default = each.default if each.default_factory is MISSING else each.default_factory()
    return inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY,
                             default=defaults.get(each.name, default), annotation=each.type)
