"""Sites, lanes and operators of a design: statuses, levers, capacities, minimum volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scopt.verify.bills import Bills
from scopt.verify.case import USED, Bools, Floats, Texts, flags, is_flag, numbers, positions, tally, texts
from scopt.verify.checks import Check, at_least, at_most, none_of, same, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scopt.verify.books import Books

__all__ = [
    "check_capacities",
    "check_closed",
    "check_joined",
    "check_lanes",
    "check_minimums",
    "check_sites",
    "check_sites_table",
]


def _site(books: Books) -> Callable[[int], str]:
    return lambda k: books.name(sites=k)


def _lever(books: Books) -> Bools:
    """Whether the lever of each site's opening is on: outsource with an operator, else add."""
    lever: Bools = np.where(books.site_operator >= 0, books.strategy.outsource, books.strategy.add)
    return lever


def _taken_over(books: Books) -> Bools:
    """Return the closed sites whose place has another site open."""
    count = tally(books.place, books.open.astype(np.float64), int(books.place.max(initial=-1)) + 1)
    return ~books.open & (count[books.place] > 0)


def check_sites(books: Books) -> Iterator[Check]:
    """Sites are open or closed as status and levers allow, one of them at each place."""
    b, status, lever = books, books.status, _lever(books)
    if b.strategy.measured:
        yield none_of("sites: status", b.open != b.today, _site(b))
        return
    must = (status == "keep") | ((status == "open") & lever)
    must_not = (status == "closed") | ((status == "close") & b.strategy.remove)
    yield none_of("sites: status", (must & ~b.open) | (must_not & b.open), _site(b))
    opened = np.isin(status, ("candidate", "open")) & b.open & ~lever
    removed = np.isin(status, ("existing", "close")) & ~b.open & ~_taken_over(b)
    frozen = opened | (removed & (not b.strategy.remove))
    yield none_of("sites: levers remove, add, outsource", frozen, _site(b))
    count = tally(b.place, b.open.astype(np.float64), int(b.place.max(initial=-1)) + 1)
    yield at_most("one open site per place", count[b.place] * b.open, 1.0, _site(b))


def check_sites_table(books: Books) -> Iterator[Check]:
    """Words, units, volume and utilisation of the sites table."""
    b, table = books, books.table("sites")
    row = positions(b.sites, texts(table, "site"))
    rows = np.bincount(row[row >= 0], minlength=b.n_sites)
    listed = none_of("", (rows > 1) | ((rows == 0) & b.today), _site(b))
    before, after = texts(table, "before"), texts(table, "after")
    due = np.where(b.today[row] & (row >= 0), "open", "closed")
    wrong = (before != due) | ~np.isin(after, ("open", "closed"))
    wrong |= ~is_flag(table, "joined_before") | ~is_flag(table, "joined")
    for column in ("tier", "place", "operator"):
        wrong |= texts(table, column) != texts(b.sheet("sites"), column)[row]
    wrong |= flags(table, "joined_before") != (_o2o(b) == "existing")[row] & b.today[row]
    words = none_of("", wrong, lambda k: _site(b)(int(row[k])))
    yield worst("sites: before and after", listed_once=listed, words=words)

    def told(column: str) -> Floats:
        return tally(row, numbers(table, column), b.n_sites)

    capacity = b.site("capacity")
    share = np.divide(b.volume, capacity, out=np.zeros(b.n_sites), where=capacity > 0)
    shown = np.where(capacity > 0, told("utilisation"), 0.0)
    yield worst(
        "sites: units, volume, utilisation",
        units=same("", told("units"), b.through.sum(axis=1), _site(b)),
        volume=same("", told("volume"), b.volume, _site(b)),
        utilisation=same("", shown, np.where(rows > 0, share, 0.0), _site(b)),
    )


def _o2o(books: Books) -> Texts:
    return texts(books.sheet("sites"), "o2o")


def check_joined(books: Books) -> Iterator[Check]:
    """Pools are joined only where allowed, and as today where lever o2o is off."""
    b = books
    allowed = np.isin(_o2o(b), ("optional", "existing"))
    frozen = (b.joined != (b.open & (_o2o(b) == "existing"))) & (not b.strategy.o2o)
    yield worst(
        "sites: joined pools",
        not_allowed=none_of("", b.joined & ~(allowed & b.open), _site(b)),
        lever_o2o=none_of("", frozen, _site(b)),
    )


