"""Start many processes at once on an empty cache of compiled code: each must run its own functions.

Every round begins with an empty cache. Each process calls two functions, in double and in single
precision, and compares what they return; with --engine it simulates, which compiles the engine and
takes minutes a round. A round also tells the wall time of the slowest process and of one alone.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FUNCTIONS = """
import json, time
import numpy as np
from neostriatum.caching import compiled

@compiled()
def total(x):
    result = x[0] - x[0]
    for value in x:
        result += value * value
    return result

@compiled()
def last(x):
    return x[x.size - 1] / x[0]

started = time.perf_counter()
for kind in (np.float64, np.float32):
    x = np.arange(1, 9).astype(kind)
    assert total(x) == 204 and last(x) == 8, (total(x), last(x))
    for function in (total, last):
        taken = {str(overload.signature.return_type) for overload in function.overloads.values()}
        assert str(np.dtype(kind)) in taken, (kind, taken)
print(json.dumps([time.perf_counter() - started]))
"""
ENGINE = """
import json, tempfile, time
import neostriatum as ns
started, hashes = time.perf_counter(), []
for precision in ("double", "single"):
    with tempfile.TemporaryDirectory() as folder:
        run = ns.run("striatum_v1", size=60, duration="5 ms", precision=precision, figures=False,
                     record="none", out=f"{folder}/run", changes={"warmup": "0 ms"})
        hashes += [run.summary["network_hash"], run.summary["spike_hash"]]
print(json.dumps([time.perf_counter() - started, *hashes]))
"""


def start(code: Path, cache: Path) -> subprocess.Popen:
    """Start a process on a cache."""
    return subprocess.Popen([sys.executable, str(code)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "NUMBA_CACHE_DIR": str(cache)})


def ended(processes: list[subprocess.Popen]) -> list[list]:
    """Return what each printed; stop at the first that failed."""
    results = []
    for process in processes:
        out, err = process.communicate()
        if process.returncode:
            sys.exit(f"a process failed: {err}")
        results.append(json.loads(out))
    return results


def main() -> None:
    """Print a line per round, then the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--engine", action="store_true")
    options = parser.parse_args()
    slowest, alone = [], []
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "code.py"
        code.write_text(ENGINE if options.engine else FUNCTIONS)
        for number in range(options.rounds):
            started = time.perf_counter()
            single = ended([start(code, Path(folder) / f"alone{number}")])[0]
            alone.append(time.perf_counter() - started)
            started = time.perf_counter()
            cache = Path(folder) / f"shared{number}"
            results = ended([start(code, cache) for _ in range(options.processes)])
            slowest.append(time.perf_counter() - started)
            if any(result[1:] != single[1:] for result in results):
                sys.exit(f"round {number + 1}: other spikes than alone")
            if list(cache.rglob("*.tmp*")):
                sys.exit(f"round {number + 1}: a file that was not finished")
            print(f"round {number + 1}: alone {alone[-1]:.1f} s, the last of "
                  f"{options.processes} at once {slowest[-1]:.1f} s", flush=True)
    print(f"{options.rounds} rounds, {options.rounds * options.processes} processes, all right; "
          f"median alone {statistics.median(alone):.1f} s, "
          f"last at once {statistics.median(slowest):.1f} s")


if __name__ == "__main__":
    main()
