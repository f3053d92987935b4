"""Say in one line what pydantic found wrong: where, which rule, what was given, what is near."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from neostriatum.errors import shown

if TYPE_CHECKING:
    from pydantic import ValidationError

#: Branch names of tagged unions, which pydantic puts into the path of an error.
_TAGS = {"linear", "cubic", "humphries2010", "pairwise", "fixed_probability"}


def one_line(error: ValidationError, raw: Any) -> str:
    """Return ``path: rule (got value). remedy`` for the first and most telling error."""
    found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")[0]
    path = [str(part) for part in found["loc"] if part not in _TAGS and part != "[key]"]
    where = ".".join(path)
    return (f"{where}: " if where else "") + _rule(found, path)


def _rule(found: Any, path: list[str]) -> str:
    kind, given = found["type"], found["input"]
    if kind == "extra_forbidden":
        near = get_close_matches(path[-1], sorted(_field_names()), n=1)
        return "unknown key" + (f". Nearest: {near[0]}" if near else "")
    if kind == "missing":
        return "is missing"
    if kind in ("value_error", "assertion_error"):
        rule = str(found["ctx"]["error"])
        plain = "(got" in rule or not path or isinstance(given, (dict, list, BaseModel))
        return rule if plain else f"{rule} (got {shown(given)})"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        rule = given.get("rule") if isinstance(given, dict) else given
        known = found["ctx"].get("expected_tags", "linear, cubic or a wiring rule").replace("'", "")
        return f"rule must be one of {known} (got {shown(rule)})"
    text = found["msg"][:1].lower() + found["msg"][1:]
    return f"{text} (got {shown(given)})" if not isinstance(given, (dict, list)) else text


def _field_names() -> set[str]:
    names: set[str] = set()
    todo: list[type[BaseModel]] = [BaseModel]
    while todo:
        model = todo.pop()
        todo.extend(model.__subclasses__())
        if model.__module__.startswith("neostriatum."):
            names.update(model.model_fields)
    return names
