"""Read circuits: presets by name, files by path, overlays on top, single values replaced."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.catalogue import find, is_path, overlay_files, preset_files
from neostriatum.circuit.datafile import limit, read_data
from neostriatum.circuit.extends import Source, whole
from neostriatum.circuit.folder import path_text
from neostriatum.circuit.merge import overlaid
from neostriatum.circuit.model import Circuit
from neostriatum.circuit.plain import plain
from neostriatum.circuit.refusal import refuse
from neostriatum.circuit.replacement import replaced
from neostriatum.circuit.validated import validated
from neostriatum.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable


def load(
    circuit: str | os.PathLike[str] | Mapping[str, Any] | Circuit = "striatum",
    overlay: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    changes: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Circuit:
    """Load a circuit with what it extends, apply overlays, then replace single values.

    Parameters
    ----------
    circuit : str, path, dict or Circuit
        A preset's name, a TOML or JSON file, or the same as nested dicts, of which numbers may be
        NumPy's and quantities of pint, Brian2, ``quantities`` or astropy.
    overlay : str, path or list of them
        Files, or names of overlays of the preset that the circuit comes from;
        ``"parkinsonian.rewiring"`` takes one part.
    changes : dict, optional
        ``{"cells.dSPN.parameters.C": "16 pF"}``.
    folder : Path, optional
        Where the files lie that a circuit given as a dict names.

    Returns
    -------
    Circuit
        The validated circuit.

    Raises
    ------
    CircuitError
        Anything unreadable, unknown, out of range, or inconsistent; one line.

    Examples
    --------
    >>> load("striatum", overlay="parkinsonian.dopamine").dopamine.d2.constant.value
    0.0
    """
    source = _source(circuit, folder)
    result = validated(Circuit, source.where, source.raw, source.folder, source.preset)
    for part in overlay_names(overlay):
        result = _overlaid(result, part)
    return replaced(result, changes, source.where) if changes else result


def overlay_names(overlay: Any) -> list[str]:
    """Return the names of one overlay or of several as texts.

    Raises
    ------
    CircuitError
        Something that is neither a name nor a path.
    """
    several = hasattr(overlay, "__iter__") and not isinstance(overlay, (str, bytes))
    return [path_text("overlay", part, "a name, a path or a list of them")
            for part in (overlay if several else [overlay])]


def _source(circuit: Any, folder: Path | None) -> Source:
    """Return the data of a circuit, those of the circuit that it extends among them."""
    if isinstance(circuit, Circuit):
        return Source(circuit.name, circuit.to_dict(), folder or circuit._folder,
                      preset=circuit._preset)
    if isinstance(circuit, Mapping):
        raw = plain(circuit)
        limit("circuit", raw)
        return whole(Source(str(raw.get("name", "circuit")), raw, folder))
    if not isinstance(circuit, (str, os.PathLike)):
        refuse("circuit", f"must be a name, a path or a dict (got {shown(type(circuit))})")
    name = path_text("circuit", circuit, "a name, a path or a dict")
    path = find(name, preset_files(), "circuit")
    path = path.parent.resolve() / path.name
    return whole(Source(path.name, read_data(path), folder or path.parent, path))


def _overlaid(circuit: Circuit, overlay: str) -> Circuit:
    known = overlay_files(circuit._preset)
    name, dot, part = overlay.partition(".")
    if is_path(overlay) or name not in known:
        name, dot, part = overlay, "", ""
    path = find(name, known, "overlay")
    said = read_data(path)
    extra = set(said) - {"name", "summary", "parts"} if isinstance(said, dict) else set()
    if extra or not isinstance(said, dict) or not isinstance(said.get("parts"), dict):
        refuse(path.name, "an overlay has name, summary and parts"
                + (f" (got {shown(sorted(extra)[0])})" if extra else ""))
    parts = said["parts"]
    if dot and part not in parts:
        near = get_close_matches(part, parts, n=1) or [", ".join(parts)]
        refuse(path.name, f"unknown part (got {shown(part) or 'none'}). Known: {shown(near[0])}")
    raw = circuit.to_dict()
    for key, change in parts.items():
        if not isinstance(change, dict):
            refuse(path.name, f"parts.{shown(key)}: must be a table (got {shown(change)})")
        if not part or key == part:
            raw = overlaid(Circuit, raw, change)
    return validated(Circuit, path.name, raw, circuit._folder, circuit._preset)
