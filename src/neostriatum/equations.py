"""What the models that circuits can name compute, for a reader."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from neostriatum.errors import ModelError, shown
from neostriatum.models.printer import infix
from neostriatum.models.registry import broken, every, module_of

_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def known_models(name: str | None = None) -> list[dict[str, Any]]:
    """Return a description of every model, or of those of a name.

    Raises
    ------
    ModelError
        An unknown name.

    Examples
    --------
    >>> known_models("exponential")[0]["states"]
    [{'name': 'g', 'unit': 'nS'}]
    """
    models = list(every())
    chosen = [model for model in models if name in (None, model.name)]
    if not chosen:
        names = [model.name for model in models]
        near = get_close_matches(str(name), names, n=1) or names
        msg = (f"models: unknown model (got {shown(name)}). Known: {', '.join(near)}; or name the "
               "module that registers it, --models MODULE")
        raise ModelError(msg)
    return [_description(model) for model in chosen]


def broken_entry_points() -> list[str]:
    """Return a line for every entry point that could not be imported."""
    return [f"models: entry point {shown(name)} could not be imported ({shown(reason)})"
            for name, reason in broken.items()]


def _description(model: Any) -> dict[str, Any]:
    return {
        "name": model.name, "kind": model.kind, "summary": model.summary,
        "states": [{"name": state.name, "unit": state.unit} for state in model.states],
        "parameters": [{"name": parameter.name, "unit": parameter.spelled_unit,
                        "bounds": parameter.bounds, "default": parameter.default}
                       for parameter in model.parameters],
        "equations": list(model.equations),
        "derived": {name: infix(tree) for name, tree in getattr(model, "derived", {}).items()},
        "requires": [infix(condition) for condition in model.requires],
        "source": model.source, "module": module_of(model), "hash": model.hash}


def model_lines(models: list[dict[str, Any]]) -> list[str]:
    """Return the descriptions for a person; more than one in short."""
    if len(models) > 1 and len({model["name"] for model in models}) > 1:
        return [f"{model['kind']:<9} {model['name']:<18} {model['summary']}" for model in models]
    text = []
    for model in models:
        source = f" [{model['source']}]" if model["source"] else ""
        text += [f"{model['kind']} {model['name']}: {model['summary']}{source}", ""]
        text += [f"  {line}" for line in model["equations"]]
        text += [f"  {name} = {tree}" for name, tree in model["derived"].items()]
        text += ["", "  states: " + ", ".join(f"{state['name']} [{state['unit']}]"
                                              for state in model["states"]), "  parameters:"]
        text += [f"    {_declared(parameter)}" for parameter in model["parameters"]]
        text += [f"  must hold: {condition}" for condition in model["requires"]]
        module = f", registered by {model['module']}" if model["module"] else ""
        text.append(f"  hash {model['hash']}{module}")
    return text


def _declared(parameter: dict[str, Any]) -> str:
    bounds = "".join(f" {_SIGNS[key]} {limit:g}" for key, limit in parameter["bounds"].items())
    default = "" if parameter["default"] is None else f" = {parameter['default']:g}"
    return f"{parameter['name']:<12} {parameter['unit']}{bounds}{default}"
