"""The models that other solvers are given, as plain arrays.

`textbook` is what a text on facility location or network design writes down: one row a site or contract that
ties all its flow to the binary, a single variance behind every safety stock. `strong` adds, for published
families, the rows of every customer and site. `own` is scopt's model with all of its rows.

The root of safety stock is cut into five chords with a binary each, which lie below it: bound and cost of
these models are both a little too low, and the gap that they prove is one of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import block_array, coo_array, csr_array, diags_array

from scopt.models import build
from scopt.models.stock import chords
from scopt.network import expand
from scopt.search.solver import Scaled
from scopt.solved import chain_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.case import Case
    from scopt.models import Arrays, Model

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Rows = list[dict[str, Any]]

LINKS = (
    "open_site", "stock_point", "lane_used", "lane_contract", "pair_used", "joined", "separate",
    "single_source",
)  # fmt: skip
"""Blocks of scopt's rows that tie flows to a binary, one row a product or channel."""

CHORDS, NARROWEST = 5, 1e-3
"""Chords of a root, and where the second begins: this part of the largest variance."""


@dataclass(frozen=True, eq=False)
class Plain:
    """`min cost x + offset`, `row_lower <= matrix x <= row_upper`, `lower <= x <= upper`."""

    cost: Floats
    lower: Floats
    upper: Floats
    integer: NDArray[np.bool_]
    matrix: Any
    row_lower: Floats
    row_upper: Floats
    offset: float = 0.0


class Sheet:
    """Rows that grow block by block."""

    def __init__(self, columns: int) -> None:
        self.columns, self.blocks, self.low, self.high = columns, [], [], []

    def add(self, count: int, parts: list[tuple[Any, Any, Any]], low: Any, high: Any) -> None:
        """Add `count` rows with entries (row, column, value)."""
        row, column = (np.concatenate([np.ravel(part[i]) for part in parts]) for i in range(2))
        value = np.concatenate([np.broadcast_to(part[2], np.shape(part[0])).ravel() for part in parts])
        self.blocks.append(csr_array(coo_array((value, (row, column)), shape=(count, self.columns))))
        self.low.append(np.broadcast_to(np.asarray(low, float), count))
        self.high.append(np.broadcast_to(np.asarray(high, float), count))

    def plain(self, cost: Floats, upper: Floats, integer: NDArray[np.bool_]) -> Plain:
        matrix = csr_array(block_array([[block] for block in self.blocks]))
        rows = np.concatenate(self.low), np.concatenate(self.high)
        return Plain(cost, np.zeros(len(cost)), upper, integer, matrix, *rows)


# -- published families ------------------------------------------------------------------------------------


def column(rows: Rows, name: str, default: float = np.inf) -> Floats:
    """One column of a sheet; `default` where a row has none."""
    return np.array([default if row.get(name) is None else row[name] for row in rows], float)


def facility(sheets: dict[str, Rows], *, strong: bool) -> Plain:
    r"""Facility location with shares :math:`x_{ij}` of demand.

    .. math:: \min \sum f_i y_i + \sum c_{ij} d_j x_{ij}, \quad \sum_i x_{ij} = 1, \quad
              \sum_j d_j x_{ij} \le \min(u_i, \sum_j d_j)\,y_i

    with :math:`x_{ij}` binary for single sourcing; `strong` adds :math:`x_{ij} \le y_i`.
    """
    fixed, capacity = column(sheets["sites"], "fixed_cost"), column(sheets["sites"], "capacity")
    demand = column(sheets["demand"], "units")
    m, n = len(fixed), len(demand)
    i, j = np.divmod(np.arange(m * n), n)
    single = sheets["channels"][0].get("single_source") == "yes"
    sheet = Sheet(m * n + m)
    sheet.add(n, [(j, np.arange(m * n), 1.0)], 1.0, 1.0)
    most = np.minimum(capacity, demand.sum())
    sites = np.arange(m)
    sheet.add(m, [(i, np.arange(m * n), demand[j]), (sites, m * n + sites, -most)], -np.inf, 0.0)
    if strong:
        x = np.arange(m * n)
        sheet.add(m * n, [(x, x, 1.0), (x, m * n + i, -1.0)], -np.inf, 0.0)
    cost = np.concatenate([column(sheets["lanes"], "unit_cost") * demand[j], fixed])
    whole = np.r_[np.full(m * n, single), np.ones(m, bool)]
    return sheet.plain(cost, np.ones(m * n + m), whole)


