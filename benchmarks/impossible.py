"""Twenty-five impossible cases: what is told first, whether it helps, and how long it takes.

    python benchmarks/impossible.py [small|apparel] [NAME …]

Prints a row for each case: its kind, the rules of the least relaxation, whether the true cause is first, the
status under it, and the time of the diagnosed solve over that of the example case before it was spoiled, both
measured in this run.
"""

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import impossible  # noqa: E402

import scopt  # noqa: E402


def seconds(case, **options):
    """Result of a solve and the time that it took."""
    begin = time.perf_counter()
    result = scopt.solve(case, **options)
    return result, time.perf_counter() - begin


def base_seconds(base):
    """Median time of the example case as it is; one run of a large one."""
    case = scopt.read_case(impossible.CASES / f"{base}.xlsx")
    scopt.build(case)  # imports are not what is measured
    return sorted(seconds(case)[1] for _ in range(5 if base == "small" else 1))[-1 if base != "small" else 2]


def row(name, one, base):
    """What became of one case."""
    case = one.make()
    result, taken = seconds(case)
    told = result.diagnosis
    rules = told.loc[told["option"] == 1, "rule"].tolist()
    first = rules[: len(one.causes)]
    found = all(cause & set(first) for cause in one.causes)
    relaxed = scopt.solve(case, relax=True)
    told_first = "yes" if found else "NO"
    rules = ", ".join(dict.fromkeys(rules))
    return [name, one.kind, one.base, rules, told_first, relaxed.status, f"{taken / base:.2f}"]


def main(wanted):
    cases = {
        name: one
        for name, one in (impossible.ONE_CAUSE | impossible.TWO_CAUSES).items()
        if not wanted or name in wanted or one.base in wanted
    }
    print("| case | kind | made from | least relaxation | true cause first | relaxed | time |")
    print("|---|---|---|---|---|---|---|")
    bases = {}
    for name, one in cases.items():
        if one.base not in bases:
            bases[one.base] = base_seconds(one.base)
        print("| " + " | ".join(row(name, one, bases[one.base])) + " |", flush=True)
    for base, taken in bases.items():
        print(f"\n{base} itself: {taken:.2f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
