"""``python -m neostriatum``."""

from neostriatum.cli import entry

entry()
