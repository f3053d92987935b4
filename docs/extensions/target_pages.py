"""The page of the published targets, from the files that `neostriatum validate` reads."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from number_pages import REFERENCE, SEARCH, choice, link
from outside import written

from neostriatum.validation.targets import GROUPS, Target, published
from neostriatum.validation.words import amount

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def passes(target: Target) -> str:
    """Return what was published and what passes."""
    if target.order:
        return escape(" < ".join(target.order))
    if target.curve:
        return f"a curve of {len(target.curve.x)} points, within {target.tolerance.rms:g} rms"
    low, high = target.interval() or (None, None)
    value = "" if target.value is None else amount(target.value)
    about = f" ± {target.spread:g}" if target.spread is not None else (
        f" ± {target.se:g} SE" if target.se is not None else "")
    return f"{value}{about} {target.unit}; from {amount(low)} to {amount(high)}".strip(" ;")


def row(target: Target) -> str:
    """Return one target as a row of the table."""
    known = "known to be missed" if target.explanation else "expected to be met"
    reason = (f"<p><b>Missed because:</b> {escape(target.explanation)}</p>"
              if target.explanation else "")
    return (f'<tr id="{target.id}" data-key="{escape(f"{target.id} {target.quantity}")}" '
            f'data-source="{target.source}" data-circuit="{target.circuit}" '
            f'data-how="{target.read}" data-verdict="{known}">'
            f"<td>{escape(target.quantity)}<br><code>{target.id}</code></td>"
            f"<td>{target.circuit}</td><td>{passes(target)}</td>"
            f"<td>{link(target.source)}, {target.read}</td>"
            f"<td>{known}<details><summary>why</summary><p>{escape(target.conditions)}</p>"
            f"<p><b>Tolerance:</b> {escape(target.tolerance.why)}</p>{reason}</details></td></tr>")


def page() -> str:
    """Return the page."""
    targets = published().targets
    missed = sum(target.explanation is not None for target in targets)
    choices = (choice("circuit", "circuit", sorted({target.circuit for target in targets}))
               + choice("how", "read in", sorted({target.read for target in targets}))
               + choice("verdict", "expected", ("expected to be met", "known to be missed")))
    head = "".join(f"<th>{name}</th>" for name in (
        "target", "circuit", "published; passes", "source", ""))
    rows = []
    for number, name in GROUPS.items():
        rows.append(f'<tr class="group"><th colspan="5">{number}. {escape(name)}</th></tr>')
        rows += [row(target) for target in targets if target.group == number]
    search = SEARCH.format(table="targets", example="rheobase, cv", source="planert2013",
                           choices=choices)
    return f"""# Published targets

The {len(targets)} measurements that `neostriatum validate` repeats, from the files it reads;
{missed} are known to be missed, with the reason. What the last validation measured:
[the circuits against the literature](../validation.md).

```{{raw}} html
{search}
<div class="wide"><table class="table filtered" id="targets">
<thead><tr>{head}</tr></thead><tbody>
{chr(10).join(rows)}
</tbody></table></div>
```
"""


def write(app: Sphinx) -> None:
    """Write the page."""
    written(REFERENCE / "targets.md", page())


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the page before Sphinx reads."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
