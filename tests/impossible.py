"""Cases that have no design, each made from an example case by one known cause, or by two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import scopt

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).resolve().parents[1] / "cases"


@dataclass(frozen=True)
class Impossible:
    """One spoiled case.

    Parameters
    ----------
    kind
        Kind of cause.
    base
        Example case that it is made from.
    spoil
        Makes it.
    causes
        For each cause the rules that name it.
    """

    kind: str
    base: str
    spoil: Callable[[scopt.Case], scopt.Case]
    causes: tuple[frozenset[str], ...]

    def make(self) -> scopt.Case:
        return self.spoil(scopt.read_case(CASES / f"{self.base}.xlsx"))


def edit(case: scopt.Case, sheet: str, where: dict[str, Any], **values: Any) -> scopt.Case:
    """The case with values in the rows of a sheet where all columns are as told."""
    table = case.tables[sheet].copy()
    mine = pd.Series(True, index=table.index)
    for column, wanted in where.items():
        mine &= table[column].isin(wanted) if isinstance(wanted, list) else table[column] == wanted
    assert mine.any()
    for column, value in values.items():
        if isinstance(value, float):
            table[column] = table[column].astype(float)
        table.loc[mine, column] = value
    return case.replace(**{sheet: table})


def limit(case: scopt.Case, **row: Any) -> scopt.Case:
    """The case with one more limit."""
    return case.replace(limits=pd.concat([case.limits, pd.DataFrame([row])], ignore_index=True))


def fast_online(case):
    return edit(case, "channels", {"channel": "online"}, response_days=1.0)


def fast_shelf(case):
    """A shop is a day away from its shelf."""
    shops = {"origin": ["Shop Nanjing", "Shop Hefei"]}
    return edit(
        edit(case, "lanes", shops, lead_days=1.0), "channels", {"channel": "offline"}, max_late_days=0.0
    )


def small_supply(case):
    return edit(case, "supply", {"site": "Factory"}, capacity=40_000.0)


def small_shop(case):
    return edit(case, "sites", {"site": "Shop Nanjing"}, capacity=20_000.0)


def rival_minimums(case):
    """Two hubs that both must run and together ask for more than all demand."""
    case = edit(case, "sites", {"site": ["Own hub", "Swift hub"]}, status="open")
    return edit(case, "sites", {"site": "Own hub"}, min_units=30_000.0)


def shop_minimum(case):
    return edit(case, "sites", {"site": "Shop Nanjing"}, min_units=25_000.0)


def no_closures(case):
    case = edit(case, "sites", {"site": "Agent"}, status="close")
    return limit(case, limit="nobody goes", measure="closures", max=0.0)


def one_closure(case):
    case = edit(case, "sites", {"site": ["Agent", "Wholesaler", "Brand warehouse"]}, status="close")
    return limit(case, limit="two go", measure="closures", max=2.0)


def low_budget(case):
    case = edit(case, "sites", {"site": "Brand warehouse"}, status="close")
    return limit(case, limit="budget", measure="one_off", max=20_000.0)


def few_stock_days(case):
    return edit(case, "products", {"product": "tea carton"}, max_stock_days=8.0)


def few_site_days(case):
    return edit(case, "products", {"product": "tea carton"}, max_site_days=5.0)


def shared_place(case):
    """Swift has to take part, and its hub stands where the brand's warehouse has to stay."""
    case = edit(case, "sites", {"site": ["Brand warehouse", "Swift hub"]}, place="port")
    case = edit(case, "sites", {"site": "Brand warehouse"}, status="keep")
    return limit(case, limit="Swift takes part", measure="sites", operator="Swift", min=1.0)


def single_source(case):
    """No lane to Nanjing carries what one of them alone would have to."""
    case = edit(case, "lanes", {"destination": "Nanjing", "channel": "online"}, capacity=1_500.0)
    return edit(case, "channels", {"channel": "online"}, single_source=True)


def single_source_hub(case):
    """No site can send all that one market of the channel asks for."""
    case = edit(case, "lanes", {"destination": "Hefei", "channel": "online"}, capacity=900.0)
    return edit(case, "channels", {"channel": "online"}, single_source=True)


def no_online_lanes(case):
    lanes = case.tables["lanes"]
    return case.replace(lanes=lanes[lanes["channel"] != "online"])


def live_channel(case):
    """A new channel that nobody thought of when the lanes were written."""
    new = case.demand.drop_duplicates("market").assign(channel="live", units=100.0)
    return case.replace(demand=pd.concat([case.demand, new], ignore_index=True))


def contract_minimum(case):
    """Swift has to take part and wants more than the lanes to its hub bring."""
    case = edit(case, "lanes", {"origin": "Factory", "destination": "Swift hub"}, capacity=16_000.0)
    return limit(case, limit="Swift takes part", measure="sites", operator="Swift", min=1.0)


