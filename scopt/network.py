"""The expanded network: sites unfolded into states of response time used, as arrays.

A state is (site, e), where e is the response time used so far. A lane moves (i, e) to (j, e + t + T); passing
a site keeps e; holding stock there leaves with an admissible e' <= e and has to cover e - e' + R days. This
is the guaranteed-service model in extreme-point form (Simpson 1958; Graves and Willems 2000).

Commodities (product, channel) whose lanes, sources, stock rules and markets agree are expanded once and tiled
by product afterwards. Response times are kept as integers of a millionth of a day, so that equal times are
equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scopt.chain import EITHER, JOINED, MUST, NO, SEPARATE, Chain, positions
from scopt.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.routes import Routes

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Columns = dict[str, NDArray[Any]]

__all__ = [
    "LANE", "LAST", "PASSED", "STOCK", "SUPPLY", "UNCOVERED", "Classes", "Network", "Versions",
    "commodity_classes", "expand", "joint_key", "round_up", "spread",
]  # fmt: skip

SUPPLY, STOCK, LANE, LAST = 0, 1, 2, 3
"""Kinds of arc: out of a source, into stock, site to site, site to market."""

PASSED, UNCOVERED = -1, -2
"""States without a version: goods pass, or leave a compulsory stock point that has nothing to cover."""

PER_DAY = 1_000_000
QUOTE_BITS = 40
NEVER = 1 << 60
NOWHERE = -(1 << 60)


def ticks(days: Floats) -> Ints:
    """Days as integers of a millionth of a day; infinite days as `NEVER`."""
    finite = np.where(np.isfinite(days), days, 0.0)
    return np.where(np.isfinite(days), np.rint(finite * PER_DAY), NEVER).astype(np.int64)


def round_up(days: Floats, step: float) -> Floats:
    """Round times up to a multiple of the case's time step (tolerance 1e-9 steps)."""
    return np.asarray(np.ceil(days / step - 1e-9) * step)


def joint_key(*keys: NDArray[Any]) -> Ints:
    """One integer for each combination of integer keys, in the order of the combinations."""
    code, size = np.zeros(len(keys[0]), np.int64), 1
    for key in keys if len(code) else ():
        least = int(key.min())
        span = int(key.max()) - least + 1
        if size * span >= 1 << 62:  # numbered anew, so that they fit
            (code, size), (key, span) = _numbered(code), _numbered(key)
            least = 0
        code *= span
        code += key
        code -= least
        size *= span
    return code


def _numbered(key: Ints) -> tuple[Ints, int]:
    """Give distinct values their rank; returns ranks and how many there are."""
    values, rank = np.unique(key, return_inverse=True)
    return rank, len(values)


def _group(*keys: NDArray[Any]) -> tuple[Ints, Ints]:
    """First index of each distinct combination of keys, and the group of every element."""
    _, first, inverse = np.unique(joint_key(*keys), return_index=True, return_inverse=True)
    return first, inverse


