"""Tables of times to a gap, and what is asked of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import gaps
from measure import figure, geometric_mean, table
from peers import PACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from measure import Results

    Record = dict[str, Any]
    Target = tuple[str, str, bool]


def percent(gap: float) -> str:
    """Return a gap as it is spoken of."""
    return f"{100 * gap:g} %"


def slower(record: Record | None, gap: float) -> float:
    """Return how many times longer HiGHS took beside a record, or its run for a gap, than once (`PACE`)."""
    record = record or {}
    return float(record.get("paces", {}).get(str(gap), record.get("pace", PACE)) / PACE)


def _asked(record: Record, gap: float) -> bool:
    """Whether a gap was asked for, or nothing is known."""
    times = record.get("times") or {}
    return not times or str(gap) in times


class Instance:
    """Everything measured on one instance: `scopt` in one record, and the others by solver and form."""

    def __init__(self, records: list[Record], among: tuple[float, ...]) -> None:
        self.job, self.gaps = records[0]["job"], among
        ours = [one for one in records if one["job"]["solver"] == "scopt" and "times" in one]
        self.optimum = records[0].get("optimum")
        self.ours = self._joined(ours)
        self.others = {
            (one["job"]["solver"], one["job"]["form"]): one
            for one in records
            if one["job"]["solver"] != "scopt"
        }

    def _joined(self, runs: list[Record]) -> Record | None:
        """Join the runs of scopt at each gap."""
        if not runs:
            return None
        times: dict[str, float | None] = {}
        for run in runs:
            times |= run["times"]
        last = min(runs, key=lambda run: math.inf if run["gap"] is None else run["gap"])
        paces = {gap: run.get("pace", PACE) for run in runs for gap in run["times"]}
        return last | {"times": times, "paces": paces, "peak_mb": max(run["peak_mb"] for run in runs)}

    @property
    def name(self) -> str:
        job = self.job
        if job["part"] == "redesign":
            return f"{job['size']} {job['variant']}, seed {job['seed']}"
        short = job["file"].removesuffix(".txt").removeprefix("kstar_")
        return f"{short} {job['capacity']}".strip()

    def time(self, record: Record | None, gap: float) -> tuple[float, bool]:
        """Seconds to a gap and whether it was reached; else the seconds that were not enough.

        Without end where that gap was not asked for.
        """
        if record is None or not _asked(record, gap):
            return math.inf, False
        found = (record.get("times") or {}).get(str(gap))
        return (record["limit"], False) if found is None else (found, True)

    def even(self, record: Record | None, gap: float) -> tuple[float, bool]:
        """Seconds at the pace of the machine of the published rows, and whether it was reached."""
        seconds, reached = self.time(record, gap)
        return seconds / slower(record, gap), reached

    def best(self, gap: float, form: Callable[[str], bool], *, even: bool = False) -> tuple[float, bool, str]:
        """Return the time of the quickest other solver, whether it reached the gap, and which it is.

        One that did not arrive might have done so right after its limit.
        """
        measured = self.even if even else self.time
        found = [
            (seconds, not reached, f"{solver} {of}")
            for (solver, of), one in self.others.items()
            if form(of) and not _crashed(one)
            for seconds, reached in [measured(one, gap)]
        ]
        seconds, late, who = min(found, default=(math.inf, True, ""))
        return seconds, not late, who

    def ratio(self, gap: float, form: Callable[[str], bool]) -> float | None:
        """Return our time over that of the quickest other: at least so good where that one did not arrive."""
        seconds, reached = self.even(self.ours, gap)
        other, *_ = self.best(gap, form, even=True)
        return seconds / other if reached and math.isfinite(other) else None


def _crashed(record: Record) -> bool:
    return record.get("failed") not in (None, "time", "memory")


def _grouped(records: Iterable[Record], among: tuple[float, ...]) -> list[Instance]:
    groups: dict[str, list[Record]] = {}
    for one in records:
        key = {k: v for k, v in one["job"].items() if k not in ("solver", "form", "gaps")}
        groups.setdefault(str(key), []).append(one)
    return [Instance(group, among) for group in groups.values()]


def shown(seconds: float, reached: bool) -> str:
    """Return a time, with > where it was not enough."""
    return figure(seconds) if reached or not math.isfinite(seconds) else f"> {figure(seconds)}"


def any_form(form: str) -> bool:
    return True


def is_textbook(form: str) -> bool:
    return form == "textbook"


def is_own(form: str) -> bool:
    return form == "own"


# -- published families --------------------------------------------------------------------------------------


def published(kept: Results) -> str:
    """Time on every instance, geometric means by family, and every solver by itself."""
    among = gaps.PUBLISHED_GAPS
    found = _grouped(kept.records, among)
    rows = []
    for one in found:
        best = [one.best(gap, any_form) for gap in among]
        rows.append(
            [
                one.name,
                *(shown(*one.time(one.ours, gap)) for gap in among),
                *(f"{shown(seconds, reached)} {who}" for seconds, reached, who in best),
                *(figure(one.ratio(gap, any_form), " ×") for gap in among),
                _right(one),
            ]
        )
    names = [percent(gap) for gap in among]
    head = [
        "",
        *(f"scopt {n}" for n in names),
        *(f"best other {n}" for n in names),
        *(f"time {n}" for n in names),
    ]
    families = [family for family in gaps.FAMILIES if any(one.job["family"] == family for one in found)]
    means = [
        [family, len(mine), *(
            figure(geometric_mean(_ratios(mine, gap, form)), " ×")
            for form in (is_textbook, any_form)
            for gap in among
        )]
        for family, mine in [
            *((family, _of(found, family)) for family in families),
            ("all", found), ("not used for tuning", _fresh(found)),
        ]
    ]  # fmt: skip
    return "\n\n".join(
        [
            "Geometric mean of scopt's time over that of the quickest other solver, on the textbook form and "
            "on the better of the two:",
            table(
                ["", "instances", *(f"textbook, {n}" for n in names), *(f"either, {n}" for n in names)], means
            ),
            "Every solver by itself, geometric mean of seconds to "
            f"{' / '.join(names)}, its limit where it did not arrive (how often it did):",
            table(["", *families], _each(found, families, among)),
            table([*head, "optimum kept"], rows),
        ]
    )


def _ratios(found: list[Instance], gap: float, form: Callable[[str], bool]) -> list[float]:
    return [ratio for one in found if (ratio := one.ratio(gap, form)) is not None]


def _of(found: list[Instance], family: str) -> list[Instance]:
    return [one for one in found if one.job["family"] == family]


def _fresh(found: list[Instance]) -> list[Instance]:
    """Those that the method was not tuned on."""
    return [one for one in found if one.name in gaps.FRESH]


def _right(one: Instance) -> str:
    """Whether every bound and cost stands on its side of the published optimum, where that is known."""
    if one.optimum is None:
        return "–"
    wrong = [
        f"{record['job']['solver']} {record['job']['form']}".strip()
        for record in [one.ours, *one.others.values()]
        if record is not None and not _sound(record, one.optimum)
    ]
    return "yes" if not wrong else f"**not by {', '.join(wrong)}**"


def _sound(record: Record, optimum: float) -> bool:
    slack = 2e-5 * abs(optimum)
    bound, cost = record.get("bound"), record.get("cost")
    return (bound is None or bound <= optimum + slack) and (cost is None or cost >= optimum - slack)


def _each(found: list[Instance], families: list[str], among: tuple[float, ...]) -> list[list[str]]:
    who = ["scopt", *dict.fromkeys(key for one in found for key in one.others)]
    rows = []
    for key in who:
        cells = []
        for family in families:
            mine = _of(found, family)
            records = [one.ours if key == "scopt" else one.others.get(key) for one in mine]
            parts = []
            for gap in among:
                times = [one.time(r, gap) for one, r in zip(mine, records, strict=True) if r is not None]
                mean = geometric_mean(max(seconds, 1e-3) for seconds, _ in times)
                parts.append(f"{figure(mean)} ({sum(reached for _, reached in times)})")
            cells.append(" / ".join(parts))
        rows.append([key if key == "scopt" else " ".join(key), *cells])
    return rows


def published_targets(kept: Results) -> list[Target]:
    """A quarter of the time of the best other to 1 %, half of it to 0.1 %, in geometric mean; and proofs."""
    found, out = _grouped(kept.records, gaps.PUBLISHED_GAPS), []
    for some, form, told in (
        (_fresh(found), is_textbook, "the best other on the textbook model, files not used for tuning"),
        (found, is_textbook, "… all files"),
        (found, any_form, "… all files, on either model"),
    ):
        for gap, most in ((0.01, 0.25), (0.001, 0.5)):
            mean = geometric_mean(_ratios(some, gap, form))
            missed = sum(not one.time(one.ours, gap)[1] for one in some)
            text = f"{figure(mean, ' ×')} of {len(some)}, {missed} not reached"
            out.append(
                (f"published: time to {percent(gap)} at most {most} × {told}", text,
                 mean is not None and mean <= most and not missed)
            )  # fmt: skip
    return out + _families(found) + _proofs(found)


def _families(found: list[Instance]) -> list[Target]:
    """On no family slower than the best other on the textbook model."""
    means = [
        (mean, family)
        for family in gaps.FAMILIES
        for gap in (0.01, 0.001)
        if (mean := geometric_mean(_ratios(_of(found, family), gap, is_textbook))) is not None
    ]
    if not means:
        return []
    mean, family = max(means)
    told = "… on no family slower than the best other on the textbook model, to 1 % and 0.1 %"
    return [(told, f"slowest: {family} {figure(mean, ' ×')}", mean <= 1)]


def _proofs(found: list[Instance]) -> list[Target]:
    """Published optima that are to be proven, and how soon."""
    out = []
    for what, starts, count, gap, limit in (
        ("all eight two_echelon_large proven to 0.01 % at the published optimum", "nI", 8, 0.0001, math.inf),
        ("MP1 at its optimum", "MP1", 1, 0.0001, math.inf),
        ("capb to 0.1 % for all four capacities within 180 s each", "capb", 4, 0.001, 180.0),
    ):
        mine = [one for one in found if one.name.startswith(starts)]
        if not mine:
            continue
        times = [one.time(one.ours, gap) for one in mine]
        right = [
            reached and seconds <= limit and (gap > 0.0001 or _at_optimum(one))
            for one, (seconds, reached) in zip(mine, times, strict=True)
        ]
        slowest = max(seconds for seconds, _ in times)
        out.append((what, f"{sum(right)} of {len(mine)}, slowest {figure(slowest)} s", sum(right) == count))
    return out


def _at_optimum(one: Instance) -> bool:
    """Whether the design of the tightest gap costs what is published."""
    cost = None if one.ours is None else one.ours.get("cost")
    return cost is not None and one.optimum is not None and abs(cost - one.optimum) <= 1e-6 * one.optimum


# -- redesign cases ------------------------------------------------------------------------------------------


def redesign(kept: Results) -> str:
    """Times, memory and ratios on every case."""
    among = gaps.REDESIGN_GAPS
    found = sorted(_grouped(kept.records, among), key=lambda one: list(gaps.SIZES).index(one.job["size"]))
    rows, ratios = [], []
    for one in found:
        for key, record in [(("scopt", ""), one.ours), *one.others.items()]:
            if record is None:
                continue
            gap = record.get("gap")
            paces = [figure(slower(record, at)) for at in among if _asked(record, at)]
            rows.append(
                [
                    one.name, " ".join(key).strip(), f"{record.get('columns', 0):,}",
                    ", ".join(dict.fromkeys(paces)),
                    *(shown(*one.time(record, gap)) for gap in among),
                    "–" if gap is None else f"{100 * gap:.3f} %", figure(record["peak_mb"]),
                    record.get("failed", ""),
                ]
            )  # fmt: skip
        if one.others:
            cells = []
            for form, wanted in ((is_textbook, (0.01,)), (is_own, (0.01, 0.005))):
                for gap in wanted:
                    _, reached, who = one.best(gap, form)
                    ratio = one.ratio(gap, form)
                    sign = "" if reached else "> "
                    cells.append("–" if ratio is None else f"{sign}{figure(1 / ratio)} ({who})")
            ratios.append([one.name, *cells])
    names = [percent(gap) for gap in among]
    head = [
        "",
        "solver, form",
        "columns",
        "slower by",
        *(f"s to {n}" for n in names),
        "gap at the end",
        "peak MB",
        "failed",
    ]
    return "\n\n".join(
        [
            "How many times faster scopt is than the quickest solver on the textbook model, and than HiGHS "
            "on scopt's own rows:",
            table(["", "textbook, 1 %", "own rows, 1 %", "own rows, 0.5 %"], ratios),
            table(head, rows),
        ]
    )


def redesign_targets(kept: Results) -> list[Target]:
    """Times that are asked of the sizes, and ratios to others."""
    found, out = _grouped(kept.records, gaps.REDESIGN_GAPS), []
    for size, gap, most in (("80x3", 0.005, 10.0), ("200x3", 0.005, 90.0), ("540x3", 0.01, 600.0)):
        mine = [one for one in found if one.job["size"] == size]
        for measured, told in (
            (Instance.time, f"{size} to {percent(gap)} within {most:g} s"),
            (Instance.even, "… at the pace of the machine of the published rows"),
        ):
            times = [measured(one, one.ours, gap) for one in mine]
            if times:
                worst, late = max(seconds for seconds, _ in times), sum(not reached for _, reached in times)
                mean = geometric_mean(seconds for seconds, _ in times) or 0.0
                text = f"slowest of {len(times)}: {figure(worst)} s, mean {figure(mean)}, {late} not reached"
                out.append((told, text, not late and worst <= most))
    large = [one.ours["peak_mb"] for one in found if one.job["size"] == "540x3" and one.ours]
    if large:
        out.append(("540x3 within 12 GB", f"{figure(max(large) / 1024)} GB", max(large) <= 12 * 1024))
    for form, told, least in ((is_textbook, "the best other on the textbook model", 10.0),
                              (is_own, "HiGHS on scopt's own rows", 2.0)):  # fmt: skip
        compared = [one for one in found if any(form(of) for _, of in one.others)]
        times_faster = [1 / r for one in compared if (r := one.ratio(0.01, form)) is not None]
        if compared:
            low, mean = min(times_faster, default=0.0), geometric_mean(times_faster) or 0.0
            late = len(compared) - len(times_faster)
            text = f"mean {figure(mean)}, least {figure(low)}, {late} not reached"
            asked = f"{least:g} times faster to 1 % than {told}, in geometric mean"
            out.append((asked, text, not late and mean >= least))
    return out