# -- apparel --------------------------------------------------------------------------------------------------


def fast_pickup(case):
    return edit(case, "channels", {"channel": "pickup"}, response_days=0.5)


def few_basics(case):
    return case.replace(
        supply=case.supply.assign(
            capacity=case.supply["capacity"].where(case.supply["product"] != "basics", 1_000_000.0)
        )
    )


def brand_minimums(case):
    """Three warehouses that stay and together ask for more than all demand."""
    return edit(case, "sites", {"tier": "brand warehouse"}, status="keep", min_units=3_500_000.0)


def few_closures(case):
    case = edit(case, "sites", {"tier": "distributor"}, status="close")
    return limit(case, limit="eight go", measure="closures", max=8.0)


def opening_budget(case):
    warehouses = case.sites.loc[case.sites["tier"] == "regional warehouse", "site"].tolist()[:3]
    case = edit(case, "sites", {"site": warehouses}, status="open")
    return limit(case, limit="one-off", measure="one_off", max=1_500_000.0)


def bare_shelves(case):
    return edit(case, "products", {"product": "knitwear"}, max_stock_days=5.0)


def citybox_minimum(case):
    """Citybox has to take part and wants more than its fronts can carry."""
    case = edit(case, "operators", {"operator": "Citybox"}, min_units=1_400_000.0)
    return limit(case, limit="Citybox takes part", measure="sites", operator="Citybox", min=1.0)


def _both(*spoils):
    def spoil(case):
        for one in spoils:
            case = one(case)
        return case

    return spoil


def _one(kind, base, spoil, *rules):
    return Impossible(kind, base, spoil, (frozenset(rules),))


PROMISE, MINIMUM = ("response_days",), ("site_minimum", "operator_minimum", "tier_minimum")
CLOSURES = ("limit_max", "status_close")
PLACE = ("place", "limit_min", "status_keep")

ONE_CAUSE = {
    "fast_online": _one("service too fast", "small", fast_online, *PROMISE),
    "fast_shelf": _one("service too fast", "small", fast_shelf, *PROMISE),
    "small_supply": _one("capacity short", "small", small_supply, "supply_capacity"),
    "small_shop": _one("capacity short", "small", small_shop, "site_capacity"),
    "rival_minimums": _one("minimum volumes in conflict", "small", rival_minimums, *MINIMUM),
    "shop_minimum": _one("minimum volumes in conflict", "small", shop_minimum, *MINIMUM),
    "no_closures": _one("closures against must-close", "small", no_closures, *CLOSURES),
    "one_closure": _one("closures against must-close", "small", one_closure, *CLOSURES),
    "low_budget": _one("budget", "small", low_budget, "limit_max"),
    "few_stock_days": _one("stock-day ceiling", "small", few_stock_days, "max_stock_days"),
    "few_site_days": _one("stock-day ceiling", "small", few_site_days, "max_site_days"),
    "shared_place": _one("place conflict", "small", shared_place, *PLACE),
    "single_source": _one("single sourcing over capacity", "small", single_source, "single_source"),
    "single_source_hub": _one("single sourcing over capacity", "small", single_source_hub, "single_source"),
    "no_online_lanes": _one("channel without lanes", "small", no_online_lanes, "demand"),
    "live_channel": _one("channel without lanes", "small", live_channel, "demand"),
    "contract_minimum": _one("contract minimum", "small", contract_minimum, "operator_minimum"),
    "few_basics": _one("capacity short", "apparel", few_basics, "supply_capacity"),
    "few_closures": _one("closures against must-close", "apparel", few_closures, *CLOSURES),
    "citybox_minimum": _one("contract minimum", "apparel", citybox_minimum, "operator_minimum"),
}
"""Twenty cases of ten kinds."""

TWO_CAUSES = {
    "fast and poor": Impossible(
        "service too fast, budget", "small", _both(fast_online, low_budget),
        (frozenset(PROMISE), frozenset({"limit_max"})),
    ),
    "short and full": Impossible(
        "capacity short twice", "small", _both(small_supply, small_shop),
        (frozenset({"supply_capacity"}), frozenset({"site_capacity"})),
    ),
    "slow and single": Impossible(
        "single sourcing, minimum volume", "small", _both(single_source, shop_minimum),
        (frozenset({"single_source"}), frozenset(MINIMUM)),
    ),
    "bare and stuck": Impossible(
        "stock days, closures", "small", _both(few_stock_days, no_closures),
        (frozenset({"max_stock_days"}), frozenset(CLOSURES)),
    ),
    "short and stuck": Impossible(
        "capacity short, closures", "apparel", _both(few_basics, few_closures),
        (frozenset({"supply_capacity"}), frozenset(CLOSURES)),
    ),
}  # fmt: skip
"""Five cases with two causes each."""
