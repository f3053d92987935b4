"""The circuit in Brian2: compiled C++ standalone, or runtime for people who extend equations."""

from __future__ import annotations

from neostriatum.engines.brian2_engine.engine import Brian2Runtime, Brian2Standalone, to_brian2

__all__ = ["Brian2Runtime", "Brian2Standalone", "to_brian2"]
