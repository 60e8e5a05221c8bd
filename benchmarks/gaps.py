"""Time to a proven gap: published families and generated redesign cases, scopt against other solvers.

scopt is run anew for every gap, as a user would ask for it, from a case in memory to the design with all of
its tables; its time is that of the event in which the gap was first reported. Another solver runs once, from
the same data in memory; its times are read off its trace. Other solvers are given several times what scopt
took, so `>` before a time says that the gap was not reached by then.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import generator
import peers
import textbook
from measure import Results, repeated, serve

from scopt.case import Case
from scopt.network import expand
from scopt.solved import chain_of, search
from scopt.solving import options_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    Record = dict[str, Any]

FAMILIES = ("two_echelon_large", "orlib_cap", "ufl", "single_source")
FRESH = (
    "nI20_nJ20_nK100_nL10_tI6_tJ6_s1", "nI20_nJ40_nK100_nL10_tI6_tJ6_s1", "capa 10000", "B1.1", "111EuclS",
)  # fmt: skip
"""Published files that were only measured: no choice of the method was made or checked on them."""

PUBLISHED_GAPS, REDESIGN_GAPS = (0.01, 0.001, 0.0001), (0.01, 0.005, 0.001, 0.0001)
SIZES = {"24x1": (24, 1), "80x3": (80, 3), "200x3": (200, 3), "540x3": (540, 3)}
VARIANTS = {
    "plain": {},
    **{name: {name: True} for name in generator.SWITCHES},
    "all": dict.fromkeys(generator.SWITCHES, True),
}
FORMS = ("textbook", "strong", "own")
TIMES = 12.0
"""Multiple of scopt's time that another solver has."""


# -- in the process of the measurement -----------------------------------------------------------------------


def work(job: Record) -> Record:
    """Measure one solver on one instance."""
    if job["part"] == "published":
        sheets = _sheets(job)
        case = Case.from_frames(sheets) if job["solver"] == "scopt" else None
    else:
        size = SIZES[job["size"]]
        case = generator.case(*size, job["seed"], **VARIANTS[job["variant"]])
    if job["solver"] == "scopt":
        assert case is not None
        search(generator.case(4, 1), "integrated", options_for(case, time_limit=5))  # imports do not count
        return _scopt(case, job)
    trace = peers.Trace()
    if job["part"] == "published":
        model = textbook.published(sheets, job["form"])
    else:
        model = textbook.redesign(case, job["form"])
    built = trace.seconds
    peers.PEERS[job["solver"]](model, trace, job["limit"], min(job["gaps"]))
    size = {"columns": len(model.cost), "rows": model.matrix.shape[0], "whole": int(model.integer.sum())}
    return _record(trace, job["gaps"]) | size | {"build": built}


def _scopt(case: Case, job: Record) -> Record:
    options = options_for(case, gap=min(job["gaps"]), time_limit=job["limit"])
    trace = peers.Trace()
    found = search(
        case,
        "integrated",
        options,
        why=False,
        progress=lambda event: trace.tell(event.bound, event.incumbent),
    )
    trace.tell(found.bound, found.cost)
    record = _record(trace, job["gaps"])
    if found.tables and not found.tables["checks"]["ok"].all():
        record["failed"] = "checks"
    return record | {"columns": expand(chain_of(case, "integrated")).size}


def _record(trace: peers.Trace, gaps: list[float]) -> Record:
    known = {"cost": trace.cost, "bound": trace.bound, "gap": trace.gap}
    times = {str(gap): trace.time_to(gap) for gap in gaps}
    return {
        "seconds": trace.seconds,
        "times": times,
        "odd": trace.odd,
        **{key: value if abs(value) < 1e300 else None for key, value in known.items()},
    }


