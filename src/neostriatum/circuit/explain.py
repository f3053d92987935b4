"""Say in one line what pydantic found wrong: where, which rule, what was given, what is near."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from neostriatum.circuit.path import holders
from neostriatum.errors import shown

if TYPE_CHECKING:
    from pydantic import ValidationError

#: Our words for the rules of pydantic that a circuit can break.
_RULES = {
    "missing": "is missing",
    "union_tag_not_found": "is missing its rule",
    "union_tag_invalid": "rule must be one of {expected_tags}",
    "literal_error": "must be {expected}",
    "string_type": "must be a text",
    "string_unicode": "must be a text of valid characters",
    "string_pattern_mismatch": "must be a letter, then at most 31 letters, digits or _",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "int_from_float": "must be a whole number",
    "greater_than": "must be > {gt}",
    "less_than_equal": "must be <= {le}",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be a list",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length} entries",
}
#: Keys that nobody knows, of our tables and of those of a model.
_UNKNOWN = ("extra_forbidden", "unknown_key")


def one_line(error: ValidationError, model: type[BaseModel]) -> str:
    """Return ``path: rule (got value). remedy`` for the first and most telling error."""
    first = sorted(error.errors(), key=lambda each: each["type"] not in _UNKNOWN)[0]
    path, kinds = holders([model], first["loc"])
    where = ".".join(shown(part) for part in path)
    return (f"{where}: " if where else "") + _rule(first, path, kinds)


def _rule(found: Any, path: list[str], kinds: list[Any]) -> str:
    kind, given = found["type"], found["input"]
    if kind == "extra_forbidden":
        known = {name for one in kinds for name in getattr(one, "model_fields", ())}
        near = get_close_matches(path[-1], sorted(known - {"unit"}), n=1)
        return "unknown key" + (f". Nearest: {near[0]}" if near else "")
    if kind == "unknown_key":
        return str(found["msg"])
    if kind == "value_error":
        rule = str(found["ctx"]["error"])
        if "(got" in rule or not path:
            return rule
    else:
        message = found["msg"][:1].lower() + found["msg"][1:]
        context = {key: str(said).replace("'", "") for key, said in found.get("ctx", {}).items()}
        rule = _RULES[kind].format_map(context) if kind in _RULES else message
    if isinstance(given, dict):
        given = given.get("rule" if kind == "union_tag_invalid" else "value", given)
    empty = isinstance(given, str) and not given  # an array or pandas' NA cannot be compared
    plain = kind == "missing" or empty or isinstance(given, (dict, list, tuple, BaseModel))
    return rule if plain else f"{rule} (got {shown(given)})"
