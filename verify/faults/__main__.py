"""Try every fault of its kind: units, keys, files, environments, objects, processes, limits.

Each case is right, or refused in one line; never silently different, a traceback or a hang.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

from case import Case, Stopwatch, judged

MODULES = ("units", "configs", "tables", "spike_files", "other_circuits",
           "delays", "overlays", "memory", "borrowed",
           "environment", "objects", "containers",
           "processes", "records")
#: Processes at a time.
BESIDE = 2


def tried(cases: list[Case], place: Path) -> Iterator[tuple[Case, str]]:
    """Yield every case with what is wrong with it; those of their own processes go together."""
    def try_one(numbered: tuple[int, Case]) -> tuple[Case, str]:
        number, case = numbered
        return case, judged(case, place / f"{number:04d}")

    numbered = list(enumerate(cases))
    with ThreadPoolExecutor(BESIDE) as pool:
        yield from pool.map(try_one, [item for item in numbered if item[1].apart])
    yield from map(try_one, [item for item in numbered if not item[1].apart])


def main() -> int:
    """Try the cases and print counts by kind and the failed ones; return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", action="append", help="only this kind, repeatable")
    parser.add_argument("--list", action="store_true", help="name the cases, try none")
    arguments = parser.parse_args()
    kinds = {module.KIND: module for module in map(import_module, MODULES)}
    if unknown := set(arguments.kind or ()) - set(kinds):
        parser.error(f"--kind: must be one of {', '.join(kinds)} (got {', '.join(unknown)})")
    failed: list[tuple[str, Case, str]] = []
    total, back = 0, Path.cwd()
    if not arguments.list:
        print(f"{'kind':<24}{'cases':>7}{'passed':>8}{'failed':>8}{'seconds':>9}")
    with tempfile.TemporaryDirectory() as place:
        for kind in arguments.kind or kinds:
            cases = kinds[kind].cases()
            total += len(cases)
            if arguments.list:
                print(*(f"{kind}: {case.name} ({case.expect})" for case in cases), sep="\n")
                continue
            watch, before = Stopwatch(), len(failed)
            folder = Path(place) / kind.replace(" ", "_")
            folder.mkdir()
            failed += [(kind, case, what) for case, what in tried(cases, folder) if what]
            os.chdir(back)
            bad = len(failed) - before
            print(f"{kind:<24}{len(cases):>7}{len(cases) - bad:>8}{bad:>8}{watch.seconds:>9.1f}",
                  flush=True)
    if arguments.list:
        print(f"{total} cases")
        return 0
    for kind, case, what in failed:
        print(f"{kind}: {case.name} ({case.expect}): {' '.join(what.split())[:240]}")
    print(f"{total - len(failed)} passed, {len(failed)} failed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
