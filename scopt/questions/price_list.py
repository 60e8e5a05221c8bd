"""Which prices a site, a lane, stock or an operator has, and where each stands in the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.chain import position
from scopt.errors import UsageError
from scopt.models.forcing import add_switches
from scopt.models.lanes import lane_names
from scopt.questions.decision import lanes_asked
from scopt.questions.prices import Price, one_value, per_switch, per_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from scopt.chain import Chain
    from scopt.models import Model
    from scopt.questions.decision import Decision
    from scopt.result import Result

    Ints = NDArray[np.int64]

__all__ = ["choose"]


def choose(chain: Chain, decision: Decision, names: Iterable[str]) -> list[Price]:
    """Return the prices asked for by name; without a name the first that the decision pays.

    Raises
    ------
    UsageError
        The decision has no such price.
    """
    known = {price.name: price for price in _PRICES[decision.kind](chain, decision)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"{decision} has no {', '.join(unknown)}; it has {', '.join(known)}")
    asked = [known[name] for name in names]
    paid = [price for price in known.values() if price.now != 0 and price.when_taken]
    return asked or (paid or list(known.values()))[:1]


def _site(chain: Chain, decision: Decision) -> list[Price]:
    i = position(decision.name, chain.site_ids)
    tiers = chain.tariffs.get(decision.name)
    bucket = "operators" if chain.site_operator[i] >= 0 else "handling"
    unit_cost = chain.by_product("unit_cost", chain.site_column("unit_cost"))[i]
    if decision.product:
        unit_cost = unit_cost[position(decision.product, chain.product_ids)]
    by_unit = [
        Price(
            "unit_cost", _per(chain, tiers), one_value(unit_cost if tiers is None else tiers["unit_cost"]),
            **per_unit(decision, _weight(chain, tiers), lambda _, column: {bucket: column}, "site"),
        ),
        Price(
            "margin_rate", "share of price", float(chain.site_column("margin_rate")[i]),
            **per_unit(decision, _of_products(chain, "price"), _margins, "site"),
        ),
    ]  # fmt: skip
    if not decision.whole_site:
        return by_unit
    first, *rest = _site_fees(chain, decision, i, tiers)
    return [first, *by_unit, *rest]


def _site_fees(chain: Chain, decision: Decision, i: int, tiers: pd.DataFrame | None) -> list[Price]:
    """Return what a site costs while it is open, and what opening or removing it costs."""
    currency = chain.case.settings.currency
    years = 1.0 / float(chain.case.settings.one_off_years)

    def fee(name: str, now: float, bucket: str, amount: float, unit: str, *, open_: bool) -> Price:
        def switches(model: Model) -> list[Any]:
            z = model.pyomo.open_site[decision.name]
            return [z if open_ else 1 - z]

        def count(result: Result) -> float:
            return float(decision.taken(result) == open_)

        parts = per_switch(bucket, amount, switches, count, i)
        return Price(name, unit, now, when_taken=open_, constant=True, **parts)

    own = "operators" if chain.site_operator[i] >= 0 else "sites"
    fixed = chain.site_column("fixed_cost")[i] if tiers is None else tiers["fixed_cost"].iloc[0]
    opening, closing, replacing = (
        float(chain.site_column(name)[i]) for name in ("open_cost", "close_cost", "replacement_cost")
    )
    fees = [fee("fixed_cost", float(fixed), own, 1.0, f"{currency}/year", open_=True)]
    if not chain.today[i]:
        return [*fees, fee("open_cost", opening, "one_off", years, currency, open_=True)]
    return [
        *fees,
        fee("close_cost", closing, "one_off", years, currency, open_=False),
        fee("replacement_cost", replacing, "replaced", 1.0, f"{currency}/year", open_=False),
    ]


def _of_products(chain: Chain, column: str) -> pd.Series[float]:
    return pd.Series(chain.product_column(column), chain.product_ids)


def _weight(chain: Chain, tiers: pd.DataFrame | None) -> pd.Series[float]:
    """Return what a unit of each product counts: 1, or its size under a tariff."""
    size = _of_products(chain, "size")
    return size * 0.0 + 1.0 if tiers is None else size


def _per(chain: Chain, tiers: pd.DataFrame | None) -> str:
    return f"{chain.case.settings.currency}/{'unit' if tiers is None else 'size'}"


def _margins(model: Model, column: Ints) -> dict[str, Ints]:
    return {"margins": column}


def _lane(chain: Chain, decision: Decision) -> list[Price]:
    rows = lanes_asked(chain, decision)
    tiers = chain.tariffs.get(decision.name)
    tonnes = _of_products(chain, "weight_kg") / 1000
    goods = tonnes.loc[[decision.product]] if decision.product else tonnes
    unit = np.add.outer(rows["unit_cost"].to_numpy(float), 0 * goods.to_numpy())
    unit += np.multiply.outer(rows["unit_cost_per_tonne"].to_numpy(float), goods.to_numpy())

    def buckets(model: Model, column: Ints) -> dict[str, Ints]:
        own = model.chain.lanes["w"].to_numpy()[model.network.lane[column]] < 0
        return {"transport": column[own], "operators": column[~own]}

    by_unit = [
        Price(
            "unit_cost", _per(chain, tiers), one_value(unit if tiers is None else tiers["unit_cost"]),
            **per_unit(decision, _weight(chain, tiers), buckets, "lane"),
        ),
        Price(
            "margin_rate", "share of price", one_value(rows["margin_rate"]),
            **per_unit(decision, _of_products(chain, "price"), _margins, "lane"),
        ),
    ]  # fmt: skip
    whole_pair = (
        len(rows) == (chain.lanes["origin"] + ">" + chain.lanes["destination"] == decision.name).sum()
    )
    if decision.product or decision.channel or not (tiers is None or whole_pair):
        return by_unit
    now = one_value(rows["fixed_cost"]) if tiers is None else float(tiers["fixed_cost"].iloc[0])

    def switches(model: Model) -> list[Any]:
        return _lane_switches(model, decision, pair=tiers is not None)

    def count(result: Result) -> float:
        lanes = decision.carried(result)["lane"].nunique()
        return float(min(lanes, 1) if tiers is not None else lanes)

    bucket = "operators" if (rows["w"] >= 0).any() else "transport"
    single = tiers is not None or len(rows) == 1
    fixed = Price(
        "fixed_cost", f"{chain.case.settings.currency}/year", now, constant=single,
        least=-float(rows["fixed_cost"].min()) if tiers is None else -float(now or 0.0),
        **per_switch(bucket, 1.0, switches, count),
    )  # fmt: skip
    return [fixed, *by_unit] if now else [*by_unit, fixed]


def _lane_switches(model: Model, decision: Decision, *, pair: bool) -> list[Any]:
    """Binaries of the lanes asked about, made where the model needs none of its own."""
    m, net = model.pyomo, model.network
    if pair:
        return [m.pair_used[decision.name]]
    column = decision.columns(model)
    rows, which = np.unique(net.lane[column], return_inverse=True)
    names = [lane_names(model)[row] for row in rows.tolist()]
    used = getattr(m, "lane_used", {})
    lacking = np.array([name not in used for name in names], bool)
    made: dict[str, Any] = {}
    if lacking.any():
        mine, number = lacking[which], np.cumsum(lacking) - 1
        new = add_switches(model, "asked_used", column[mine], number[which[mine]], int(lacking.sum()))
        made = dict(zip(np.array(names, dtype=object)[lacking].tolist(), new, strict=True))
    return [made[name] if name in made else used[name] for name in names]


def _stock(chain: Chain, decision: Decision) -> list[Price]:
    i = position(decision.name, chain.site_ids)
    slot = chain.by_product("stock_cost", chain.site_column("stock_cost"))[i]
    if decision.product:
        slot = slot[position(decision.product, chain.product_ids)]
    now = one_value(slot)

    def switches(model: Model) -> list[Any]:
        m, net = model.pyomo, model.network
        column = decision.columns(model)
        products, which = np.unique(net.product[column], return_inverse=True)
        keys = [(decision.name, model.chain.product_ids[p]) for p in products.tolist()]
        points = getattr(m, "stock_point", {})
        if all(key in points for key in keys):
            return [points[key] for key in keys]
        return add_switches(model, "asked_used", column, which, len(products))

    def count(result: Result) -> float:
        return float(decision.carried(result)["product"].nunique())

    parts = per_switch("stock_slots", 1.0, switches, count, i)
    single = bool(decision.product) or len(chain.product_ids) == 1
    least = -float(np.min(slot))
    unit = f"{chain.case.settings.currency}/year"
    return [Price("stock_cost", unit, now, constant=single, least=least, **parts)]


def _operator(chain: Chain, decision: Decision) -> list[Price]:
    contract = chain.case.operators["contract_cost"].to_numpy(float)
    tiers = chain.tariffs.get(decision.name)
    fee = (
        contract[position(decision.name, chain.operator_ids)]
        if tiers is None
        else tiers["fixed_cost"].iloc[0]
    )
    now = float(fee)

    def count(result: Result) -> float:
        return float(decision.taken(result))

    def add(model: Model, change: float) -> None:
        column = decision.columns(model)
        size = model.chain.product_column("size")[model.network.product[column]]
        model.charge("operators", change * size, column, at="lane")

    def volume(result: Result) -> float:
        mine = result.outsourcing[result.outsourcing["operator"] == decision.name]
        return float(mine["volume"].sum())

    parts = per_switch("operators", 1.0, lambda model: [model.pyomo.contract[decision.name]], count)
    money = chain.case.settings.currency
    unit_now = 0.0 if tiers is None else one_value(tiers["unit_cost"])
    prices = [
        Price("contract_cost", f"{money}/year", now, constant=True, least=-now, **parts),
        Price("unit_cost", f"{money}/size", unit_now, add=add, slope=volume),
    ]
    return prices if now else prices[::-1]


_PRICES: dict[str, Callable[[Chain, Decision], list[Price]]] = {
    "site": _site, "lane": _lane, "stock": _stock, "operator": _operator,
}  # fmt: skip
