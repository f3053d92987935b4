"""The page of a validation: one HTML file that needs nothing else, or Markdown with figures."""

from __future__ import annotations

import base64
import io
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from neostriatum.durable import write_text
from neostriatum.validation.coverage import Excluding, coverage, everything
from neostriatum.validation.targets import FILES, GROUPS
from neostriatum.validation.words import amount, numbers, wanted

#: How to read the page in Markdown.
_READING = (
    "This page is written by the command above and not edited. In the figures every "
    "target is a line; the scale is what passes, which is shaded: \N{MINUS SIGN}1 and 1 "
    "are its ends, of wide intervals by their logarithm. Circles are published values "
    "with their spread, diamonds are measured: filled where the target is met, open and "
    "red where it is missed, arrows where it is farther away. A curve stands at its "
    "distance from the published one. How each number was read, its conditions, "
    "its tolerance and the reason for it are in "
    f"{', '.join(f'`src/neostriatum/validation/{name}`' for name in FILES)}; what is "
    "no target and why, in `coverage.toml` beside them.")


#: Protocols that read the circuit's file: what they find is what the file was given.
ECHOES = ("kinetics", "nmda_order", "release_train", "excitation")


def write(made: dict[str, Any], path: Path) -> None:
    """Write the page of a validation; Markdown has its figures in ``figures`` beside it.

    Raises
    ------
    RunFileError
        The file cannot be written.
    """
    from neostriatum.plotting.forest import forest
    from neostriatum.plotting.style import paper

    parts = []
    for number, name in GROUPS.items():
        rows = [row for row in made["targets"] if row["group"] == number]
        if rows:
            picture = io.BytesIO()
            with paper(font_size=8):
                forest(rows, [numbers(row) for row in rows])[0].savefig(
                    picture, format="png", dpi=200)
            parts.append({"number": number, "name": name, "rows": rows,
                          "passed": sum(row["pass"] is True for row in rows),
                          "picture": picture.getvalue()})
    text = _html(made, parts) if path.suffix == ".html" else _markdown(made, parts, path)
    write_text(path, text)


def reason(row: dict[str, Any]) -> str:
    """Return why a target is not met: that it does not apply, an error, or the explanation."""
    if row["unsuited"]:
        return f"does not apply: {row['unsuited']}."
    if row["error"]:
        return f"not measured: {row['error']}."
    if row["explanation"] is None:
        return "not explained."
    return row["explanation"] if row["circuit"] else f"In the default circuit: {row['explanation']}"


def standing(made: dict[str, Any]) -> tuple[str, list[Excluding]]:
    """Return what the count of met targets is worth, and the targets that exclude each other.

    Examples
    --------
    >>> rows = [{"id": "some", "protocol": "kinetics", "calibrated": None}]
    >>> standing({"targets": rows})[0]
    '1 of 1 targets read a number that the circuit file was given (kinetics, nmda_order, ...
    """
    rows = made["targets"]
    echoes = sum(row["protocol"] in ECHOES for row in rows)
    calibrated = sum(row["calibrated"] is not None for row in rows)
    ids = {row["id"] for row in rows}
    closed = [one for one in everything().excluding if ids.issuperset(one.targets)]
    said = (f"{echoes} of {len(rows)} targets read a number that the circuit file was given "
            f"({', '.join(ECHOES)}): they check that the file agrees with its sources, and no "
            f"simulation. {calibrated} are calibrated: a preset was fitted to them, or to what "
            "decides them.")
    if closed:
        said += (f" No circuit meets more than {len(rows) - len(closed)}, as these exclude each "
                 "other:")
    return said, closed


