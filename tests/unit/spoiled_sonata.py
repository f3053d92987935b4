"""What spoils a SONATA network: each entry of `BAD` changes a folder, and says what is refused."""

import re

import h5py
import numpy as np

from neostriatum.network import sonata


def replaced(file, name, array):
    kept = dict(file[name].attrs)
    del file[name]
    file[name] = array
    file[name].attrs.update(kept)


def opened(folder, name):
    return h5py.File(folder / f"{name.split('/')[0]}.h5", "r+")


def change(folder, name, index, value):
    with opened(folder, name) as file:
        array = file[name][()]
        array[index] = value
        replaced(file, name, array)


def convert(folder, name, kind):
    with opened(folder, name) as file:
        replaced(file, name, file[name][()].astype(kind))


def drop(folder, name):
    with opened(folder, name) as file:
        del file[name]


def rename(folder, name, other):
    with opened(folder, name) as file:
        file.move(name, other)


def population(folder, name):
    with h5py.File(folder / "edges.h5", "r+") as file:
        file["edges/dSPN_to_iSPN/source_node_id"].attrs["node_population"] = name


def unsaid(folder):
    with h5py.File(folder / "edges.h5", "r+") as file:
        del file["edges/dSPN_to_iSPN/source_node_id"].attrs["node_population"]


def edit(folder, name, pattern, text):
    path = folder / name
    path.write_text(re.sub(pattern, text, path.read_text()))


