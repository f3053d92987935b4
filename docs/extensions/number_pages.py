"""The pages of presets, of every number in them, and of where numbers come from."""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outside import written

from neostriatum.circuit.catalogue import overlay_files, overlays, presets
from neostriatum.circuit.load import load
from neostriatum.circuit.sources import sources, values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx

REFERENCE = Path(__file__).parents[1] / "reference"
#: How sure a number is, as circuit files say it.
CERTAINTY = {
    "measured": "read from a measurement",
    "fitted": "fitted to measurements, by the source or here",
    "derived": "follows from other numbers by the arithmetic in the note",
    "calibrated": "chosen so that the circuit shows what the source reports",
    "assumed": "an assumption of the source or of this project",
}
SEARCH = """<form class="filter" data-table="{table}">
<label>symbol or key <input name="key" type="search" placeholder="{example}"></label>
<label>source <input name="source" type="search" placeholder="{source}"></label>
{choices}
<output></output>
</form>
"""


def choice(name: str, label: str, options: Iterable[str]) -> str:
    """Return a drop-down list that filters a table by one column."""
    rows = "".join(f"<option>{escape(option)}</option>" for option in options)
    return (f'<label>{label} <select name="{name}"><option value="">all</option>'
            f"{rows}</select></label>")


def link(key: str | None) -> str:
    """Return a source as a link to its entry."""
    known = key in sources()
    return f'<a href="sources.html#{key}">{key}</a>' if known else escape(key or "")


def row(circuit: str, key: str, number: dict[str, Any]) -> str:
    """Return one number as a row of the table."""
    how, source = number["how"] or "", number["source"] or ""
    return (f'<tr data-circuit="{escape(circuit)}" data-key="{escape(key)}" data-how="{how}" '
            f'data-source="{escape(source)}"><td>{escape(circuit)}</td>'
            f"<td><code>{escape(key)}</code></td><td>{escape(str(number['value']))}</td>"
            f"<td>{how}</td><td>{link(number['source'])}</td>"
            f"<td>{escape(number['note'] or '')}</td></tr>")


def ordered() -> list[str]:
    """Return the presets, the default one first."""
    return sorted(presets(), key=lambda name: (name != "striatum", name))


@lru_cache(maxsize=1)
def numbers() -> list[tuple[str, str, dict[str, Any]]]:
    """Return (circuit, key, number) of every number of the presets and of what overlays change."""
    rows = [(name, key, each) for name in ordered() for key, each in values(load(name).to_dict())
            if each["source"] or each["how"]]
    files = {path: name for preset in presets() for name, path in overlay_files(preset).items()}
    for path, name in sorted(files.items()):
        place = "" if path.parent.name == "every" else f" of {path.parent.name}"
        raw = tomllib.loads(path.read_text("utf-8"))
        rows += [(f"{name}{place}", key, each) for key, each in values(raw)
                 if each["source"] or each["how"]]
    return rows


def number_page() -> str:
    """Return the table of all numbers."""
    rows = numbers()
    circuits = dict.fromkeys(circuit for circuit, _, _ in rows)
    choices = choice("circuit", "circuit", circuits) + choice("how", "certainty", CERTAINTY)
    certainty = "\n".join(f"- **{how}**: {meaning}." for how, meaning in CERTAINTY.items())
    head = "".join(f"<th>{name}</th>" for name in (
        "circuit", "key", "value", "certainty", "source", "note"))
    search = SEARCH.format(table="numbers", example="g_A, FS->dSPN, tau", source="planert2013",
                           choices=choices)
    return f"""# Every number and its source

All {len(rows):,} numbers that have a source or a certainty, of the presets and of what overlays
change, from the circuit files themselves. The key is what `--set KEY=VALUE` and `circuit.replace`
take. Certainty:

{certainty}

What disagrees, and why one number was taken and not another: [parameter sheet](../parameters.md).

```{{raw}} html
{search}
<div class="wide"><table class="table filtered" id="numbers">
<thead><tr>{head}</tr></thead><tbody>
{chr(10).join(row(*each) for each in rows)}
</tbody></table></div>
```
"""


def preset_page() -> str:
    """Return the page of the presets and their overlays."""
    text = ["# Presets and overlays\n",
            "Circuits that come with the package. `neostriatum info NAME` prints one with every "
            "number; [every number](numbers.md) searches them all.\n"]
    for name in ordered():
        circuit = load(name).to_dict()
        certainty = Counter(each["how"] for _, each in values(circuit) if each["how"])
        summary = circuit["summary"].rstrip(".")
        text += [f"## {name}\n", f"{summary[0].upper() + summary[1:]}.\n",
                 f"- cells: {', '.join(circuit['cells'])}",
                 f"- pathways: {len(circuit['pathways'])}; axons: "
                 f"{', '.join(circuit.get('axons', ())) or 'none'}; inputs: "
                 f"{', '.join(circuit.get('inputs', ())) or 'none'}",
                 "- numbers: " + ", ".join(f"{certainty[how]} {how}" for how in CERTAINTY
                                           if certainty[how]),
                 f"- overlays: {', '.join(f'`{each}`' for each in overlays(name))}",
                 f"- file: `src/neostriatum/circuit/presets/{name}.toml`\n"]
        if circuit.get("left_out"):
            text += ["Left out:\n", *(f"- {each}" for each in circuit["left_out"]), ""]
    files = dict.fromkeys(path for preset in presets() for path in overlay_files(preset).values())
    text += ["## Overlays\n", "| overlay | of | changes |\n|---|---|---|"]
    for path in sorted(files):
        raw = tomllib.loads(path.read_text("utf-8"))
        of = "any circuit" if path.parent.name == "every" else path.parent.name
        text.append(f"| `{path.stem}` | {of} | {raw.get('summary', '')} |")
        text += [f"| `{path.stem}.{part}` | {of} | this part alone |"
                 for part in raw.get("parts", {})]
    return "\n".join(text) + "\n"


def source_page() -> str:
    """Return the page of all sources."""
    used: dict[str, set[str]] = {}
    for circuit, _, number in numbers():
        used.setdefault(number["source"] or "", set()).add(circuit)
    text = ["# Sources\n",
            "Where numbers and targets were read, with the names by which circuit files call them. "
            "`neostriatum cite RUN` prints BibTeX of those that a run used.\n"]
    for key, source in sorted(sources().items()):
        doi = source.get("doi")
        where = f" [doi:{doi}](https://doi.org/{doi})" if doi else ""
        authors = source["authors"].replace(" and ", "; ")
        presets_of = ", ".join(sorted(used.get(key, ()))) or "validation or measured tables"
        note = source["note"][0].upper() + source["note"][1:]
        text += [f"({key})=\n## {key}\n",
                 f"{authors} {source.get('year', '')}. *{source['title']}*. "
                 f"{source.get('journal', '')}.{where} {note}. Used in: {presets_of}.\n"]
    return "\n".join(text)


def write(app: Sphinx) -> None:
    """Write the pages."""
    for name, page in (("numbers", number_page), ("presets", preset_page),
                       ("sources", source_page)):
        written(REFERENCE / f"{name}.md", page())


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx reads."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