def spread(counts: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """Repeat element i counts[i] times, with running numbers starts[i], starts[i] + 1, ..."""
    who = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return who, starts[who] + np.arange(len(who)) - first[who]


@dataclass(frozen=True, eq=False)
class Versions:
    """How many parallel versions of a stock point the model distinguishes.

    Parameters
    ----------
    lines
        Number of lines that approximate the root of each cell, (sites, products, pools + 1); the last is of
        joined pools; 0 where the cell cannot occur.
    copied
        Sites whose stocked state is copied per version, so that every lane out of stock can be tied to the
        decision behind it, (sites,).
    """

    lines: Ints
    copied: Bools

    @classmethod
    def of(cls, chain: Chain, lines: dict[tuple[int, int, int], int] | None = None) -> Versions:
        """Give every cell one line unless `lines` tells more.

        States are copied at sites with several destinations where pools may be joined or a cell has more
        lines.
        """
        sites, products, pools = len(chain.site_ids), len(chain.product_ids), len(chain.pool_ids)
        most = np.zeros((sites, products, pools + 1), np.int64)
        most[:, :, :-1] = ((chain.stock != NO) & (chain.join != JOINED)[:, None])[:, :, None]
        most[:, :, -1] = (chain.stock != NO) & (chain.join != SEPARATE)[:, None]
        for cell, count in (lines or {}).items():
            most[cell] = count
        ends = chain.lanes[["o", "destination"]].drop_duplicates()
        several = np.bincount(ends["o"].to_numpy(), minlength=sites) > 1
        choice = (chain.join == EITHER) | (most.max(axis=(1, 2), initial=0) > 1)
        return cls(most, choice & several)

    def per_site(self) -> tuple[Ints, Ints]:
        """Largest number of lines of separate and of joined cells at each site."""
        flat = self.lines.max(axis=1, initial=0)
        return flat[:, :-1].max(axis=1, initial=0), flat[:, -1]


@dataclass(frozen=True, eq=False)
class Classes:
    """Commodities of one channel that share their expanded network."""

    channel: Ints
    products: list[Ints]
    lane_ok: Bools  # (classes, lanes)
    stock: Ints  # (classes, sites)
    lead: Floats  # (classes, sites): supply lead days, nan where the site is no source
    promise: Ints  # ticks
    latest: Ints  # ticks: promise plus tolerated lateness
    timeless: Bools


def _supply_lead(chain: Chain) -> Floats:
    table = chain.case.supply
    lead = np.full((len(chain.site_ids), len(chain.product_ids)), np.nan)
    site = positions(table["site"], chain.site_ids)
    product = positions(table["product"], chain.product_ids)
    lead[site, product] = round_up(table["lead_days"].to_numpy(float), chain.case.settings.time_step_days)
    lead[~chain.usable] = np.nan
    return lead


def commodity_classes(chain: Chain) -> Classes:
    """Group the products of each channel that share their lanes, sources, stock rules and markets."""
    lanes, lead = chain.lanes, _supply_lead(chain)
    c, p, m = (lanes[k].to_numpy() for k in "cpm")
    holds = _may_stock_at_all(chain)
    rows: list[tuple[int, Ints, Bools, int]] = []
    for channel in range(len(chain.channel_ids)):
        seen: dict[bytes, list[int]] = {}
        oks: dict[bytes, Bools] = {}
        for product in range(len(chain.product_ids)):
            wanted = chain.demand[:, channel, product] > 0
            if not wanted.any():
                continue
            ok = ((c < 0) | (c == channel)) & ((p < 0) | (p == product)) & ((m < 0) | wanted[m])
            parts = (ok, wanted, lead[:, product], chain.stock[:, product], holds[product])
            key = b"".join(np.asarray(part).tobytes() for part in parts)
            seen.setdefault(key, []).append(product)
            oks[key] = ok
        rows += [(channel, np.array(ps), oks[k], ps[0]) for k, ps in seen.items()]
    channels = np.array([r[0] for r in rows], np.int64)
    first = np.array([r[3] for r in rows], np.int64)
    promise, latest = chain.promise[channels], (chain.promise + chain.lateness)[channels]
    return Classes(
        channels,
        [r[1] for r in rows],
        np.array([r[2] for r in rows]).reshape(len(rows), len(lanes)),
        chain.stock[:, first].T,
        lead[:, first].T,
        ticks(promise),
        ticks(latest),
        np.isinf(promise) & ~holds[first],
    )


def _may_stock_at_all(chain: Chain) -> Bools:
    """Products that some site of the case may stock, whatever the strategy, (products,)."""
    words = np.repeat((chain.case.sites["stock"] != "no").to_numpy()[:, None], len(chain.product_ids), axis=1)
    own = chain.case.site_products
    given = (own["stock"] != "").to_numpy()
    site = positions(own["site"], chain.site_ids)[given]
    product = positions(own["product"], chain.product_ids)[given]
    words[site, product] = (own["stock"] != "no").to_numpy()[given]
    return np.asarray(words.any(axis=0))


class _Expansion:
    """Forward expansion level by level; every list is joined into one array at the end."""

    def __init__(self, chain: Chain, versions: Versions) -> None:
        self.chain, self.classes = chain, commodity_classes(chain)
        self.separate, self.joined = versions.per_site()
        self.copied = versions.copied
        lanes, step = chain.lanes, chain.case.settings.time_step_days
        order = np.argsort(lanes["o"].to_numpy(), kind="stable")
        self.lane = order
        self.start = np.searchsorted(lanes["o"].to_numpy()[order], np.arange(len(chain.site_ids) + 1))
        self.site_to, self.market_to = lanes["d"].to_numpy(), lanes["m"].to_numpy()
        self.lead = ticks(round_up(lanes["lead_days"].to_numpy(float), step))
        self.rate = lanes["on_time_rate"].to_numpy(float)
        self.process = ticks(round_up(chain.site_column("process_days"), step))
        self.review = ticks(chain.site_column("review_days"))
        self._order_sites()
        self.useful = self._latest_useful()
        self.quotes = self._quotes()
        self.nodes: list[tuple[NDArray[Any], ...]] = []
        self.arcs: list[Columns] = []
        self.count = 0
        self.pending: dict[tuple[int, int], list[Columns]] = {}

    def _order_sites(self) -> None:
        """Level of each site on the lane graph without its loops, and its bit inside a loop."""
        n = len(self.chain.site_ids)
        inner = self.site_to >= 0
        o, d = self.chain.lanes["o"].to_numpy()[inner], self.site_to[inner]
        graph = coo_array((np.ones(len(o)), (o, d)), shape=(n, n)).tocsr()
        _, loop = connected_components(graph, directed=True, connection="strong")
        level = np.zeros(loop.max(initial=0) + 1, np.int64)
        across = loop[o] != loop[d]
        while True:
            deeper = level.copy()
            np.maximum.at(deeper, loop[d[across]], level[loop[o[across]]] + 1)
            if (deeper == level).all():
                break
            level = deeper
        size = np.bincount(loop)
        if size.max(initial=0) > 60:
            members = ", ".join(self.chain.site_ids[loop == size.argmax()][:5])
            raise UsageError(
                f"lanes form a loop among {size.max()} sites ({members}, ...); scopt follows loops of up to "
                "60 sites: remove lanes that lead back"
            )
        rank = np.zeros(n, np.int64)
        for member in np.flatnonzero(size > 1):
            rank[loop == member] = np.arange(size[member])
        self.loop, self.level = loop, level[loop]
        self.bit = np.where(size[loop] > 1, np.left_shift(1, rank), 0)
        self.steps = [
            (lev, hop)
            for lev in range(self.level.max(initial=0) + 1)
            for hop in range(1, int(size[loop[self.level == lev]].max(initial=1)) + 1)
        ]

    def _latest_useful(self) -> Ints:
        """Latest response time at which goods at a site are of any use, (classes, sites) in ticks."""
        cls = self.classes
        useful = np.full(cls.stock.shape, -1, np.int64)
        useful[cls.stock != NO] = NEVER
        useful[np.isinf(self.chain.promise[cls.channel])] = NEVER
        origin = self.chain.lanes["o"].to_numpy()
        for row, (ok, latest) in enumerate(zip(cls.lane_ok, cls.latest, strict=True)):
            out = ok & (self.market_to >= 0)
            np.maximum.at(useful[row], origin[out], latest - self.lead[out])
            across = ok & (self.site_to >= 0)
            o, d, t = origin[across], self.site_to[across], self.lead[across]
            t = t + self.process[d]
            while True:
                before = useful[row].copy()
                onward = useful[row, d]
                np.maximum.at(useful[row], o, np.where(onward >= NEVER, NEVER, onward - t))
                if (useful[row] == before).all():
                    break
        return useful

    def _quotes(self) -> tuple[Ints, Ints]:
        """Response times that a stock point may quote: sorted codes (class and site, ticks), and safe quotes.

        A promise grants e' = W - r (and W + lateness - r) where r are the days of a remaining route without
        stock; 0 is always there. Where no stock can follow, a quote of at most W - max r keeps every promise
        that a smaller one keeps and has less to cover: smaller ones are dropped. That safe quote is given per
        class and site, -1 where there is none.
        """
        cls, n = self.classes, len(self.chain.site_ids)
        origin = self.chain.lanes["o"].to_numpy()
        holder, place = np.nonzero(cls.stock != NO)
        codes = [(holder * n + place) << QUOTE_BITS]
        safe = np.full(cls.stock.size, -1, np.int64)
        for row, ok in enumerate(cls.lane_ok):
            if cls.promise[row] >= NEVER or not (cls.stock[row] != NO).any():
                continue
            limit = cls.latest[row] if cls.latest[row] < NEVER else cls.promise[row]
            last = np.flatnonzero(ok & (self.market_to >= 0))
            across = np.flatnonzero(ok & (self.site_to >= 0))
            follows = self._stock_follows(row, across)
            across = across[cls.stock[row, self.site_to[across]] != MUST]
            across = across[np.argsort(self.site_to[across], kind="stable")]
            start = np.searchsorted(self.site_to[across], np.arange(n + 1))
            done = np.empty(0, np.int64)
            new = np.unique(self.lead[last] * n + origin[last])
            while len(new):
                new = new[new // n <= limit]
                new = np.setdiff1d(new, done, assume_unique=True)
                done = np.union1d(done, new)
                site = new % n
                who, at = spread(start[site + 1] - start[site], start[site])
                lane = across[at]
                rest = new[who] // n + self.process[self.site_to[lane]] + self.lead[lane]
                new = np.unique(rest * n + origin[lane])
            site, rest = done % n, done // n
            for bound in {int(cls.promise[row]), int(cls.latest[row])} - {NEVER}:
                fits = (bound - rest > 0) & (cls.stock[row, site] != NO)
                codes.append(((row * n + site[fits]) << QUOTE_BITS) + bound - rest[fits])
            longest = np.zeros(n, np.int64)
            np.maximum.at(longest, site, rest)
            safe[row * n : (row + 1) * n] = np.where(follows, -1, cls.promise[row] - longest)
        limits = self.chain.case.limits
        if ((limits["measure"] == "stock_value") & limits["min"].notna()).any():
            safe[:] = -1  # whoever asks for stock gets every way to hold it
        return np.unique(np.concatenate(codes)), safe

    def _stock_follows(self, row: int, across: Ints) -> Bools:
        """Sites from which goods of a class may come to a stock point further down."""
        origin = self.chain.lanes["o"].to_numpy()[across]
        follows = np.zeros(len(self.chain.site_ids), bool)
        holds = self.classes.stock[row] != NO
        while True:
            before = int(follows.sum())
            follows[origin[(holds | follows)[self.site_to[across]]]] = True
            if int(follows.sum()) == before:
                return follows

    # -- forward ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Expand every class from its sources."""
        row, site = np.nonzero(~np.isnan(self.classes.lead))
        days = np.where(self.classes.timeless[row], 0, ticks(self.classes.lead[row, site]))
        self._arrive(
            {
                "cls": row, "site": site, "arrived": days, "left": days, "rate": np.ones(len(row)),
                "mask": np.zeros(len(row), np.int64), "tail": np.full(len(row), -1),
                "lane": np.full(len(row), -1),
            }
        )  # fmt: skip
        for step in self.steps:
            if step in self.pending:
                self._visit(self.pending.pop(step))

    def _arrive(self, a: Columns) -> None:
        """Queue arrivals by level of the site and number of sites seen in its loop."""
        site = a["site"]
        process = np.where(self.classes.timeless[a["cls"]], 0, self.process[site])
        a["e"] = a["arrived"] + process
        a["mask"] = a["mask"] | self.bit[site]
        fits = a["e"] <= self.useful[a["cls"], site]
        a = {k: v[fits] for k, v in a.items()}
        hop = np.maximum(np.bitwise_count(a["mask"].astype(np.uint64)).astype(np.int64), 1)
        level = self.level[a["site"]]
        for lev, h in {*zip(level.tolist(), hop.tolist(), strict=True)}:
            mine = (level == lev) & (hop == h)
            self.pending.setdefault((lev, h), []).append({k: v[mine] for k, v in a.items()})

    def _add_nodes(self, cls: Ints, site: Ints, e: Ints, rate: Floats, mask: Ints, version: Ints) -> Ints:
        """Append states; version is PASSED, UNCOVERED or the version of the stock that goods leave."""
        self.nodes.append((cls, site, e, rate, mask, version))
        self.count += len(cls)
        return np.arange(self.count - len(cls), self.count)

    def add_nothing(self) -> None:
        """Empty arrays, for a chain in which nothing can move."""
        none = np.empty(0, np.int64)
        whole = dict.fromkeys(("cls", "site", "tail", "lane", "left"), none)
        self._add_arcs(none, whole | {"rate": np.empty(0)}, days=none)
        self._add_nodes(none, none, none, np.empty(0), none, none)

    def _visit(self, parts: list[Columns]) -> None:
        """Make the states that arrivals reach, then their stock arcs and the lanes that leave them."""
        a = {k: np.concatenate([part[k] for part in parts]) for k in parts[0]}
        key = np.rint(a["rate"] * 1e9).astype(np.int64)
        first, group = _group(a["cls"], a["site"], a["e"], key, a["mask"])
        state = {k: a[k][first] for k in ("cls", "site", "e", "rate", "mask")}
        node = self._add_nodes(**state, version=np.full(len(first), PASSED))
        kind = np.where(a["lane"] < 0, SUPPLY, LANE)
        self._add_arcs(kind, a, head=node[group], days=a["arrived"], ready=a["e"])
        held = self._hold(state, node)
        passing = self.classes.stock[state["cls"], state["site"]] != MUST
        leaving = {k: np.concatenate([v[passing], held[k]]) for k, v in (state | {"tail": node}).items()}
        self._leave(leaving)

    def _add_arcs(self, kind: Ints, a: Columns, **more: NDArray[Any]) -> None:
        n = len(a["cls"])
        blank = {"version": -1, "joined": 0, "line": 0, "market": -1, "on_time": 0.0, "head": -1, "ready": 0}
        columns = {k: np.full(n, v) for k, v in blank.items()}
        same = {k: a[k] for k in ("cls", "site", "tail", "lane", "left", "rate")}
        self.arcs.append(columns | same | {"kind": kind} | more)

    def _hold(self, state: Columns, node: Ints) -> Columns:
        """Stock arcs from the given states: every admissible quote, in every version of the stock point."""
        able = np.flatnonzero(self.classes.stock[state["cls"], state["site"]] != NO)
        key = state["cls"][able] * len(self.chain.site_ids) + state["site"][able]
        codes, safe = self.quotes
        first, e = key << QUOTE_BITS, state["e"][able]
        low = np.searchsorted(codes, first)
        best_safe = np.searchsorted(codes, first + np.minimum(e, safe[key]), side="right") - 1
        low = np.where(safe[key] >= 0, np.maximum(low, best_safe), low)
        who, at = spread(np.searchsorted(codes, first + e, side="right") - low, low)
        quote = codes[at] & ((1 << QUOTE_BITS) - 1)
        who = able[who]
        site = state["site"][who]
        separate = self.separate[site]
        rep, version = spread(separate + self.joined[site], np.zeros(len(site), np.int64))
        who, quote, site, separate = who[rep], quote[rep], site[rep], separate[rep]
        joined = version >= separate
        line = np.where(joined, version - separate, version)
        empty = (quote == state["e"][who]) & (self.review[site] == 0)
        real = ~empty | ((self.classes.stock[state["cls"][who], site] == MUST) & (version == 0))
        who, quote, site, version, joined, line, empty = (
            x[real] for x in (who, quote, site, version, joined, line, empty)
        )
        label = np.where(empty, UNCOVERED, np.where(self.copied[site], version, 0))
        out = {k: state[k][who] for k in ("cls", "site", "rate", "mask")}
        first, group = _group(
            out["cls"], site, quote, np.rint(out["rate"] * 1e9).astype(np.int64), out["mask"], label
        )
        made = {k: v[first] for k, v in out.items()} | {"e": quote[first]}
        head = self._add_nodes(**made, version=label[first])
        arcs = out | {"tail": node[who], "lane": np.full(len(who), -1), "left": state["e"][who]}
        self._add_arcs(
            np.full(len(who), STOCK), arcs, head=head[group], days=quote, ready=quote,
            version=version, joined=joined.astype(np.int64), line=line,
        )  # fmt: skip
        return made | {"tail": head}

    def _leave(self, a: Columns) -> None:
        """Lanes out of the given states, to sites not seen yet and to markets that are reached in time."""
        site = a["site"]
        who, at = spread(self.start[site + 1] - self.start[site], self.start[site])
        lane = self.lane[at]
        fits = self.classes.lane_ok[a["cls"][who], lane]
        who, lane = who[fits], lane[fits]
        cls, to = a["cls"][who], self.site_to[lane]
        promised = self.classes.promise[cls] < NEVER
        lead = np.where(self.classes.timeless[cls], 0, self.lead[lane])
        gone = {
            "cls": cls, "site": a["site"][who], "arrived": a["e"][who] + lead, "left": a["e"][who],
            "lane": lane, "rate": a["rate"][who] * np.where(promised, self.rate[lane], 1.0),
            "tail": a["tail"][who],
        }  # fmt: skip
        same_loop = self.loop[to] == self.loop[a["site"][who]]
        mask = np.where(same_loop, a["mask"][who], 0)
        inner = (to >= 0) & ((mask & self.bit[to]) == 0)
        onward = {k: v[inner] for k, v in gone.items()}
        self._arrive(onward | {"site": to[inner], "mask": mask[inner]})
        last = (to < 0) & (gone["arrived"] <= self.classes.latest[cls])
        final = {k: v[last] for k, v in gone.items()}
        in_time = final["arrived"] <= self.classes.promise[final["cls"]]
        self._add_arcs(
            np.full(len(final["cls"]), LAST), final, days=final["arrived"], ready=final["arrived"],
            market=self.market_to[final["lane"]], on_time=np.where(in_time, final["rate"], 0.0),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Network:
    """Columns and states of the expanded network. All arrays of columns have the shape (columns,).

    Parameters
    ----------
    chain
        What the strategy may use.
    kind
        SUPPLY, STOCK, LANE or LAST.
    product, channel
        Numbers of the commodity.
    site
        The source (SUPPLY), the stock point (STOCK) or the origin of the lane.
    to_site, market
        Destination; -1 where it does not apply.
    lane
        Row in `chain.lanes`; -1 for SUPPLY and STOCK.
    tail, head
        Balance rows that the column leaves and enters; -1 outside the network.
    left, days, ready
        Response days used when leaving the tail, on arrival, and when ready at the head (after processing).
    rate
        On-time rate of the route up to and including the column.
    on_time
        Share of the flow that arrives on time (LAST only).
    group
        Pool of a stock column, or the number of pools when its site joins them; -1 elsewhere.
    version, line
        Version of the stock point a STOCK column enters, and its line in the approximation of the root.
    out_of
        Version label of the stocked state that a LANE or LAST column leaves, else PASSED or UNCOVERED.
    rows
        Number of balance rows.
    reach
        Demand that can be reached through a site, (sites, channels, products).
    reach_stock
        The same out of stock at the site.
    coverage
        Days of uncertainty that a STOCK column has to cover.
    """

    chain: Chain
    kind: Ints
    product: Ints
    channel: Ints
    site: Ints
    to_site: Ints
    market: Ints
    lane: Ints
    tail: Ints
    head: Ints
    left: Floats
    days: Floats
    ready: Floats
    rate: Floats
    on_time: Floats
    group: Ints
    version: Ints
    line: Ints
    out_of: Ints
    coverage: Floats
    rows: int
    reach: Floats
    reach_stock: Floats
    versions: Versions

    @property
    def size(self) -> int:
        """Number of columns."""
        return len(self.kind)

    @cached_property
    def routes(self) -> Routes:
        """Its cheapest routes, for any cost of the columns."""
        from scopt.routes import Routes  # which knows the kinds of columns from here

        return Routes(self)

    @cached_property
    def marks(self) -> Ints:
        """Mark of each column, the same in every network of a case; versions of a stock point are alike."""
        lane, mark = self.chain.lanes["lane"].to_numpy(), self.commodity.astype(np.uint64)
        # A strategy has some of the lanes of its case; those that it has keep their numbers.
        of_case = np.where(self.lane >= 0, lane[self.lane], -1) if len(lane) else self.lane
        places = (self.kind, self.site, self.to_site, self.market, of_case, self.group)
        for part in (*places, self.left * 1e6, self.ready * 1e6):
            mark = mark * np.uint64(0x9E3779B97F4A7C15) + np.rint(part).astype(np.int64).astype(np.uint64)
            mark ^= mark >> np.uint64(29)
        return mark.astype(np.int64)

    @cached_property
    def commodity(self) -> Ints:
        """Number of the commodity of each column."""
        return self.channel * len(self.chain.product_ids) + self.product

    @cached_property
    def enters(self) -> Ints:
        """Site that a column brings goods into (sources included); -1 for STOCK and LAST."""
        return np.where(self.kind == SUPPLY, self.site, np.where(self.kind == LANE, self.to_site, -1))

    @cached_property
    def destination(self) -> Ints:
        """Number of the destination of a lane: sites first, then markets; -1 for SUPPLY and STOCK."""
        n = len(self.chain.site_ids)
        return np.where(self.kind == LANE, self.to_site, np.where(self.kind == LAST, n + self.market, -1))

    @cached_property
    def reach_destination(self) -> Floats:
        """Demand of the commodity that a lane column can serve at its destination at most."""
        most = np.concatenate([self.reach, self.chain.demand])
        return np.asarray(most[np.maximum(self.destination, 0), self.channel, self.product])


def _alive(tail: Ints, head: Ints, last: Bools, count: int) -> Bools:
    """States from which a market can be reached."""
    alive = np.zeros(count, bool)
    alive[tail[last]] = True
    inner = ~last & (tail >= 0)
    tail, head = tail[inner], head[inner]
    while True:
        before = int(alive.sum())
        alive[tail[alive[head]]] = True
        if int(alive.sum()) == before:
            return alive


def _reached_markets(tail: Ints, head: Ints, market: Ints, count: int, markets: int) -> NDArray[np.uint64]:
    """Markets that each state can reach, one bit a market, (states, ceil(markets / 64))."""
    bits = np.zeros((count, markets // 64 + 1), np.uint64)
    last = market >= 0
    np.bitwise_or.at(
        bits, (tail[last], market[last] // 64), np.uint64(1) << (market[last] % 64).astype(np.uint64)
    )
    inner = ~last & (tail >= 0)
    order = np.argsort(tail[inner], kind="stable")
    tail, head = tail[inner][order], head[inner][order]
    if not len(tail):
        return bits
    start = np.flatnonzero(np.r_[True, tail[1:] != tail[:-1]])
    while True:
        more = np.bitwise_or.reduceat(bits[head], start, axis=0) | bits[tail[start]]
        if (more == bits[tail[start]]).all():
            return bits
        bits[tail[start]] = more


def expand(chain: Chain, versions: Versions | None = None) -> Network:
    """Expand a chain forward from its sources and prune it backward from its markets.

    Parameters
    ----------
    chain
        What the strategy may use.
    versions
        Lines and copies of stock points; one line each by default.

    Returns
    -------
    Network
        One column per arc and product. A case without times has one state per site.
    """
    versions = versions or Versions.of(chain)
    work = _Expansion(chain, versions)
    work.run()
    if not work.arcs or not work.nodes:
        work.add_nothing()
    arcs = {k: np.concatenate([part[k] for part in work.arcs]) for k in work.arcs[0]}
    node_cls, node_site, _, _, _, node_version = (
        np.concatenate([part[i] for part in work.nodes]) for i in range(6)
    )
    last = arcs["kind"] == LAST
    alive = _alive(arcs["tail"], arcs["head"], last, work.count)
    keep = last | alive[arcs["head"]]
    arcs = {k: v[keep] for k, v in arcs.items()}
    bits = _reached_markets(arcs["tail"], arcs["head"], arcs["market"], work.count, len(chain.market_ids))
    reach = _reachable_demand(chain, work.classes, bits, node_cls, node_site, node_version < 0)
    reach_stock = _reachable_demand(chain, work.classes, bits, node_cls, node_site, node_version >= 0)
    return _tile(chain, versions, work, arcs, alive, node_version, reach, reach_stock)


def _reachable_demand(
    chain: Chain, classes: Classes, bits: NDArray[np.uint64], cls: Ints, site: Ints, among: Bools
) -> Floats:
    """Demand that can be reached from the states `among` of a site, (sites, channels, products)."""
    sites, channels, products = len(chain.site_ids), len(chain.channel_ids), len(chain.product_ids)
    out = np.zeros((sites, channels, products))
    key = cls[among] * sites + site[among]
    if not len(key):
        return out
    order = np.argsort(key, kind="stable")
    start = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0])
    joint = np.bitwise_or.reduceat(bits[among][order], start, axis=0)
    flags = np.unpackbits(joint.view(np.uint8), axis=1, bitorder="little")[:, : len(chain.market_ids)]
    row, where = key[order][start] // sites, key[order][start] % sites
    for number, (channel, members) in enumerate(zip(classes.channel, classes.products, strict=True)):
        mine = row == number
        out[where[mine][:, None], channel, members[None, :]] = (
            flags[mine] @ chain.demand[:, channel][:, members]
        )
    return out


def _tile(
    chain: Chain,
    versions: Versions,
    work: _Expansion,
    arcs: Columns,
    alive: Bools,
    node_version: Ints,
    reach: Floats,
    reach_stock: Floats,
) -> Network:
    """Repeat the arcs of each class for its products and number the balance rows."""
    classes = work.classes
    sizes = np.array([len(ps) for ps in classes.products] or [0], np.int64)
    flat = np.concatenate([*classes.products, np.empty(0, np.int64)])
    offset = np.cumsum(sizes) - sizes
    cls, line, stock = arcs["cls"], arcs["line"], arcs["kind"] == STOCK
    node_cls = np.concatenate([part[0] for part in work.nodes])
    node_rows = np.where(alive, sizes[node_cls], 0) if len(node_cls) else np.empty(0, np.int64)
    node_start = np.cumsum(node_rows) - node_rows
    shared = _shared(chain, work, arcs, node_version)
    who, position = spread(sizes[cls], offset[cls])
    product = flat[position]
    held = np.flatnonzero(stock[who])
    at = who[held]
    unused = held[line[at] >= versions.lines[arcs["site"][at], product[held], shared["group"][at]]]
    if len(unused):
        who, position, product = (np.delete(x, unused) for x in (who, position, product))

    def row(node: Ints) -> Ints:
        first = np.where(node >= 0, node_start[node] - offset[cls], NOWHERE) if len(node_start) else node
        return np.maximum(first[who] + position, -1)

    return Network(
        chain=chain, product=product, tail=row(arcs["tail"]), head=row(arcs["head"]),
        rows=int(node_rows.sum()), reach=reach, reach_stock=reach_stock, versions=versions,
        **{name: _spread_out(values, who) for name, values in shared.items()},
    )  # fmt: skip


def _spread_out(values: NDArray[Any], who: Ints) -> NDArray[Any]:
    """`values[who]`; what is the same everywhere, as times are in a case without them, is kept once."""
    same = len(values) > 0 and bool((values == values[0]).all())
    return np.broadcast_to(values[0], len(who)) if same else values[who]


def _shared(chain: Chain, work: _Expansion, arcs: Columns, node_version: Ints) -> Columns:
    """Columns of the network that the products of a class have in common, one element an arc."""
    kind, lane, site, channel = arcs["kind"], arcs["lane"], arcs["site"], work.classes.channel[arcs["cls"]]
    move, stock = lane >= 0, kind == STOCK
    pool = np.where(arcs["joined"] > 0, len(chain.pool_ids), chain.pool[channel])
    told = {name: arcs[name] for name in ("market", "rate", "on_time")}
    days = {name: arcs[name] / PER_DAY for name in ("left", "days", "ready")}
    covered = (arcs["left"] - arcs["ready"] + work.review[site]) / PER_DAY
    small = {
        "lane": lane, "version": arcs["version"], "line": arcs["line"], "group": np.where(stock, pool, -1),
        "out_of": np.where(move, node_version[arcs["tail"]], -1) if move.any() else lane,
    }  # fmt: skip
    return told | days | {name: values.astype(np.int32) for name, values in small.items()} | {
        "kind": kind.astype(np.int8), "channel": channel,
        "site": np.where(move, chain.lanes["o"].to_numpy()[lane], site) if move.any() else site,
        "to_site": np.where(kind == LANE, work.site_to[lane], -1) if move.any() else lane,
        "coverage": np.where(stock, covered, 0.0),
    }  # fmt: skip
