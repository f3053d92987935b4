"""Turn NESTML files into C++ sources; a program of its own, because NESTML keeps global state.

``python -m neostriatum.engines.nest_engine.generate FOLDER MODULE VERSION KIND`` reads
FOLDER/model.nestml and writes to FOLDER/code. KIND is plain, gaps or synapse.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


class _NoBuilder:
    """NESTML's own builder asks a nest-config that packages leave pointing to nowhere."""

    def build(self) -> None:
        """Leave the sources as they are."""


def main(folder: Path, module: str, version: str, kind: str) -> None:
    """Write the C++ sources of FOLDER/model.nestml into FOLDER/code."""
    from pynestml.codegeneration.nest_tools import NESTTools
    from pynestml.frontend import pynestml_frontend

    # It would start NEST to ask it; one with MPI may wait for a launcher then.
    NESTTools.detect_nest_version = classmethod(lambda cls: f"v{version}")
    pynestml_frontend.builder_from_target_name = (
        lambda name, options=None: (_NoBuilder(), dict(options or {})))
    options: dict[str, Any] = {"nest_version": f"v{version}", "solver": "numeric",
                               "numeric_solver": "forward-Euler"}
    if kind == "synapse":
        name = module.removesuffix("_module")
        options |= {"synapse_models": [name], "weight_variable": {name: "factor"}}
    elif kind == "gaps":
        options["gap_junctions"] = {"enable": True, "membrane_potential_variable": "s_v",
                                    "gap_current_port": "I_gap"}
    pynestml_frontend.generate_target(
        str(folder / "model.nestml"), target_platform="NEST", target_path=str(folder / "code"),
        module_name=module, logging_level="WARNING", codegen_opts=options)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *sys.argv[3:5])
