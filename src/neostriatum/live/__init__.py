"""A circuit that runs while somebody looks at it and turns its knobs."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Live(ModuleType):
    """This package, which is also the function `neostriatum.live` of notebooks.

    Importing a package puts it into its parent under its own name, in the place of the function.
    """

    def __call__(self, circuit: Any = "striatum", **options: Any) -> Any:
        """Run a circuit live in a notebook; see `neostriatum.live.notebook.live`."""
        from neostriatum.live.notebook import live

        return live(circuit, **options)


sys.modules[__name__].__class__ = _Live
