"""Why a decision is as it is: the strategy solved again with the decision forced the other way."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scopt.chain import Chain
from scopt.questions.breakeven import Answer, Line, break_even
from scopt.questions.decision import find
from scopt.questions.explanation import Explanation
from scopt.questions.price_list import choose
from scopt.questions.rules import rules, stock_is_compulsory, stops
from scopt.questions.runs import Runs
from scopt.solving import build

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scopt.case import Case
    from scopt.models import Model
    from scopt.progress import Progress
    from scopt.questions.decision import Decision
    from scopt.questions.prices import Price
    from scopt.result import Result

__all__ = ["why"]


def why(
    case: Case,
    *,
    site: str | None = None,
    lane: str | None = None,
    stock: str | None = None,
    operator: str | None = None,
    mode: str | None = None,
    product: str | None = None,
    channel: str | None = None,
    strategy: str = "integrated",
    price: str | Iterable[str] | None = None,
    check: bool = True,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Tell why a decision of a strategy is as it is.

    The strategy is solved as it is, and again with the decision forced the other way. A site is forced open
    or closed, an operator to have something to do or nothing; lanes, stock and goods are forced to run, with
    at least a hundredth of what they could carry, or not to. Then the price is found at which the decision
    flips, and the free strategy is solved a little on both sides of it to see that it does.

    Parameters
    ----------
    case
        The case.
    site, lane, stock, operator
        What is asked about, one of them: a site; ``origin>destination``; a site or ``site:product``; an
        operator.
    mode, operator
        Tell rows of a lane apart; the operator is blank for one's own.
    product, channel
        Narrow a site or a lane to some goods.
    strategy
        Name of a strategy of the case.
    price
        Prices whose break-even is asked for, as columns of the case: ``fixed_cost``, ``unit_cost``,
        ``margin_rate``, ``open_cost``, ``close_cost``, ``replacement_cost``, ``stock_cost``,
        ``contract_cost``. By default the first of those that the decision pays.
    check
        Whether break-evens are tried on both sides, which takes two solves each.
    gap, time_limit, seed, threads
        As in `scopt.solve`, for each solve.
    progress
        Called at every event.

    Returns
    -------
    Explanation
        Also where the decision cannot go the other way: then with what stops it.

    Raises
    ------
    UsageError
        The case has nothing of that name, or the decision has no such price.
    """
    options = {"gap": gap, "time_limit": time_limit, "seed": seed, "threads": threads}
    chain = Chain(case.for_strategy(strategy), case.strategies[strategy])
    decision = find(
        chain, site=site, lane=lane, stock=stock, operator=operator, mode=mode, product=product,
        channel=channel,
    )  # fmt: skip
    names = [price] if isinstance(price, str) else list(price or ())
    prices = choose(chain, decision, names)
    runs = Runs(case, strategy, options, progress)
    return _Work(runs, build(case, strategy), decision, prices, check).run()


def _least_relaxation(forced: Result) -> list[str]:
    """Tell what would have to be relaxed for the decision to go the other way."""
    told = forced.diagnosis
    least = [] if told.empty else told.loc[told["option"] == 1, "text"].tolist()
    return [f"it could go the other way with this: {' and '.join(least)}"] if least else []