def check_closed(books: Books) -> Iterator[Check]:
    """Nothing is made, moved or stocked at a closed site."""
    f, made, routes = books.flows, books.supplies, books.routes
    leaving = tally(f.origin, f.units, books.n_sites)
    stocked = tally(routes.site, routes.units, books.n_sites)
    active = np.maximum(np.maximum(leaving, stocked), books.through.sum(axis=1))
    yield at_most("nothing through closed sites", np.where(books.open, 0.0, active), USED, _site(books))
    source = ~np.isnan(books.supply_lead)[made.site, made.product] | (made.units <= USED)
    yield none_of(
        "made only at sources",
        ~source,
        lambda k: books.name(sites=int(made.site[k]), products=int(made.product[k])),
    )


def check_lanes(books: Books) -> Iterator[Check]:
    """Lanes carry flow only where status and levers allow."""
    b, carries = books, books.lane_units > USED
    existing = b.lane_status == "existing"
    if b.strategy.measured:
        ends = b.today[b.lane_origin] & ((b.lane_market >= 0) | b.today[b.lane_site])
        yield none_of("lanes: status", carries & ~(existing & ends), b.lane_name)
        return
    yield none_of("lanes: status", carries & (b.lane_status == "closed"), b.lane_name)
    stays = np.isin(b.status, ("keep", "existing"))
    direct = stays[b.lane_origin] & ((b.lane_market >= 0) | stays[b.lane_site])
    free = b.strategy.direct | ~direct
    allowed = np.where(b.lane_operator >= 0, b.strategy.outsource, free)
    new = carries & (b.lane_status == "candidate")
    yield none_of("lanes: levers direct, outsource", new & ~allowed, b.lane_name)


def check_capacities(books: Books) -> Iterator[Check]:
    """Capacities of sources, sites, products at sites, lanes and operators."""
    b = books

    def pair(k: int) -> str:
        return b.name(sites=k // b.n_products, products=k % b.n_products)

    made = b.supplies
    made_units = tally(made.site * b.n_products + made.product, made.units, b.supply_capacity.size)
    yield at_most("capacity of sources", made_units, b.supply_capacity.ravel(), pair)
    yield worst(
        "capacity of sites",
        site=at_most("", b.volume, b.site("capacity"), _site(b)),
        product=at_most("", b.through, b.product_capacity, pair),
    )
    if not np.isnan(b.lane("capacity")).all():
        yield at_most("capacity of lanes", b.lane_volume, b.lane("capacity"), b.lane_name)
    most = numbers(b.sheet("operators"), "capacity")
    if not np.isnan(most).all():
        yield at_most("capacity of operators", Bills(b).volume, most, lambda k: b.name(operators=k))


def check_minimums(books: Books) -> Iterator[Check]:
    """Minimum volumes of what is open or used, and lowest tiers; as-is is only measured."""
    b, bills, binding = books, Bills(books), not books.strategy.measured
    at_site = np.where(b.open, b.site("min_units"), np.nan)
    on_lane = np.where(b.lane_units > USED, b.lane("min_units"), np.nan)
    of_operator = np.where(bills.taken, numbers(b.sheet("operators"), "min_units"), np.nan)
    yield worst(
        "min_units",
        site=at_least("", b.volume, at_site, _site(b), binding=binding),
        lane=at_least("", b.lane_volume, on_lane, b.lane_name, binding=binding),
        operator=at_least("", bills.volume, of_operator, lambda k: b.name(operators=k), binding=binding),
    )
    if not len(b.sheet("rates")):
        return
    found = bills.tariffs
    rows = [(float(b.volume[k]), x.starts[0], b.name(sites=k)) for k, x in found.site.items()]
    rows += [(float(bills.volume[k]), x.starts[0], b.name(operators=k)) for k, x in found.operator.items()]
    rows += [
        (float(b.lane_volume[lanes].sum()), x.starts[0], b.lane_name(int(lanes[0])))
        for lanes, _, x in found.pair
        if len(lanes)
    ]
    used = np.array([row[0] for row in rows])
    least = np.where(used > USED, np.array([row[1] for row in rows]), np.nan)
    yield at_least("lowest from_units of rates", used, least, lambda k: rows[k][2], binding=binding)