ONE = "edges/dSPN_to_iSPN"
BAD = {
    "no nodes group": (lambda f: rename(f, "nodes", "cells"), "has no nodes", 5),
    "no edges group": (lambda f: rename(f, "edges", "wires"), "has no edges", 5),
    "no group 0": (lambda f: drop(f, f"{ONE}/0"), "has no group 0", 5),
    "no node group": (lambda f: drop(f, "nodes/dSPN/0"), "has no group 0", 5),
    "no x": (lambda f: drop(f, "nodes/dSPN/0/x"), "must have x, y and z", 5),
    "no node types": (lambda f: drop(f, "nodes/dSPN/node_type_id"), "has no node_type_id", 5),
    "no source": (lambda f: drop(f, f"{ONE}/source_node_id"), "has no source_node_id", 5),
    "no type": (lambda f: drop(f, f"{ONE}/edge_type_id"), "has no edge_type_id", 5),
    "no group id": (lambda f: drop(f, f"{ONE}/edge_group_id"), "has no edge_group_id", 5),
    "no index": (lambda f: drop(f, f"{ONE}/edge_group_index"), "has no edge_group_index", 5),
    "no weight": (lambda f: drop(f, f"{ONE}/0/syn_weight"), "must have a syn_weight", 5),
    "no delay": (lambda f: drop(f, f"{ONE}/0/delay"), "must have a delay", 5),
    "no population": (unsaid, "no attribute node_population", 5),
    "unknown population": (lambda f: population(f, "cortex"), "no such node population", 5),
    "unknown type": (lambda f: (rename(f, "nodes/FS", "nodes/LTS"),
                                edit(f, "node_types.csv", "FS", "LTS"),
                                edit(f, sonata.CONFIG, '"FS"', '"LTS"')),
                     "must name one of dSPN, iSPN, FS (got LTS)", 2),
    "id too high": (lambda f: change(f, f"{ONE}/target_node_id", 0, 60),
                    "target_node_id has an id that no node has (got 60)", 5),
    "id negative": (lambda f: (convert(f, f"{ONE}/source_node_id", np.int64),
                               change(f, f"{ONE}/source_node_id", 0, -1)), "(got -1)", 5),
    "ids not whole": (lambda f: (convert(f, f"{ONE}/source_node_id", float),
                                 change(f, f"{ONE}/source_node_id", 0, 0.5)),
                      "must be whole numbers (got 0.5)", 5),
    "ids text": (lambda f: convert(f, f"{ONE}/source_node_id", "S3"), "whole numbers (got |S3)", 5),
    "ids twice": (lambda f: change(f, "nodes/dSPN/node_id", 1, 0), "different whole numbers", 5),
    "index too high": (lambda f: change(f, f"{ONE}/edge_group_index", 0, 10**6), "has no row", 5),
    "group unknown": (lambda f: change(f, f"{ONE}/edge_group_id", 0, 3), "has no group 3", 5),
    "lengths differ": (lambda f: change(f, f"{ONE}/edge_group_id", slice(0, 0), 0) or shorten(f),
                       "whole numbers", 5),
    "weights text": (lambda f: convert(f, f"{ONE}/0/syn_weight", "S9"), "must be numbers", 5),
    "weight negative": (lambda f: change(f, f"{ONE}/0/syn_weight", 0, -1), "got -1", 5),
    "weight infinite": (lambda f: change(f, f"{ONE}/0/syn_weight", 0, np.inf), "got inf", 5),
    "delay short": (lambda f: change(f, f"{ONE}/0/delay", 0, 0.04), "must be 0.1 to 25.5 ms", 5),
    "delay long": (lambda f: change(f, f"{ONE}/0/delay", 0, 26), "must be 0.1 to 25.5 ms", 5),
    "delay nan": (lambda f: change(f, f"{ONE}/0/delay", 0, np.nan), "must have a delay", 5),
    "position nan": (lambda f: change(f, "nodes/dSPN/0/x", 0, np.nan), "must have x, y and z", 5),
    "gap weight": (lambda f: change(f, "edges/FS_to_FS_gap/0/syn_weight", 0, 9), "got 9 nS", 2),
    "gap on itself": (lambda f: change(f, "edges/FS_to_FS_gap/target_node_id", 0, 0), "gaps", 5),
    "no nodes file": (lambda f: (f / "nodes.h5").unlink(), "nodes.h5: no such file", 5),
    "no types file": (lambda f: (f / "node_types.csv").unlink(), "node_types.csv: no such file", 5),
    "no config": (lambda f: (f / sonata.CONFIG).unlink(), "no such file", 5),
    "nodes no HDF5": (lambda f: (f / "nodes.h5").write_text("x"), "sound network", 5),
    "config no JSON": (lambda f: (f / sonata.CONFIG).write_text("{"), "sound network", 5),
    "config no dict": (lambda f: (f / sonata.CONFIG).write_text("[]"), "sound network", 5),
    "no networks": (lambda f: (f / sonata.CONFIG).write_text("{}"), "has no 'networks'", 5),
    "no nodes": (lambda f: edit(f, sonata.CONFIG, '"nodes"', '"cells"'), "unknown key cells", 5),
    "no variable": (lambda f: edit(f, sonata.CONFIG, r"\$NETWORK_DIR/n", "$NOWHERE/n"),
                    "manifest does not resolve", 5),
    "variable of itself": (lambda f: edit(f, sonata.CONFIG, r'": "\."', '": "$NETWORK_DIR"'),
                           "manifest does not resolve", 5),
    "types without id": (lambda f: edit(f, "edge_types.csv", "edge_type_id", "id"),
                         "has no column edge_type_id", 5),
    "types twice": (lambda f: edit(f, "edge_types.csv", "\n(1 .*)\n", r"\n\1\n\1\n"),
                    "two rows of one edge_type_id", 5),
    "link": (lambda f: link(f), "must lie in the file itself", 5),
}


def shorten(folder):
    with h5py.File(folder / "edges.h5", "r+") as file:
        replaced(file, f"{ONE}/edge_group_id", file[f"{ONE}/edge_group_id"][1:])


def link(folder):
    with h5py.File(folder / "nodes.h5", "r+") as file:
        file.move("nodes/dSPN/0/x", "kept")
        file["nodes/dSPN/0/x"] = h5py.SoftLink("/kept")
