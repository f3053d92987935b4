"""The config of a SONATA network: which files it names, and of which kind their populations are."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neostriatum.errors import shown

if TYPE_CHECKING:
    from pathlib import Path

#: Sections that we read, and sections that say nothing about the network.
_READ = ("manifest", "network", "networks")
_HARMLESS = ("version", "metadata", "components", "target_simulator", "node_sets_file", "node_sets",
             "run", "simulation", "inputs", "output", "reports", "conditions")
#: Kinds of populations that we read; cells are what the circuit says, whatever their model was.
NODE_TYPES = ("point_neuron", "point_process", "single_compartment", "biophysical", "virtual")
EDGE_TYPES = ("chemical", "electrical")
#: How many configs may name the next.
_LONGEST_CHAIN = 4


@dataclass(frozen=True)
class Entry:
    """One HDF5 file of nodes or edges with its table of types, and the types of its populations."""

    #: "node" or "edge".
    kind: str
    data: Path
    types: Path | None
    #: The type of each population that the config lists, "" where it says none.
    populations: dict[str, str] = field(default_factory=dict)

    def names(self, present: list[str]) -> list[str]:
        """Return the populations of the file, or refuse those that only one side knows."""
        for name in {*present, *self.populations} if self.populations else ():
            if name not in self.populations:
                # Some tools read what is not listed, some do not.
                msg = f"populations must list all of {self.data.name} (got no {shown(name)})"
                raise ValueError(msg)
            if name not in present:
                msg = f"populations: {self.data.name} has no {shown(name)}"
                raise ValueError(msg)
        return present


def network_config(config: Path) -> Path:
    """Return the config that holds the networks: this one, or the one that it names."""
    for _ in range(_LONGEST_CHAIN):
        given = _sections(config)
        if "network" not in given:
            return config
        if not isinstance(given["network"], str) or "networks" in given:
            msg = "network must be the name of a config, and networks stand there alone"
            raise ValueError(msg)
        config = _resolved(config, given["network"], given)
    msg = f"network must name a config with networks (got a chain of {_LONGEST_CHAIN})"
    raise ValueError(msg)


def entries(config: Path) -> list[Entry]:
    """Return what a config names, nodes first, without the entries that are not enabled."""
    given = _sections(config)
    networks = given["networks"]
    _known("networks", networks, ("nodes", "edges"))
    listed: list[Entry] = []
    for kind in ("node", "edge"):
        for number, entry in enumerate(networks.get(f"{kind}s", [])):
            where = f"networks.{kind}s[{number}]"
            data, types = f"{kind}s_file", f"{kind}_types_file"
            _known(where, entry, (data, types, "populations", "enabled"))
            if not isinstance(entry.get(data), str):
                msg = f"{where} has no {data}"
                raise ValueError(msg)
            enabled = entry.get("enabled", True)
            if not isinstance(enabled, bool):
                msg = f"{where}.enabled must be true or false (got {shown(enabled)})"
                raise ValueError(msg)
            if enabled:
                table, path = entry.get(types), _resolved(config, entry[data], given)
                if path in [other.data for other in listed if other.kind == kind]:
                    msg = f"{where}.{data} must be named once (got {shown(entry[data])} again)"
                    raise ValueError(msg)
                listed.append(Entry(
                    kind, path,
                    _resolved(config, table, given) if table else None,
                    _populations(f"{where}.populations", kind, entry.get("populations") or {})))
    return listed


def _populations(where: str, kind: str, given: dict[str, Any]) -> dict[str, str]:
    """Return the type of each population, "" where there is none."""
    types = NODE_TYPES if kind == "node" else EDGE_TYPES
    _known(where, given, tuple(given) if isinstance(given, dict) else ())
    for name, about in given.items():
        _known(f"{where}.{name}", about, tuple(about) if isinstance(about, dict) else ())
        for key, value in about.items():
            # Folders and files of morphologies, meshes and the like.
            if key != "type" and not key.endswith(("_dir", "_file", "morphologies")):
                msg = f"{where}.{name}: unknown key (got {shown(key)}). Known: type"
                raise ValueError(msg)
            if key == "type" and value not in types:
                msg = f"{where}.{name}.type must be one of {', '.join(types)} (got {shown(value)})"
                raise ValueError(msg)
    return {name: about.get("type", "") for name, about in given.items()}


def _sections(config: Path) -> dict[str, Any]:
    given = json.loads(config.read_bytes(), object_pairs_hook=_once)
    _known("the config", given, (*_READ, *_HARMLESS))
    return given


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a table of the config, or refuse a key that stands there twice."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            msg = f"the key {shown(key)} stands there twice"
            raise ValueError(msg)
    return dict(pairs)


def _known(where: str, table: dict[str, Any], keys: tuple[str, ...]) -> None:
    """Refuse what is no table, and keys that could mean something that we do not know."""
    if not isinstance(table, dict):
        msg = f"{where} must be a table of keys"
        raise ValueError(msg)
    for key in table:
        if key not in keys:
            msg = f"{where}: unknown key {shown(key)}. Known: {', '.join(keys)}"
            raise ValueError(msg)


def _resolved(config: Path, name: str, given: dict[str, Any]) -> Path:
    """Return the path of a file that a config names, variables of its manifest put in."""
    manifest = given.get("manifest", {})
    known = {"configdir": ".", **{key.strip("${}"): str(value) for key, value in manifest.items()}}
    for _ in range(len(known) + 1):
        name = re.sub(r"\$\{?(\w+)\}?", lambda match: known.get(match[1], match[0]), name)
    if "$" in name:
        msg = f"the manifest does not resolve {shown(name)}"
        raise ValueError(msg)
    return config.parent / name