def two_echelon(sheets: dict[str, Rows], *, strong: bool) -> Plain:
    r"""Plants, depots and customers, each site with a capacity a product.

    .. math:: \sum_j x_{jk}^p = d_k^p, \quad \sum_i w_{ij}^p = \sum_k x_{jk}^p, \quad
              \sum_j w_{ij}^p \le u_i^p z_i, \quad \sum_k x_{jk}^p \le v_j^p y_j

    `strong` adds :math:`x_{jk}^p \le \min(d_k^p, v_j^p)\,y_j` and
    :math:`w_{ij}^p \le \min(u_i^p, v_j^p)\,z_i`.
    """
    products, markets = len(sheets["products"]), len(sheets["markets"])
    plants = len({row["site"] for row in sheets["supply"]})
    fixed = column(sheets["sites"], "fixed_cost")
    depots = len(fixed) - plants
    u = column(sheets["supply"], "capacity").reshape(plants, products)
    v = column(sheets["site_products"], "capacity").reshape(depots, products)
    d = column(sheets["demand"], "units").reshape(markets, products)
    inner, outer = products * plants * depots, products * depots * markets
    w, x = np.arange(inner), inner + np.arange(outer)
    pw, iw, jw = np.unravel_index(np.arange(inner), (products, plants, depots))
    px, jx, kx = np.unravel_index(np.arange(outer), (products, depots, markets))
    z, y = inner + outer + np.arange(plants), inner + outer + plants + np.arange(depots)
    sheet = Sheet(inner + outer + plants + depots)
    sheet.add(d.size, [(kx * products + px, x, 1.0)], d.ravel(), d.ravel())
    sheet.add(v.size, [(jw * products + pw, w, 1.0), (jx * products + px, x, -1.0)], 0.0, 0.0)
    for size, site, entries in ((u, z, (iw * products + pw, w)), (v, y, (jx * products + px, x))):
        rows = np.arange(size.size)
        sheet.add(size.size, [(*entries, 1.0), (rows, site[rows // products], -size.ravel())], -np.inf, 0.0)
    if strong:
        r = np.arange(outer)
        sheet.add(outer, [(r, x, 1.0), (r, y[jx], -np.minimum(d[kx, px], v[jx, px]))], -np.inf, 0.0)
        r = np.arange(inner)
        sheet.add(inner, [(r, w, 1.0), (r, z[iw], -np.minimum(u[iw, pw], v[jw, pw]))], -np.inf, 0.0)
    width = inner + outer
    upper = np.r_[np.full(width, np.inf), np.ones(plants + depots)]
    return sheet.plain(
        np.r_[column(sheets["lanes"], "unit_cost"), fixed], upper, np.arange(len(upper)) >= width
    )


def published(sheets: dict[str, Rows], form: str) -> Plain:
    """Model of an instance as sheets; ``textbook`` or ``strong``."""
    make = two_echelon if "site_products" in sheets else facility
    return make(sheets, strong=form == "strong")


# -- redesign cases ----------------------------------------------------------------------------------------


def redesign(case: Case, form: str, strategy: str = "integrated") -> Plain:
    """Model of a case; ``textbook`` or ``own``. Units are scopt's, of like size for all that flows."""
    model = build(expand(chain_of(case, strategy)))
    arrays = model.compile()
    scaled = Scaled.of(arrays)
    whole = Plain(
        scaled.cost * scaled.money, scaled.lower, scaled.upper, arrays.integer, scaled.matrix,
        scaled.row_lower, scaled.row_upper, arrays.offset,
    )  # fmt: skip
    return whole if form == "own" else _by_the_book(model, arrays, whole, scaled)


def _by_the_book(model: Model, arrays: Arrays, whole: Plain, scaled: Scaled) -> Plain:
    """Sum the rows of each binary into one, drop the tight ones and what scopt knows of roots."""
    names = np.repeat([name for name, _ in arrays.row_blocks], [count for _, count in arrays.row_blocks])
    keep = ~arrays.lazy & ~np.isin(names, (*LINKS, "envelope"))
    m, cells = model.pyomo, model.notes["cells"]
    lower, place = whole.lower.copy(), arrays.place
    if cells.count:
        keep[[arrays.row_of(con) for con in m.root_of_variance.values()]] = False
        keep[[arrays.row_of(con) for con in m.root_on_chord.values()]] = False
    for point in getattr(m, "stock_point", {}).values():
        lower[place[point.name]] = 0.0
    links = [_summed(arrays, np.flatnonzero((names == name) & ~arrays.lazy), scaled) for name in LINKS]
    parts = [whole.matrix[np.flatnonzero(keep)], *links]
    low = np.r_[whole.row_lower[keep], np.full(sum(part.shape[0] for part in links), -np.inf)]
    high = np.r_[whole.row_upper[keep], np.zeros(sum(part.shape[0] for part in links))]
    matrix = csr_array(block_array([[part] for part in parts if part.shape[0]]))
    plain = Plain(whole.cost, lower, whole.upper, whole.integer, matrix, low, high, whole.offset)
    return _with_chords(model, arrays, plain, scaled) if cells.count else plain


def _summed(arrays: Arrays, rows: Ints, scaled: Scaled) -> Any:
    """Sum the rows that speak of the same binaries."""
    block = csr_array(arrays.matrix[rows])
    if not len(rows):
        return block
    about = csr_array(block[:, arrays.flows :])
    first, last = about.indices[about.indptr[:-1]], about.indices[about.indptr[1:] - 1]
    pair = np.sort(np.stack([first, last]), axis=0)
    _, group = np.unique(pair[0].astype(np.int64) * about.shape[1] + pair[1], return_inverse=True)
    add = coo_array((np.ones(len(rows)), (group, np.arange(len(rows)))), shape=(group.max() + 1, len(rows)))
    summed = csr_array(csr_array(add) @ block @ diags_array(scaled.column))
    top = np.asarray(abs(summed).max(axis=1).todense()).ravel()
    return csr_array(diags_array(1.0 / np.exp2(np.rint(np.log2(top)))) @ summed)


def _with_chords(model: Model, arrays: Arrays, plain: Plain, scaled: Scaled) -> Plain:
    r"""Give every root its chords.

    .. math:: r = \sum_l \phi_l w_l + \psi_l V_l, \quad \sum_l V_l = V, \quad V_l \le V_{\max} w_l, \quad
              \sum_l w_l \le y
    """
    m, cells = model.pyomo, model.notes["cells"]
    at = np.flatnonzero(cells.high > 0)
    high, count = cells.high[at], len(at)
    breaks = high[:, None] * np.geomspace(NARROWEST, 1.0, CHORDS)[None, :]
    lines = [chords(0.0, top, own[:-1]) for top, own in zip(high.tolist(), breaks, strict=True)]
    phi, psi = np.array([one for one, _ in lines]), np.array([one for _, one in lines])
    place = arrays.place
    root, var = (np.array([place[v.name] for v in part.values()])[at] for part in (m.root, m.variance))
    width = len(plain.cost)
    cell = np.repeat(np.arange(count), CHORDS)
    w, v = width + np.arange(cell.size), width + cell.size + np.arange(cell.size)
    sheet, rows = Sheet(width + 2 * cell.size), np.arange(count)
    # A line's variance is counted as a part of the largest: V_l = high * v_l.
    unit = np.sqrt(high)
    sheet.add(
        count,
        [(rows, root, scaled.column[root] / unit), (cell, w, -phi.ravel() / unit[cell]),
         (cell, v, -psi.ravel() * high[cell] / unit[cell])],
        0.0, 0.0,
    )  # fmt: skip
    sheet.add(count, [(rows, var, -scaled.column[var] / high), (cell, v, 1.0)], 0.0, 0.0)
    sheet.add(cell.size, [(np.arange(cell.size), v, 1.0), (np.arange(cell.size), w, -1.0)], -np.inf, 0.0)
    site, products = model.chain.site_ids[cells.site[at]], model.chain.product_ids[cells.product[at]]
    points = getattr(m, "stock_point", {})
    switch = [
        place[(points[key] if key in points else m.open_site[key[0]]).name]
        for key in zip(site, products, strict=True)
    ]
    sheet.add(count, [(cell, w, 1.0), (rows, np.array(switch), -1.0)], -np.inf, 0.0)
    more = 2 * cell.size
    old = csr_array((plain.matrix.data, plain.matrix.indices, plain.matrix.indptr),
                    shape=(plain.matrix.shape[0], width + more))  # fmt: skip
    return Plain(
        np.r_[plain.cost, np.zeros(more)], np.r_[plain.lower, np.zeros(more)],
        np.r_[plain.upper, np.ones(more)], np.r_[plain.integer, np.arange(more) < cell.size],
        csr_array(block_array([[old], *([block] for block in sheet.blocks)])),
        np.concatenate([plain.row_lower, *sheet.low]), np.concatenate([plain.row_upper, *sheet.high]),
        plain.offset,
    )  # fmt: skip
