"""The page as one script and one style sheet, for files and notebooks."""

from __future__ import annotations

import re
from functools import cache

from neostriatum.live.site import MODULES, PLOTS, STYLES, text

#: A module's imports, and the word before what it exports: all stand in one script here.
_IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class)\b)", re.MULTILINE)


@cache
def script() -> str:
    """Return the modules of the page as one, without their imports and exports."""
    parts = [text(PLOTS)]
    parts += [_EXPORT.sub("", _IMPORT.sub("", text(name))) for name in MODULES]
    return "\n".join(parts)


@cache
def style() -> str:
    """Return the style sheets of the page as one."""
    return "\n".join(text(name) for name in STYLES)