def _sheets(job: Record) -> dict[str, Any]:
    """Sheets of a published instance, by the converter that lies beside the data."""
    data = Path(job["data"])
    spec = importlib.util.spec_from_file_location("to_case", data / "to_case.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sheets: dict[str, Any] = module.load(data / job["family"] / job["file"], job["capacity"] or None)
    return sheets


# -- what is measured ----------------------------------------------------------------------------------------


def instances(data: Path) -> Iterator[tuple[Record, float | None]]:
    """Published instances of the families, and their optima where the data are those published."""
    with (data / "optima.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            wanted = row["family"] != "orlib_cap" or row["file"].startswith(("capa", "capb"))
            if row["family"] in FAMILIES and wanted:
                key = {"family": row["family"], "file": row["file"], "capacity": row["capacity"]}
                yield key, float(row["optimum"]) if _as_published(data, key) else None


def _as_published(data: Path, key: Record) -> bool:
    """Whether a file holds what was published: in copies of capa and capb every 300 has become 1000."""
    return key["family"] != "orlib_cap" or "300" in (data / key["family"] / key["file"]).read_text("latin-1")


def measure_published(asked: Any) -> None:
    """Measure every family; nothing where the data are not there."""
    if not (asked.data / "optima.csv").exists():
        print(f"published: skipped, there is no {asked.data / 'optima.csv'}", file=sys.stderr)
        return
    kept = Results("published")
    for key, optimum in instances(asked.data):
        name = f"{key['family']}/{key['file']} {key['capacity']}"
        if asked.only not in name:
            continue
        base = {"part": "published", **key}
        forms = [(peer, form) for form in ("textbook", "strong") for peer in peers.PEERS]
        _measure(kept, base, PUBLISHED_GAPS, forms, asked, {"optimum": optimum})


def measure_redesign(asked: Any) -> None:
    """Measure every size, variant and seed."""
    kept = Results("redesign")
    forms = [*((peer, "textbook") for peer in peers.PEERS), ("highs", "own")]
    for size in SIZES:
        for variant in VARIANTS:
            for seed in asked.seeds:
                base = {"part": "redesign", "size": size, "variant": variant, "seed": seed}
                if asked.only in f"{size} {variant} {seed}":
                    # Variants between nothing and everything are measured with scopt alone.
                    some = forms if variant in ("plain", "all") and seed == asked.seeds[0] else []
                    _measure(kept, base, REDESIGN_GAPS, some, asked, {})


def _measure(
    kept: Results,
    base: Record,
    gaps: tuple[float, ...],
    forms: list[tuple[str, str]],
    asked: Any,
    more: Record,
) -> None:
    """Run scopt for every gap until one is missed, then the others."""
    where = {"data": str(asked.data)} if base["part"] == "published" else {}
    taken = {}
    for gap in [gap for gap in gaps if gap >= asked.tightest]:
        job = base | {"solver": "scopt", "form": "", "gaps": [gap]}
        found = _kept_or_run(kept, job, where, asked.limit, asked, more)
        taken[gap] = (found.get("times") or {}).get(str(gap))
        if taken[gap] is None:
            break
    to_percent = [taken[gap] or asked.limit for gap in gaps[:2] if gap in taken]
    patience = min(asked.patience, max(asked.least, TIMES * max(to_percent)))
    for peer, form in forms:
        if peer in asked.peers and form in asked.forms and peers.available(peer):
            job = base | {"solver": peer, "form": form, "gaps": list(gaps)}
            _kept_or_run(kept, job, where, patience, asked, more)


def _kept_or_run(kept: Results, job: Record, where: Record, limit: float, asked: Any, more: Record) -> Record:
    """Return what is kept of a job, unless it shall be measured again."""
    if (found := kept.get(job)) is not None and not asked.again:
        return found
    run = job | where | {"limit": limit}
    before, begin = peers.pace(), time.perf_counter()
    # Building and reporting come on top of the limit, and some solvers look at the clock seldom.
    found = repeated("gaps", run, asked.repeats, seconds=2 * limit + 120)
    wall = time.perf_counter() - begin
    return kept.put(
        job, found | more | {"limit": limit, "wall": wall, "pace": (before * peers.pace()) ** 0.5}
    )


if __name__ == "__main__":
    serve(work)
