"""Judge the published targets on several engines, and tell where one finds another verdict.

The quick targets by default (`--full` for all): on `reference` and on Brian2's runtime mode in this
environment, on NEST in one that has it. An engine without the draws of `numba` may differ where a
target is met or missed by little; every such row is printed with both values. Networks take
`reference` and NEST hours: `--only 1` is single cells.
"""

import argparse
import sys

from neostriatum.validation.validate import validate


def brief(measured):
    """Return what was measured, short."""
    if isinstance(measured, float):
        return f"{measured:.4g}"
    return str(measured)[:70]


def main():
    """Print a row per engine and every verdict that is not that of the first one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*", default=["numba", "reference", "brian2-runtime"])
    parser.add_argument("--full", action="store_true", help="all targets")
    parser.add_argument("--only", nargs="*", default=[], help="ids or groups")
    arguments = parser.parse_args()
    first, differ = {}, 0
    print(f"{'engine':<16}{'met':>6}{'missed':>8}{'not suited':>12}{'seconds':>9}")
    for name in arguments.engines:
        made = validate(engine=name, quick=not arguments.full, only=tuple(arguments.only))
        print(f"{name:<16}{made['passed']:>6}{made['failed']:>8}{made['unsuited']:>12}"
              f"{made['seconds']:>9}", flush=True)
        for row in made["targets"]:
            one = first.setdefault(row["id"], row)
            if row["error"] or row["pass"] != one["pass"]:
                differ += 1
                print(f"  {row['id']}: {brief(one['measured'])} with {arguments.engines[0]}, "
                      f"{row['error'] or row['unsuited'] or brief(row['measured'])}", flush=True)
    print(f"{differ} other verdicts")
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main())