def references(made: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the sources of the targets in alphabetical order of their keys."""
    text = (files("neostriatum.circuit") / "sources.toml").read_text("utf-8")
    known = tomllib.loads(text)
    used = sorted({row["source"] for row in made["targets"]})
    return [{"key": key, **known[key]} for key in used]


def _title(made: dict[str, Any]) -> tuple[str, str]:
    name = made["circuit"]
    title = "The circuits against the literature" if name is None else (
        f"{name} against the literature")
    lead = ("Each target is measured on the circuit that it is about: the default one, or the "
            "preset of a model paper." if name is None else
            "Every target is measured on this circuit.")
    return title, lead


def _html(made: dict[str, Any], parts: list[dict[str, Any]]) -> str:
    from jinja2 import Environment, StrictUndefined

    from neostriatum import __version__

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True,
                              undefined=StrictUndefined)
    environment.filters |= {"amount": amount, "wanted": wanted, "reason": reason}
    template = environment.from_string(
        (files("neostriatum.validation") / "page.html").read_text("utf-8"))
    shown = [{**part, "picture": base64.b64encode(part["picture"]).decode("ascii")}
             for part in parts]
    sources = [{"year": None, "journal": None, "doi": None, **one} for one in references(made)]
    title, lead = _title(made)
    known = sum(row["known_failure"] for row in made["targets"])
    return template.render(made=made, groups=shown, title=title, lead=lead, known=known,
                           version=__version__, references=sources,
                           left=[row for row in coverage() if row.rest and not row.targets],
                           about=standing(made), not_judged=everything().not_judged)


def _head(made: dict[str, Any], path: Path) -> list[str]:
    """Return the lines before the groups."""
    title, lead = _title(made)
    known = sum(row["known_failure"] for row in made["targets"])
    about, closed = standing(made)
    return [f"# {title}", "", f"    neostriatum validate --report {path.name}", "",
            f"{lead} {len(made['targets'])} targets: {made['passed']} met, {made['failed']} "
            f"missed ({known} of them known and explained below), {made['unsuited']} do not "
            f"apply. Engine {made['engine']}{', quick' if made['quick'] else ''}.", "",
            _READING, "", "## What the counts are worth", "", about, "",
            *(f"- `{'`, `'.join(one.targets)}`: {one.reason}" for one in closed), ""]


def _markdown(made: dict[str, Any], parts: list[dict[str, Any]], path: Path) -> str:
    folder = path.parent / "figures"
    folder.mkdir(exist_ok=True)
    lines = _head(made, path)
    for part in parts:
        name = f"validation-{part['number']}.png"
        (folder / name).write_bytes(part["picture"])
        lines += [f"## {part['number']}. {part['name']}", "",
                  f"![{part['name']}: measured against published](figures/{name})", "",
                  "| target | id | measured | published | source | |", "|---|---|---|---|---|---|"]
        for row in part["rows"]:
            where = "" if row["circuit"] in (None, "striatum") else f" ({row['circuit']})"
            word = {True: "met", False: "**missed**", None: "does not apply"}[row["pass"]]
            mark = " †" if row["calibrated"] else ""
            lines.append(f"| {row['quantity']}{where}{mark} | `{row['id']}` | "
                         f"{amount(row['measured'])} {row['unit']} | {wanted(row)} | "
                         f"{row['source']} | {word} |")
        lines += ["", *(f"- **{row['quantity']}** (`{row['id']}`): {reason(row)}"
                        for row in part["rows"] if row["pass"] is not True), ""]
    lines += ["† A preset was calibrated to this number, or to one that decides it.", ""]
    if made["disagreements"]:
        lines += ["## Sources that contradict each other", ""]
    for one in made["disagreements"]:
        names = list(one["readings"][0]["measured"])
        lines += [f"**{one['question']}**", "", "| reading | " + " | ".join(names) + " |",
                  "|---" * (len(names) + 1) + "|"]
        lines += ["| " + " | ".join([reading["name"], *(amount(value) for value in
                                                        reading["measured"].values())]) + " |"
                  for reading in one["readings"]]
        lines += ["", one["verdict"], ""]
    lines += ["## Not judged", "",
              "Numbers and statements that a protocol could measure, and why they are no targets.",
              "", "| what | id | source | why |", "|---|---|---|---|"]
    lines += [f"| {one.quantity} | `{one.id}` | {one.source} | {one.reason} |"
              for one in everything().not_judged]
    return "\n".join(lines).rstrip() + "\n"
