"""One model of a two-echelon network, built in four ways and handed to HiGHS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from peers import passed
from scipy.spatial import cKDTree
from textbook import Plain, Sheet

from scopt.models import build
from scopt.network import expand
from scopt.search.solver import Scaled
from scopt.solved import chain_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from scopt.case import Case

    Frames = dict[str, pd.DataFrame]
    Built = tuple[Any, Callable[[], Any]]

PRODUCTS, PLANTS, NEAREST, PER_DEPOT = 10, 5, 20, 20


def frames(columns: int, seed: int = 1) -> Frames:
    """Sheets of a case with about so many flow columns."""
    rng = np.random.default_rng(seed)
    markets = max(NEAREST, round(columns / PRODUCTS / (NEAREST + PLANTS / PER_DEPOT)))
    depots = max(NEAREST, markets // PER_DEPOT)
    where, spot = rng.uniform(0, 1000, (markets, 2)), rng.uniform(0, 1000, (depots, 2))
    far, near = cKDTree(spot).query(where, k=NEAREST)
    plants, sites, ends, products = (
        np.array([f"{word}{n}" for n in range(count)], dtype=object)
        for word, count in (("P", PLANTS), ("D", depots), ("M", markets), ("A", PRODUCTS))
    )
    inner = pd.DataFrame(
        {
            "origin": np.repeat(plants, depots),
            "destination": np.tile(sites, PLANTS),
            "unit_cost": rng.uniform(1, 3, PLANTS * depots),
        }
    )
    outer = pd.DataFrame(
        {
            "origin": sites[near.ravel()],
            "destination": np.repeat(ends, NEAREST),
            "unit_cost": 1 + 0.02 * far.ravel(),
        }
    )
    fixed = np.r_[np.zeros(PLANTS), rng.uniform(2e4, 4e4, depots)]
    return {
        "products": pd.DataFrame({"product": products}),
        "sites": pd.DataFrame(
            {
                "site": np.r_[plants, sites],
                "tier": np.r_[np.full(PLANTS, "plant"), np.full(depots, "depot")],
                "status": np.r_[np.full(PLANTS, "keep"), np.full(depots, "candidate")],
                "fixed_cost": fixed,
            }
        ),
        "supply": pd.DataFrame({"site": np.repeat(plants, PRODUCTS), "product": np.tile(products, PLANTS)}),
        "markets": pd.DataFrame({"market": ends}),
        "demand": pd.DataFrame(
            {
                "market": np.repeat(ends, PRODUCTS),
                "product": np.tile(products, markets),
                "units": rng.uniform(50, 150, markets * PRODUCTS),
            }
        ),
        "lanes": pd.concat([inner, outer], ignore_index=True).assign(status="candidate"),
    }


# -- four ways to build it -----------------------------------------------------------------------------------


class Parts:
    """Numbers instead of ids, which every way but scopt's starts from; making them counts as building."""

    def __init__(self, frames: Frames) -> None:
        sites, lanes = frames["sites"], frames["lanes"]
        depot = pd.Index(sites.loc[sites["tier"] == "depot", "site"].to_numpy(object))
        market = pd.Index(frames["markets"]["market"].to_numpy(object))
        o, d = (depot.get_indexer(lanes[end].to_numpy(object)) for end in ("origin", "destination"))
        m = market.get_indexer(lanes["destination"].to_numpy(object))
        self.depots, self.markets, self.products = len(depot), len(market), len(frames["products"])
        self.to, self.origin, self.end = d[d >= 0], o[m >= 0], m[m >= 0]
        cost = lanes["unit_cost"].to_numpy(float)
        self.cost_in, self.cost_out = cost[d >= 0], cost[m >= 0]
        self.fixed = sites.loc[sites["tier"] == "depot", "fixed_cost"].to_numpy(float)
        self.demand = frames["demand"]["units"].to_numpy(float).reshape(self.markets, self.products)
        self.reach = np.zeros((self.depots, self.products))
        np.add.at(self.reach, self.origin, self.demand[self.end])


