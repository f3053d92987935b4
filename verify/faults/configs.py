"""Configs of SONATA networks: keys that change what the network is are obeyed or refused."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
from case import EITHER, REFUSED, SAME, Case
from sonata_files import FILES, config, configured, plain, read, without, written

import neostriatum as ns

KIND = "configs"
NODES, EDGES = ("networks", "nodes", 0), ("networks", "edges", 0)
FIRST = next(iter(FILES))


def _edited(label: str, edit: Callable[[dict[str, Any]], Any], expect: str = REFUSED,
            words: tuple[str, ...] = (), right: Any = plain) -> Case:
    """Return a case of a config after ``edit``, which may return another text."""
    def run(folder: Path) -> str:
        content = config()
        other = edit(content)
        configured(written(folder), content if other is None else other)
        return read(folder)

    return Case(label, run, expect, right, words)


def _put(label: str, place: tuple[Any, ...], key: str, value: Any, expect: str = REFUSED,
         right: Any = plain, names: tuple[str, ...] = ()) -> Case:
    def edit(content: dict[str, Any]) -> None:
        at: Any = content
        for step in place:
            at = at[step]
        at[key] = value

    return _edited(label, edit, expect, (key, *names), right)


def _enabled() -> list[Case]:
    gone = without(FIRST)
    listed = [_put(f"edges with enabled {json.dumps(value)}", EDGES, "enabled", value, EITHER,
                  plain if value in (True, "true", 1) else gone)
             for value in (True, False, "false", "False", "no", 0, 1, "true", "0", None)]
    listed += [_put(f"edges with enabled {json.dumps(value)}", EDGES, "enabled", value)
              for value in ([], {}, "maybe", 2, -1)]
    listed += [_put(f"nodes with enabled {json.dumps(value)}", NODES, "enabled", value, REFUSED)
              for value in (False, "false", 0)]
    listed += [_put("nodes with enabled true", NODES, "enabled", True, SAME),
              _put("edges with Enabled false", EDGES, "Enabled", False, EITHER, gone),
              _put("edges with disabled true", EDGES, "disabled", True, EITHER, gone)]

    def every(content: dict[str, Any]) -> None:
        for item in content["networks"]["edges"]:
            item["enabled"] = False

    def several(content: dict[str, Any]) -> None:
        for number in (0, 2):
            content["networks"]["edges"][number]["enabled"] = False

    names = tuple(FILES)
    return [*listed, _edited("all edges with enabled false", every, SAME, right=without(*names)),
            _edited("two of three edges with enabled false", several, SAME,
                    right=without(names[0], names[2])),
            _edited("the last edges with enabled false", lambda content: content["networks"][
                "edges"][2].update(enabled=False), SAME, right=without(names[2]))]


def _unknown() -> list[Case]:
    rows = [(EDGES, key) for key in ("scale", "weight_scale", "edge_types_files", "edge_type_file",
                                     "syn_weight", "delay", "subset", "fraction", "edges_files",
                                     "dynamics_params", "filter")]
    rows += [(NODES, key) for key in ("scale", "node_type_file", "node_types", "subset", "offset",
                                      "position_scale", "units", "filter")]
    listed = [_put(f"{place[1]} with the unknown key {key}", place, key, 2) for place, key in rows]
    listed += [_put(f"top key {key}", (), key, value, SAME) for key, value in (
        ("version", "2.4"), ("metadata", {"a": 1}), ("components", {"morphologies_dir": "$DIR"}),
        ("node_sets_file", "node_sets.json"), ("target_simulator", "NEST"))]
    return [*listed,
            _put("a third kind of networks", ("networks",), "synapses", [{"file": "x.h5"}]),
            _put("networks.gap_junctions", ("networks",), "gap_junctions", [])]


def _populations() -> list[Case]:
    def virtual(folder: Path, content: Any) -> str:
        written(folder)
        with h5py.File(folder / "nodes.h5", "r+") as file:
            group = file.create_group("nodes/cortex")
            group["node_type_id"], group["node_id"] = [9, 9], [0, 1]
            group["node_group_id"], group["node_group_index"] = [0, 0], [0, 1]
            for axis in "xyz":
                group[f"0/{axis}"] = [0.0, 5000.0]
        new = config()
        new["networks"]["nodes"][0]["populations"] = content
        configured(folder, new)
        return read(folder)

    words = ("population", "virtual", "cortex", "type")
    rows = [("virtual", {"cortex": {"type": "virtual"}}),
            ("Virtual", {"cortex": {"type": "Virtual"}})]
    listed = [Case(f"a population of the type {label}", lambda folder, content=content: virtual(
        folder, content), EITHER, plain, words) for label, content in rows]
    listed += [Case(f"a foreign population of the type {name}", lambda folder, name=name: virtual(
        folder, {"cortex": {"type": name}}), REFUSED, words=words)
        for name in ("biophysical", "vasculature", "nonsense")]
    listed += [_put(f"populations {json.dumps(value)}", NODES, "populations", value, EITHER)
              for value in ({}, {"dSPN": {}}, {"dSPN": {"type": "point_neuron"}},
                            {"dSPN": {"type": "biophysical", "morphologies_dir": "m"}},
                            {"nobody": {"type": "virtual"}}, None)]
    listed += [_put(f"populations {json.dumps(value)}", NODES, "populations", value, REFUSED)
              for value in ([1], 3, {"dSPN": 3}, {"dSPN": {"typ": "virtual"}},
                            {"dSPN": {"scale": 2}})]

    def interneurons_gone() -> str:
        with tempfile.TemporaryDirectory() as place:
            folder, content = written(Path(place)), config()
            with h5py.File(folder / "nodes.h5", "r+") as file:
                del file["nodes/FS"]
            content["networks"]["edges"] = [{"edges_file": f"$DIR/{FILES['dSPN->dSPN']}"}]
            configured(folder, content)
            return read(folder)

    return [*listed,
            _put("populations of a virtual one that has edges", NODES, "populations",
                 {"FS": {"type": "virtual"}}, EITHER, interneurons_gone),
            _put("populations of edges", EDGES, "populations", {"FS_to_dSPN": {"type": "chemical"}},
                 EITHER),
            _put("populations of edges of the type electrical", EDGES, "populations",
                 {"FS_to_dSPN": {"type": "electrical"}}, names=("gap_junctions",)),
            _put("populations of edges, one unknown key", EDGES, "populations",
                 {"FS_to_dSPN": {"weights": 2}})]


def _functions() -> list[Case]:
    """Return weight functions in the table of edge types and in the groups."""
    def table(folder: Path, text: str) -> str:
        content = config()
        content["networks"]["edges"][0]["edge_types_file"] = "$DIR/types.csv"
        configured(written(folder), content)
        (folder / "types.csv").write_text(text)
        return read(folder)

    def column(folder: Path, name: str) -> str:
        written(folder)
        with h5py.File(folder / FILES[FIRST], "r+") as file:
            group = next(iter(file["edges"].values()))["0"]
            group.create_dataset("weight_function", data=[name] * len(group["delay"]),
                                 dtype=h5py.string_dtype())
        return read(folder)

    words = ("weight_function",)
    listed = [Case(f"weight_function {name} of a type", lambda folder, name=name: table(
        folder, f"edge_type_id weight_function\n7 {name}\n"), expect, plain, words)
        for name, expect in (("wmax", SAME), ("NULL", SAME), ("NONE", SAME), ("Wmax", EITHER),
                             ("default", EITHER), ("gaussianLL", REFUSED), ("gaussianLR", REFUSED),
                             ("DirectionRule_EE", REFUSED), ("ConstantMultiplier", REFUSED),
                             ("my_function", REFUSED), ("set_weights", REFUSED))]
    listed += [Case(f"weight_function {name} of a group", lambda folder, name=name: column(
        folder, name), expect, plain, words)
        for name, expect in (("wmax", SAME), ("", EITHER), ("gaussianLL", REFUSED),
                             ("my_function", REFUSED))]
    return [*listed,
            Case("weight_function of another type only", lambda folder: table(
                folder, "edge_type_id weight_function\n7 NULL\n8 gaussianLL\n"), EITHER, plain,
                words),
            Case("weight_function with its sigma", lambda folder: table(
                folder, "edge_type_id weight_function weight_sigma\n7 gaussianLL 50.0\n"), REFUSED,
                words=words)]


def _network() -> list[Case]:
    """Return what a simulation config says of its network."""
    def given(label: str, content: Any, expect: str, path: str = "simulation_config.json") -> Case:
        def run(folder: Path) -> str:
            configured(written(folder), content, path)
            return read(folder / path)

        return Case(f"simulation config: {label}", run, expect, plain, ("network", "config"))

    return [
        given("network circuit_config.json", {"network": "circuit_config.json"}, SAME),
        given("network ./circuit_config.json", {"network": "./circuit_config.json", "run": {}},
              SAME),
        given("as config.json", {"network": "circuit_config.json"}, SAME, "config.json"),
        given("network by a manifest", {"manifest": {"$A": "."},
                                        "network": "$A/circuit_config.json"}, EITHER),
        given("network by ${configdir}", {"network": "${configdir}/circuit_config.json"}, EITHER),
        given("a network that is itself", {"network": "simulation_config.json"}, REFUSED),
        given("a network that is missing", {"network": "none.json"}, REFUSED),
        given("a network of two", {"network": ["circuit_config.json"] * 2}, REFUSED),
        given("network and networks", {"network": "circuit_config.json", "networks": {}}, REFUSED),
        given("a network that is a number", {"network": 3}, REFUSED),
        given("neither", {"run": {"dt": 0.1}}, REFUSED)]


def _manifest() -> list[Case]:
    def named(label: str, manifest: Any, prefix: str, expect: str) -> Case:
        def edit(content: dict[str, Any]) -> None:
            content["manifest"] = manifest
            content["networks"]["nodes"][0]["nodes_file"] = f"{prefix}nodes.h5"

        with_edges = _edited(label, edit, expect, ("manifest", "nodes", "$", "edges", "list"))
        return with_edges

    edges = {"$DIR": "."}
    return [
        named("manifest of braces", edges | {"${A}": "."}, "${A}/", EITHER),
        named("manifest without a dollar", edges | {"A": "."}, "$A/", EITHER),
        named("manifest of a manifest", edges | {"$A": "$B", "$B": "."}, "$A/", SAME),
        named("manifest in a circle", edges | {"$A": "$B", "$B": "$A"}, "$A/", REFUSED),
        named("manifest of itself", edges | {"$A": "$A/x"}, "$A/", REFUSED),
        named("manifest of nobody", edges, "$NOBODY/", REFUSED),
        named("manifest with a number", edges | {"$A": 3}, "$A/", REFUSED),
        named("manifest with null", edges | {"$A": None}, "$A/", REFUSED),
        named("manifest that is a list", ["$A"], "$A/", REFUSED),
        named("${configdir}", edges, "${configdir}/", EITHER),
        named("two names, one the start of the other", edges | {"$D": "nowhere", "$DI": "nowhere"},
              "$DIR/", SAME),
        named("windows path", edges, ".\\", EITHER), named("windows disk", edges, "C:\\data\\",
                                                           REFUSED),
        named("windows path after a manifest", edges, "$DIR\\", EITHER)]


def _texts() -> list[Case]:
    text = json.dumps(config())
    networks = text[text.index('"networks"'):-1]
    entry = json.dumps(config()["networks"]["edges"][0])
    twice = entry[:-1] + ', "enabled": true, "enabled": false}'
    other = entry[:-1] + f', "edges_file": "$DIR/{list(FILES.values())[1]}"' + "}"
    rows: list[tuple[str, Any, str, tuple[str, ...]]] = [
        ("byte order mark", b"\xef\xbb\xbf" + text.encode(), SAME, ()),
        ("UTF-16", text.encode("utf-16"), EITHER, ()),
        ("UTF-16 without a mark", text.encode("utf-16-le"), EITHER, ()),
        ("latin-1", text.replace("$DIR/nodes", "$DIR/caf\xe9").encode("latin-1"), REFUSED, ()),
        ("networks twice", text[:-1] + f", {networks}" + "}", REFUSED, ("networks", "twice")),
        ("enabled twice", text.replace(entry, twice), REFUSED, ("enabled", "twice")),
        ("edges_file twice", text.replace(entry, other), REFUSED, ("edges_file", "twice")),
        ("a comment", "// from a tool\n" + text, REFUSED, ()),
        ("a trailing comma", text[:-1] + ",}", REFUSED, ()),
        ("nothing", "", REFUSED, ()), ("a list", "[]", REFUSED, ()), ("a text", '"a"', REFUSED, ()),
        ("networks that is a list", '{"networks": []}', REFUSED, ()),
        ("nodes that is a table", '{"networks": {"nodes": {"nodes_file": "nodes.h5"}}}', REFUSED,
         ()),
        ("entries that are texts", '{"networks": {"nodes": ["nodes.h5"]}}', REFUSED, ()),
        ("nested beyond any parser", "[" * 100_000, REFUSED, ()),
    ]
    listed = [_edited(f"config with {label}", lambda content, new=new: new, expect, words)
             for label, new, expect, words in rows]
    for key in ("nodes_file", "edges_file"):
        place = NODES if key == "nodes_file" else EDGES
        listed += [_put(f"{key} {json.dumps(value)}", place, key, value) for value in
                  (3, None, [])]
        listed += [replace(_put(f"{key} {json.dumps(value)}", place, key, value), words=())
                  for value in ("", ".")]

    def both(folder: Path) -> str:
        written(folder)
        content = config()
        content["networks"]["edges"].append(dict(content["networks"]["edges"][0]))
        configured(folder, content)
        return read(folder)

    return [*listed, Case("the same edges twice", both, REFUSED, words=("twice", "two", "edges")),
            Case("no circuit named", lambda folder: ns.load_network(written(folder)).hash(),
                 REFUSED, words=("circuit",))]


def cases() -> list[Case]:
    """Return every case of this kind."""
    return [*_enabled(), *_unknown(), *_populations(), *_functions(), *_network(), *_manifest(),
            *_texts()]