@dataclass(eq=False)
class _Work:
    """One call of `why`."""

    runs: Runs
    model: Model
    decision: Decision
    prices: list[Price]
    check: bool

    def run(self) -> Explanation:
        decision, base = self.decision, self.runs("as it is")
        if base.cost is None:
            return Explanation(decision, base, None, messages=base.messages)
        self.messages = list(base.messages)
        self.now = decision.taken(base)
        self.least = self._size(base) if self.now else None
        if self.runs.interrupted:
            self.messages.append("stopped before the decision was forced the other way")
            return Explanation(decision, base, self.now, messages=tuple(self.messages))
        known = rules(self.model, decision, not self.now)
        if known:
            return Explanation(decision, base, self.now, None, known, messages=tuple(self.messages))
        forced = self._forced(not self.now)
        found: tuple[str, ...] = ()
        answers: list[tuple[Price, Answer]] = []
        if forced.status == "infeasible":
            decision.force(self.model, not self.now)
            found = (*stops(self.model), *_least_relaxation(forced))
        elif forced.cost is not None:
            self._say(base, forced)
            answers = [(price, self._break_even(price, base, forced)) for price in self.prices]
        return Explanation(decision, base, self.now, forced, found, tuple(answers), tuple(self.messages))

    def _size(self, result: Result) -> float:
        """Volume that a design runs through the decision, sizes per year."""
        if self.decision.kind == "operator":
            mine = result.outsourcing[result.outsourcing["operator"] == self.decision.name]
            return float(mine["volume"].sum())
        size = self.model.chain.case.products.set_index("product")["size"]
        carried = self.decision.carried(result)
        return float((carried["units"] * size.reindex(carried["product"]).to_numpy()).sum())

    def _forced(self, way: bool, price: Price | None = None, change: float = 0.0) -> Result:
        decision = self.decision

        def extend(model: Model) -> None:
            decision.force(model, way, self.least)
            if price is not None and change:
                price.add(model, change)

        label = f"{decision.name} {decision.word(way)}"
        return self.runs(label if price is None else f"{label}, other {price.name}", extend)

    def _say(self, base: Result, forced: Result) -> None:
        """Say what the figures leave open."""
        word, decision = self.decision.word, self.decision
        if base.cost is None or forced.cost is None:
            return
        if forced.cost < base.cost * (1 - 1e-9):
            self.messages.append(
                f"the design with {decision.name} {word(not self.now)} is cheaper than the first one found, "
                "which is within its gap only: ask for a smaller gap"
            )
        elif forced.bound is None or forced.bound <= base.cost:
            self.messages.append(
                f"that {word(not self.now)} costs more is not proven, the difference is within the gaps: "
                "ask for a smaller gap"
            )
        if decision.whole_site and not self.now and decision.volume(forced) == 0:
            self.messages.append(f"{decision.name} would stand idle: nothing is cheaper by way of it")
        if decision.kind == "stock" and self.now and stock_is_compulsory(self.model.chain, decision):
            self.messages.append("what passes there has to be stocked, so without stock nothing passes")
        for result in (base, forced):
            bills = result.outsourcing
            for name in bills.loc[bills["top_up"] > 0, "operator"] if len(bills) else ():
                self.messages.append(
                    f"{name} is paid its minimum bill; a break-even is on top of it, as if the bill rose too"
                )
        self.messages = list(dict.fromkeys(self.messages))

    # -- break-even ------------------------------------------------------------------------------------------

    def _break_even(self, price: Price, base: Result, forced: Result) -> Answer:
        pays, other = (base, forced) if self.now == price.when_taken else (forced, base)
        least = -np.inf if base.bound is None else base.bound  # of all designs, hence on both sides
        first = self._line(0.0, pays, price, least)
        rest = float(other.cost or 0.0), max(least, -np.inf if other.bound is None else other.bound)

        def evaluate(change: float) -> Line | None:
            result = self._forced(price.when_taken, price, change)
            if result.cost is None:
                return None
            self._test(result, price, change)
            return self._line(change, result, price, -np.inf)

        answer = break_even(price, first, rest, evaluate)
        return self._tried(price, answer, rest[0]) if self.check and answer.change is not None else answer

    def _line(self, change: float, result: Result, price: Price, least: float) -> Line:
        bound = max(least, -np.inf if result.bound is None else result.bound)
        cost = float(result.cost or 0.0)
        return Line(change, cost, min(bound, cost), price.slope(result))

    def _tried(self, price: Price, answer: Answer, cost: float) -> Answer:
        """Solve the free strategy on both sides of a break-even."""
        margin = max(2.0 * self.runs.gap, 1e-6) * abs(cost) / answer.slope
        low, high, reason = answer.low - margin, answer.high + margin, answer.reason
        if low < price.least:
            # A fee that is paid with use cannot fall below zero; nothing at all may still be low enough.
            low = price.least if price.least < answer.low else math.nan
            high = max(high, price.least)
        below, above = (self._pays(price, low) if math.isfinite(low) else None), None
        for factor in (1.0, 4.0, 16.0) if math.isfinite(high) else ():
            # The other side may be ahead by less than the gap for a while.
            high = max(high, answer.high + factor * margin)
            above = self._pays(price, high)
            if above is not True:
                break
        if below is None:
            reason = reason or "not tried below, where it would be negative"
        return replace(answer, below=below, above=above, tried=(low, high), reason=reason)

    def _pays(self, price: Price, change: float) -> bool | None:
        """Whether the free strategy pays a price that is changed; None where it was stopped."""
        # A start would speak for the decision as it is wherever the other way is ahead by less than the gap.
        result = self.runs(
            f"{self.decision.name}, other {price.name}", lambda model: price.add(model, change), anew=True
        )
        if result.cost is None:
            return None
        self._test(result, price, change)
        return self.decision.taken(result) == price.when_taken

    def _test(self, result: Result, price: Price, change: float) -> None:
        """Check that a solve at another price costs what its tables cost at the case's, and the change."""
        checks = result.checks
        total = checks.loc[checks["check"] == "cost: total", ["model", "recomputed"]].to_numpy(float)[0]
        off = float(total[0] - total[1] - change * price.slope(result))
        other = checks[~checks["check"].str.startswith(("cost", "bound"))]
        failed = ", ".join(other.loc[~other["ok"].astype(bool), "check"])
        if failed or abs(off) > 1e-6 * max(1.0, abs(result.cost or 0.0)):
            failed = failed or f"cost, by {off:,.2f}"
            self.messages.append(
                f"checks failed at another {price.name}: {failed}; please report this defect"
            )