def by_arrays(frames: Frames) -> Built:
    """Build with numpy and scipy alone."""
    part = Parts(frames)
    p, inner, outer = part.products, len(part.to) * part.products, len(part.end) * part.products
    w, x, z = np.arange(inner), inner + np.arange(outer), inner + outer + np.arange(part.depots)
    product = np.arange(p)
    to = (part.to[:, None] * p + product).ravel()
    start, end = ((side[:, None] * p + product).ravel() for side in (part.origin, part.end))
    sheet = Sheet(inner + outer + part.depots)
    sheet.add(part.demand.size, [(end, x, 1.0)], part.demand.ravel(), part.demand.ravel())
    sheet.add(part.reach.size, [(to, w, 1.0), (start, x, -1.0)], 0.0, 0.0)
    rows = np.arange(part.reach.size)
    sheet.add(part.reach.size, [(start, x, 1.0), (rows, z[rows // p], -part.reach.ravel())], -np.inf, 0.0)
    rows = np.arange(outer)
    tight = [(rows, x, 1.0), (rows, np.repeat(z[part.origin], p), -part.demand[part.end].ravel())]
    sheet.add(outer, tight, -np.inf, 0.0)
    cost = np.r_[np.repeat(part.cost_in, p), np.repeat(part.cost_out, p), part.fixed]
    whole = np.arange(len(cost)) >= inner + outer
    plain = sheet.plain(cost, np.where(whole, 1.0, np.inf), whole)
    return plain, lambda: passed(plain)


def by_scopt(case: Case) -> Built:
    """Build with scopt."""
    arrays = build(expand(chain_of(case, "integrated"))).compile()

    def hand() -> Any:
        s = Scaled.of(arrays)
        return passed(Plain(s.cost, s.lower, s.upper, arrays.integer, s.matrix, s.row_lower, s.row_upper))

    return arrays, hand


def by_linopy(frames: Frames) -> Built:
    """Build with linopy."""
    import linopy
    import xarray as xr

    part = Parts(frames)
    product = pd.RangeIndex(part.products, name="product")
    depot = pd.RangeIndex(part.depots, name="depot")
    way_in, way_out = (pd.RangeIndex(len(n), name=name) for n, name in ((part.to, "in"), (part.end, "out")))
    to, origin, end = (
        xr.DataArray(value, coords=[index], name=name)
        for value, index, name in (
            (part.to, way_in, "depot"), (part.origin, way_out, "depot"), (part.end, way_out, "market"),
        )
    )  # fmt: skip
    demand = xr.DataArray(part.demand, coords={"market": np.arange(part.markets), "product": product})
    reach = xr.DataArray(part.reach, coords=[depot, product])
    m = linopy.Model()
    w = m.add_variables(lower=0, coords=[way_in, product], name="w")
    x = m.add_variables(lower=0, coords=[way_out, product], name="x")
    z = m.add_variables(binary=True, coords=[depot], name="z")
    out = x.groupby(origin).sum()
    m.add_constraints(x.groupby(end).sum() == demand, name="demand")
    m.add_constraints(w.groupby(to).sum() - out == 0, name="balance")
    m.add_constraints(out - reach * z <= 0, name="open")
    of_lane = z.sel(depot=origin.drop_vars("depot", errors="ignore"))
    most = xr.DataArray(part.demand[part.end], coords=[way_out, product])
    m.add_constraints(x - most * of_lane <= 0, name="tight")
    cost_in, cost_out, fixed = (
        xr.DataArray(value, coords=[index])
        for value, index in ((part.cost_in, way_in), (part.cost_out, way_out), (part.fixed, depot))
    )
    m.add_objective((cost_in * w).sum() + (cost_out * x).sum() + (fixed * z).sum())
    return m, lambda: m.to_highspy()


def by_pyomo(frames: Frames) -> Built:
    """Build with Pyomo as its documentation does, an expression at a time."""
    import pyomo.environ as pyo
    from pyomo.contrib.appsi.solvers import Highs

    part = Parts(frames)
    into, out, back = ([[] for _ in range(n)] for n in (part.depots, part.depots, part.markets))
    for lists, ends in ((into, part.to), (out, part.origin), (back, part.end)):
        for lane, end in enumerate(ends.tolist()):
            lists[end].append(lane)
    demand, reach = part.demand.tolist(), part.reach.tolist()
    origin, end = part.origin.tolist(), part.end.tolist()
    m = pyo.ConcreteModel()
    m.P, m.J, m.K = (pyo.RangeSet(0, n - 1) for n in (part.products, part.depots, part.markets))
    m.I, m.O = pyo.RangeSet(0, len(part.to) - 1), pyo.RangeSet(0, len(end) - 1)
    m.w = pyo.Var(m.I, m.P, within=pyo.NonNegativeReals)
    m.x = pyo.Var(m.O, m.P, within=pyo.NonNegativeReals)
    m.z = pyo.Var(m.J, within=pyo.Binary)
    m.demand = pyo.Constraint(m.K, m.P, rule=lambda m, k, p: sum(m.x[a, p] for a in back[k]) == demand[k][p])
    m.balance = pyo.Constraint(
        m.J, m.P, rule=lambda m, j, p: sum(m.w[a, p] for a in into[j]) == sum(m.x[a, p] for a in out[j])
    )
    m.open = pyo.Constraint(
        m.J, m.P, rule=lambda m, j, p: sum(m.x[a, p] for a in out[j]) <= reach[j][p] * m.z[j]
    )
    m.tight = pyo.Constraint(m.O, m.P, rule=lambda m, a, p: m.x[a, p] <= demand[end[a]][p] * m.z[origin[a]])
    cost_in, cost_out, fixed = part.cost_in.tolist(), part.cost_out.tolist(), part.fixed.tolist()
    m.cost = pyo.Objective(
        expr=sum(cost_in[a] * m.w[a, p] for a in m.I for p in m.P)
        + sum(cost_out[a] * m.x[a, p] for a in m.O for p in m.P)
        + sum(fixed[j] * m.z[j] for j in m.J)
    )

    def hand() -> Any:
        solver = Highs()
        solver.set_instance(m)
        return solver

    return m, hand


BY = {"arrays": by_arrays, "linopy": by_linopy, "pyomo": by_pyomo}
