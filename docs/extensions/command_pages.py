"""The page of the command line, from the commands themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from outside import written

from neostriatum.cli import app as commands

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PAGE = Path(__file__).parents[1] / "reference" / "commands.md"
#: A line to try, by command.
EXAMPLES = {
    "run": 'neostriatum run striatum_v1 --size 1000 --duration "500 ms" --dopamine 0.8',
    "resume": 'neostriatum resume runs/0001 --duration "10 s"',
    "rerun": "neostriatum rerun runs/0001",
    "cell": 'neostriatum cell dSPN --current "320 pA" --duration "500 ms"',
    "pair": 'neostriatum pair FS dSPN --holding "-70 mV"',
    "learn": "neostriatum learn bandit --p 0.8,0.2 --trials 150 --reverse-at 90",
    "live": "neostriatum live striatum_v1 --size 4000",
    "sweep": "neostriatum sweep examples/dopamine_drive.toml --jobs 2",
    "build": "neostriatum build --size 2000 --out net.h5",
    "export": "neostriatum export runs/0001 --to csv --out tables",
    "report": "neostriatum report runs/0001",
    "plot": 'neostriatum plot runs/0001 raster --format svg --stop "500 ms"',
    "info": "neostriatum info striatum",
    "cite": "neostriatum cite runs/0001",
    "models": "neostriatum models striatal",
    "validate": "neostriatum validate --quick",
    "bench": "neostriatum bench --help",
}
HEAD = """# Commands

Every command of `neostriatum`, as `--help` says it. Options that all of them have: `--help`,
`--json` where there is a result for machines ([keys](../design.md#json-keys-that-others-rely-on),
[schemas](schemas.md)), `--debug` for the traceback of an error. What an exit code means:
[errors](errors.md).

"""


def cell(text: object) -> str:
    """Return a text as one cell of a table."""
    return re.sub(r"(?<![\\])([|<>*_])", r"\\\1", " ".join(str(text or "").split()))


def rows(command: Any) -> list[str]:
    """Return a row for every argument and option of a command."""
    lines = []
    for parameter in command.params:
        if parameter.name == "help":
            continue
        name = ", ".join(f"`{each}`" for each in [*parameter.opts, *parameter.secondary_opts]) \
            if parameter.param_type_name == "option" else f"`{parameter.name.upper()}`"
        default = parameter.default
        given = f" Default: `{default}`." if default not in (None, False, ()) and not callable(
            default) else ""
        lines.append(f"| {name} | {cell(getattr(parameter, 'help', ''))}{given} |")
    return lines


def page() -> str:
    """Return the page of all commands."""
    text = [HEAD]
    for name, command in typer.main.get_command(commands).commands.items():
        text += [f"## {name}\n", cell(command.help) + "\n",
                 f"```console\n$ {EXAMPLES[name]}\n```\n" if name in EXAMPLES else "",
                 "| argument or option | is |\n|---|---|", *rows(command), ""]
    return "\n".join(text)


def write(app: Sphinx) -> None:
    """Write the page."""
    written(PAGE, page())


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the page before Sphinx reads."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
