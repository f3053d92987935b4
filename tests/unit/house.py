"""The source files of the package as the tests of the house rules walk them."""

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "neostriatum"
FILES = sorted(SOURCE.rglob("*.py"))
MODULES = {str(path.relative_to(SOURCE)): path for path in FILES}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room(module: str) -> str:
    """The room of a dotted module of the package, or of a file inside it."""
    first = module.removeprefix("neostriatum.").split("/")[0].split(".")[0]
    return first.removesuffix(".py")


def named(node: ast.AST) -> str:
    """The dotted name of an expression such as `np.random.seed`, else an empty string."""
    if isinstance(node, ast.Name):
        return {"np": "numpy", "pd": "pandas"}.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and named(node.value):
        return f"{named(node.value)}.{node.attr}"
    return ""


def found(check: Callable[[ast.AST], Iterator[str]],
          files: dict[str, Path] = MODULES) -> list[str]:
    """`file:line: what` of every node for which ``check`` says what is wrong."""
    return [f"{name}:{node.lineno}: {what}" for name, path in files.items()
            for node in ast.walk(tree(path)) for what in check(node)]
