"""Ten strategies in one batch against one integrated solve and a loop of ten fresh solves.

    python benchmarks/strategies.py [--cases fresh apparel] [--jobs 2] [--gap 0.01]

The strategies: as-is, integrated, each of the six levers alone, the integrated one with its promise a step
faster, and with a fifth more demand. All three are measured one after the other in one run, with the same
gaps. Every cost of the batch is compared with that of the fresh solve, and every lever with as-is: the run
fails where they differ by more than the gaps allow.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from measure import RESULTS

import scopt
from scopt.batch import cores
from scopt.case import ORDER, Case

CASES = Path(__file__).resolve().parent.parent / "cases"
FASTER = {"small": ("online", 1), "fresh": ("next_morning", 0.375), "apparel": ("online", 1)}
"""Channel of each example whose promise becomes faster, and the promise in days."""


def ten(name: str) -> Case:
    """The example case with the ten strategies in place of its own."""
    case = scopt.read_case(CASES / f"{name}.xlsx")
    alone = [
        {"strategy": f"only_{on}"} | {lever: "yes" if lever == on else "no" for lever in ORDER}
        for on in ORDER
    ]
    channel, days = FASTER[name]
    promise = {"sheet": "channels", "where": f"channel={channel}", "column": "response_days", "value": days}
    demand = {"sheet": "demand", "column": "units", "operation": "multiply", "value": 1.2}
    return case.replace(
        strategies=[*alone, {"strategy": "faster"}, {"strategy": "busier"}],
        changes=[{"strategy": "faster"} | promise, {"strategy": "busier"} | demand],
    )


def measure(name: str, gap: float, jobs: int) -> str:
    """One example: seconds of the three, and the costs side by side, as a page."""
    case = ten(name)
    clock = time.perf_counter()
    fresh = {"integrated": scopt.solve(case, "integrated", gap=gap)}
    alone = loop = time.perf_counter() - clock
    seconds = {"integrated": alone}
    print(f"{name}: one integrated solve {alone:.1f} s", flush=True)
    for strategy in case.strategies:
        if strategy not in fresh:
            clock = time.perf_counter()
            fresh[strategy] = scopt.solve(case, strategy, gap=gap)
            seconds[strategy] = time.perf_counter() - clock
            loop += seconds[strategy]
            print(f"{name}: {strategy} {seconds[strategy]:.1f} s", flush=True)
    clock = time.perf_counter()
    batch = scopt.compare(case, gap=gap, jobs=jobs)
    together = time.perf_counter() - clock
    print(f"{name}: batch {together:.1f} s", flush=True)
    lines = [
        f"## {name}, gap {gap:g}, {jobs} processes on {cores()} cores",
        "",
        "| | seconds | integrated solves |",
        "|---|---|---|",
        f"| one integrated solve | {alone:.1f} | 1 |",
        f"| loop of ten fresh solves | {loop:.1f} | {loop / alone:.2f} |",
        f"| batch of the ten | {together:.1f} | {together / alone:.2f} |",
        "",
        "| strategy | fresh: cost | gap | seconds | batch: cost | gap | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for strategy, result in batch.results.items():
        one = fresh[strategy]
        row = [*figures(one), f"{seconds[strategy]:.1f}", *figures(result), f"{result.seconds:.1f}"]
        lines.append(f"| {strategy} | {' | '.join(row)} |")
        if one.cost is None or result.cost is None:
            assert one.status == result.status == "infeasible", strategy
            continue
        assert max(one.bound, result.bound) <= min(one.cost, result.cost) * (1 + 1e-6), strategy
        if strategy.startswith("only_"):
            assert result.cost <= batch.results["as_is"].cost * (1 + gap), strategy
            assert batch.results["integrated"].cost <= result.cost * (1 + gap), strategy
    return "\n".join(lines)


def figures(result: scopt.Result) -> list[str]:
    """Cost and gap, or that there is no design."""
    return ["no design", ""] if result.cost is None else [f"{result.cost:,.0f}", f"{result.gap:.4f}"]


def main() -> None:
    """Measure the cases that are asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=["fresh", "apparel"], choices=[*FASTER])
    parser.add_argument("--jobs", type=int, default=cores())
    parser.add_argument("--gap", type=float, default=0.01)
    parser.add_argument("--output", type=Path, default=RESULTS / "strategies.md")
    options = parser.parse_args()
    pages = [measure(name, options.gap, options.jobs) for name in options.cases]
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text("\n\n".join(["# Strategies in a batch", *pages, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
