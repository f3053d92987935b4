"""A small SONATA network as another tool writes it: six dSPN, six iSPN, three FS, two pathways."""

import json

import h5py
import numpy as np

from neostriatum.network import sonata

COUNTS = {"dSPN": 6, "iSPN": 6, "FS": 3}
PATHWAYS = {"FS_to_dSPN": ("FS", "dSPN"), "iSPN_to_dSPN": ("iSPN", "dSPN")}
ONE = "FS_to_dSPN"


def network(folder):
    """Write the network: weights of 6 nS, delays of 1 ms, a cube of 90 um; no unit stands there."""
    folder.mkdir()
    with h5py.File(folder / "nodes.h5", "w") as file:
        for number, (name, n) in enumerate(COUNTS.items()):
            group = file.create_group(f"nodes/{name}")
            group["node_id"], group["node_type_id"] = np.arange(n), np.full(n, number)
            group["node_group_id"], group["node_group_index"] = np.zeros(n, int), np.arange(n)
            for axis in "xyz":
                group[f"0/{axis}"] = np.linspace(0, 90, n)
    with h5py.File(folder / "edges.h5", "w") as file:
        for name, (source, target) in PATHWAYS.items():
            group = file.create_group(f"edges/{name}")
            group["source_node_id"], group["target_node_id"] = [0, 1, 2, 0], [0, 1, 2, 3]
            group["source_node_id"].attrs["node_population"] = source
            group["target_node_id"].attrs["node_population"] = target
            group["edge_type_id"] = np.full(4, 7)
            # Two groups, as the specification allows; rows take turns.
            group["edge_group_id"], group["edge_group_index"] = [0, 1, 0, 1], [0, 0, 1, 1]
            for number in range(2):
                group[f"{number}/syn_weight"] = [6.0, 6.0]
                group[f"{number}/delay"] = [1.0, 1.0]
    configure(folder, {"networks": {"nodes": [{"nodes_file": "nodes.h5"}],
                                    "edges": [{"edges_file": "edges.h5"}]}})
    return folder


def configure(folder, config, name=sonata.CONFIG):
    (folder / name).write_text(json.dumps(config))


def entry(folder, kind, **changes):
    """Change the entry of the nodes or of the edges in the config."""
    config = json.loads((folder / sonata.CONFIG).read_text())
    config["networks"][kind][0].update(changes)
    configure(folder, config)


def table(folder, text, kind="edge"):
    """Give the nodes or edges a table of types."""
    (folder / "types.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    entry(folder, f"{kind}s", **{f"{kind}_types_file": "types.csv"})


def put(folder, name, values, **attributes):
    """Put a dataset in place of another, with attributes."""
    with h5py.File(folder / f"{name.split('/')[0]}.h5", "r+") as file:
        if name in file:
            kept = dict(file[name].attrs)
            del file[name]
            attributes = kept | attributes
        file[name] = values
        file[name].attrs.update(attributes)


def take(folder, name):
    """Take a dataset away."""
    with h5py.File(folder / f"{name.split('/')[0]}.h5", "r+") as file:
        del file[name]
