"""Solves against exhaustive enumeration with the true square root on random tiny cases.

``enumerated.csv`` holds what the oracle found, so that the suite stays quick; `test_stored_costs_are_the_oracles`
enumerates a sample anew. Write the file again with ``python tests/test_enumeration.py``.
"""

import csv
from pathlib import Path

import pytest
from oracle import AS_IS, INTEGRATED, best_cost, only
from tiny_cases import features, tiny_case

import scopt
from scopt.case import Case

STORED = Path(__file__).with_name("enumerated.csv")
SEEDS = range(220)
LEVERS = ("remove", "add", "direct", "outsource", "restock", "o2o")


def without(lever):
    return only(*(other for other in LEVERS if other != lever))


def stored():
    with STORED.open() as file:
        return {
            (int(row["seed"]), row["strategy"]): float(row["cost"]) if row["cost"] else None
            for row in csv.DictReader(file)
        }


def tolerance(frames):
    # A stock point counts as kept from a ten-thousandth of its flow on, the oracle takes the limit of no flow.
    limits = frames.get("limits")
    return 1e-4 if limits is not None and (limits["measure"] == "changes").any() else 1e-5


COSTS = stored() if STORED.exists() else {}


@pytest.mark.parametrize("block", range(0, len(SEEDS), 10))
def test_cost_and_bound_agree_with_enumeration(block):
    for seed in SEEDS[block : block + 10]:
        frames = tiny_case(seed)
        case = Case.from_frames(frames)
        for strategy in ("as_is", "integrated"):
            truth = COSTS[seed, strategy]
            result = scopt.solve(case, strategy, gap=1e-6, time_limit=60)
            if truth is None:
                assert result.status == "infeasible", (seed, strategy)
                continue
            slack = tolerance(frames) * max(1.0, abs(truth))
            assert result.cost == pytest.approx(truth, abs=slack), (seed, strategy, features(frames))
            assert result.bound <= truth + slack, (seed, strategy)
            assert result.checks["ok"].all(), (
                seed,
                strategy,
                result.checks[~result.checks["ok"]].to_string(),
            )


@pytest.mark.parametrize("lever", LEVERS)
def test_a_lever_more_never_costs_more(lever):
    levers = {other: "no" if other == lever else "yes" for other in LEVERS}
    compared = 0
    for seed in range(12):
        frames = tiny_case(seed) | {"strategies": [{"strategy": "less", **levers}]}
        case = Case.from_frames(frames)
        all_on, less = (scopt.solve(case, name, gap=1e-6) for name in ("integrated", "less"))
        if less.cost is not None and all_on.cost is not None:
            compared += 1
            assert less.cost >= all_on.bound - 1e-6 * abs(all_on.cost), (seed, lever)
    assert compared >= 8


@pytest.mark.parametrize("seed", range(0, 220, 11))
def test_stored_costs_are_the_oracles(seed):
    frames = tiny_case(seed)
    for strategy, levers in (("as_is", AS_IS), ("integrated", INTEGRATED)):
        found, kept = best_cost(frames, levers), COSTS[seed, strategy]
        assert (found is None) == (kept is None)
        assert found is None or found == pytest.approx(kept, rel=1e-6)


def test_the_cases_cover_what_they_should():
    seen = [features(tiny_case(seed)) for seed in SEEDS]
    assert len(SEEDS) >= 200
    wanted = (
        "promise above zero", "several pools", "no review", "unused existing site", "negative closing cost",
        "tariff incremental rising", "tariff incremental falling", "tariff all_units rising",
        "tariff all_units falling",
    )  # fmt: skip
    for feature in wanted:
        assert sum(feature in found for found in seen) >= 10, feature


def write():
    with STORED.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["seed", "strategy", "cost"])
        for seed in SEEDS:
            frames = tiny_case(seed)
            for strategy, levers in (("as_is", AS_IS), ("integrated", INTEGRATED)):
                cost = best_cost(frames, levers)
                out.writerow([seed, strategy, "" if cost is None else repr(round(cost, 6))])


if __name__ == "__main__":
    write()
