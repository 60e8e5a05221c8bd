"""The one model: flows as arrays, decisions in Pyomo, rows that tie them.

Every feature adds to a `Model` its columns, its rows and its terms of the objective, each under the bucket of
cost it belongs to. Flow columns come from the expanded network and stay arrays; whatever people read and
extend (open sites, offers, stock, limits) are Pyomo variables. A *meter* is a Pyomo variable that an array
row sets equal to a sum of flows; through meters the decisions see volumes without a Pyomo object for every
flow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.base.component_namer import name_repr
from scipy.sparse import coo_array, csr_array, vstack

from scopt.network import joint_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from scopt.chain import Chain
    from scopt.network import Network

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["BUCKETS", "Arrays", "Model", "Rows"]

BUCKETS = (
    "supply", "transport", "handling", "sites", "one_off", "replaced", "margins", "commission", "operators",
    "stock_slots", "safety_stock", "cycle_stock", "pipeline_stock", "losses", "integration", "platform",
    "late", "unmet", "returns", "emissions",
)  # fmt: skip
"""Buckets of cost; every unit of money in the objective belongs to exactly one."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A block of rows `lower <= flows + decisions <= upper`.

    Parameters
    ----------
    name
        Family of the rows.
    row, column, value
        Entries on array columns.
    decision_row, which, decision_value
        Entries on Pyomo variables: `which` is the number of the variable among `decisions`.
    decisions
        Pyomo variables, each once.
    lower, upper
        Bounds of the rows, (rows,).
    lazy
        Rows that tighten the relaxation but are implied for whole numbers.
    """

    name: str
    row: Ints
    column: Ints
    value: Floats
    decision_row: Ints
    which: Ints
    decision_value: Floats
    decisions: Sequence[Any]
    lower: Floats
    upper: Floats
    lazy: bool

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.lower)


@dataclass(frozen=True, eq=False)
class Arrays:
    """A compiled model: `min cost x + offset`, `row_lower <= matrix x <= row_upper`, `lower <= x <= upper`.

    Array columns come first, then the Pyomo variables of `decisions` in their order, which `names` are the
    names of. What the Pyomo terms of each bucket cost is in `terms`, (buckets, columns), and `constants`.
    """

    cost: Floats
    offset: float
    terms: csr_array
    constants: Floats
    lower: Floats
    upper: Floats
    integer: NDArray[np.bool_]
    matrix: Any
    row_lower: Floats
    row_upper: Floats
    lazy: NDArray[np.bool_]
    row_blocks: list[tuple[str, int]]
    decisions: list[Any]
    names: list[str]
    constraint_row: dict[int, int]
    flows: int
    scale: Floats

    @cached_property
    def place(self) -> dict[str, int]:
        """Column of each decision by its name."""
        return {name: self.flows + i for i, name in enumerate(self.names)}

    @cached_property
    def first_rows(self) -> dict[str, int]:
        """First row of each block; of blocks with the same name, that of the first one."""
        starts = np.cumsum([0, *(count for _, count in self.row_blocks)]).tolist()
        return dict(zip([name for name, _ in self.row_blocks][::-1], starts[-2::-1], strict=True))

    def values(self) -> dict[str, float]:
        """Value of each decision by its name, as it was loaded last."""
        return {name: float(v.value or 0.0) for name, v in zip(self.names, self.decisions, strict=True)}

    def row_of(self, constraint: Any) -> int:
        """Row of a Pyomo constraint."""
        return self.constraint_row[id(constraint)]


@dataclass(eq=False)
class Model:
    """Columns, rows and costs of one strategy.

    Parameters
    ----------
    network
        Expanded network; its columns are the first columns of the model.

    Attributes
    ----------
    pyomo
        The decisions: a Pyomo model that may be read and extended before solving.
    """

    network: Network
    pyomo: Any = field(init=False)

    def __post_init__(self) -> None:
        n = self.network.size
        self.columns = n
        self.upper: Floats = np.full(n, np.inf)
        self.flow_cost: dict[tuple[str, str], Floats] = {}
        self.terms: dict[str, list[Any]] = {bucket: [] for bucket in BUCKETS}
        self.site_terms: dict[int, list[Any]] = {}
        self.bills: list[tuple[Ints, Floats]] = []
        self.bill_terms: dict[int, list[Any]] = {}
        self.rows: list[Rows] = []
        self.meters: list[tuple[str, int]] = []
        self.settlers: list[Callable[[Floats], None]] = []
        self.starts: dict[str, int] = {"flow": 0}
        self.notes: dict[str, Any] = {}
        self.pyomo = pyo.ConcreteModel()
        self.pyomo.flow = pyo.Var(pyo.NonNegativeIntegers, dense=False, within=pyo.NonNegativeReals)

    @property
    def chain(self) -> Chain:
        """What the strategy may use."""
        return self.network.chain

    # -- columns ---------------------------------------------------------------------------------------------

    def add_columns(self, name: str, bucket: str, cost: Floats, upper: Floats) -> Ints:
        """Append array columns between 0 and `upper` and return their numbers."""
        numbers = np.arange(self.columns, self.columns + len(cost))
        self.starts[name] = self.columns
        self.columns += len(cost)
        self.upper = np.concatenate([self.upper, upper])
        self.charge(bucket, cost, numbers, at="market")
        return numbers

    def charge(
        self, bucket: str, cost: Floats, columns: Ints, operator: Ints | None = None, *, at: str
    ) -> None:
        """Add `cost` per unit of array columns to a bucket.

        Parameters
        ----------
        operator
            Number of the operator who bills it, per column; -1 for nobody.
        at
            Where the cost arises: ``site`` (the one entered), ``lane``, ``supply``, ``stock`` or ``market``.
        """
        total = self.flow_cost.setdefault((bucket, at), np.zeros(0))
        if not cost.any():
            return
        more = np.bincount(columns, cost, minlength=self.columns).astype(float)
        more[: len(total)] += total
        self.flow_cost[bucket, at] = more
        if operator is not None and (operator >= 0).any():
            whole = np.zeros(self.columns)
            whole[columns] = cost
            billed = np.full(self.columns, -1, np.int64)
            billed[columns] = operator
            self.bills.append((billed, whole))

    def pay(self, bucket: str, term: Any, operator: int = -1, *, site: int = -1) -> None:
        """Add a Pyomo term, linear in decisions and flows (`flow`), to a bucket.

        `operator` is who bills it, `site` where it arises (-1: none).
        """
        self.terms[bucket].append(term)
        if site >= 0:
            self.site_terms.setdefault(site, []).append(term)
        if operator >= 0:
            self.bill_terms.setdefault(operator, []).append(term)

    def flow(
        self,
        origin: str | None = None,
        destination: str | None = None,
        channel: str | None = None,
        product: str | None = None,
    ) -> Any:
        """Units per year on lanes as a Pyomo expression, for constraints of one's own.

        Parameters
        ----------
        origin, destination, channel, product
            Ids; None stands for all. Without `origin` and `destination` all flow into markets is meant.

        Raises
        ------
        KeyError
            An id is not in the case.
        """
        net, chain = self.network, self.chain
        mask = net.destination >= 0
        if origin is None and destination is None:
            mask = net.market >= 0
        if origin is not None:
            mask &= net.site == chain.site_ids.get_loc(origin)
        if destination is not None:
            ends = chain.site_ids.append(chain.market_ids)
            mask &= net.destination == ends.get_loc(destination)
        if channel is not None:
            mask &= net.channel == chain.channel_ids.get_loc(channel)
        if product is not None:
            mask &= net.product == chain.product_ids.get_loc(product)
        return pyo.quicksum(self.pyomo.flow[int(j)] for j in np.flatnonzero(mask))

    # -- rows ------------------------------------------------------------------------------------------------

    def add_rows(
        self,
        name: str,
        row: Ints,
        column: Ints,
        value: Floats | float,
        lower: Floats | float,
        upper: Floats | float,
        *,
        count: int,
        decisions: tuple[Ints, Sequence[Any], Ints, Floats | float] | None = None,
        lazy: bool = False,
    ) -> None:
        """Add `count` rows with entries on array columns and, optionally, on Pyomo variables.

        Parameters
        ----------
        decisions
            Rows of the entries, the variables, the number of the variable of each entry, and the values.
        """
        none = np.empty(0, np.int64)
        d_row, variables, which, d_value = decisions if decisions is not None else (none, [], none, 0.0)
        if count:
            self.rows.append(
                Rows(
                    name, row, column, np.broadcast_to(np.asarray(value, float), row.shape),
                    d_row, which, np.broadcast_to(np.asarray(d_value, float), d_row.shape), variables,
                    np.broadcast_to(np.asarray(lower, float), (count,)),
                    np.broadcast_to(np.asarray(upper, float), (count,)), lazy,
                )
            )  # fmt: skip

    def meter(
        self, name: str, keys: Sequence[Any], group: Ints, column: Ints, value: Floats | float = 1.0
    ) -> Any:
        r"""Measure flows: a Pyomo variable per key, set equal to a weighted sum of array columns.

        .. math:: \mathrm{meter}_g = \sum_{j \in g} a_j x_j
        """
        meter = pyo.Var(list(keys), within=pyo.NonNegativeReals)
        self.pyomo.add_component(name, meter)
        n = len(keys)
        self.meters.append((name, n))
        order = np.arange(n)
        self.add_rows(
            name, group, column, value, 0.0, 0.0, count=n,
            decisions=(order, list(meter.values()), order, -1.0),
        )  # fmt: skip
        value = np.broadcast_to(np.asarray(value, float), column.shape)

        def settle(flows: Floats) -> None:
            for var, amount in zip(
                meter.values(), np.bincount(group, value * flows[column], minlength=n).tolist(), strict=True
            ):
                var.set_value(amount, skip_validation=True)

        self.settlers.append(settle)
        return meter

    def link(
        self, name: str, keys: Iterable[Ints], column: Ints, most: Floats, switch: Sequence[Any], which: Ints,
        *, lazy: bool, less: Sequence[Any] | None = None,
    ) -> None:  # fmt: skip
        r"""Rows `sum of flows with equal keys <= most * switch`.

        .. math:: \sum_{j \in g} x_j \le M_g\,z_{s(g)}

        Parameters
        ----------
        keys
            Arrays over `column` that tell the rows apart.
        column
            Array columns.
        most
            Bound M on the flow of the row, per column (equal within a row).
        switch, which
            Pyomo variables, and the number of the variable for each column (equal within a row).
        less
            Variables to be subtracted from the switch, in the order of `switch`.
        """
        if not len(column):
            return
        _, first, group = np.unique(joint_key(*keys, which), return_index=True, return_inverse=True)
        n = len(first)
        d_row, d_which, d_value = np.arange(n), which[first], -most[first]
        if less is not None:
            d_row = np.concatenate([d_row, d_row])
            d_which = np.concatenate([d_which, len(switch) + d_which])
            d_value = np.concatenate([d_value, most[first]])
        self.add_rows(
            name, group, column, 1.0, -np.inf, 0.0, count=n, lazy=lazy,
            decisions=(d_row, [*switch, *(less or ())], d_which, d_value),
        )  # fmt: skip

    # -- costs -----------------------------------------------------------------------------------------------

    def settle(self, flows: Floats) -> None:
        """Give every decision that follows from flows its cheapest consistent value.

        Sites and joined pools are decisions of their own and must be set before; everything else (stock
        points, contracts, tiers, top-ups, true roots) is settled by the feature that owns it.
        """
        for settler in self.settlers:
            settler(flows)

    def costs(self, arrays: Arrays, point: Floats) -> dict[str, float]:
        """Cost of each bucket at some values of all columns of the compiled model."""
        out = dict(zip(BUCKETS, (arrays.terms @ point + arrays.constants).tolist(), strict=True))
        flows = point[: arrays.flows]
        used = np.flatnonzero(flows)
        for (bucket, _), cost in self.flow_cost.items():
            mine = used[: np.searchsorted(used, len(cost))]
            out[bucket] += float(cost[mine] @ flows[mine])
        return out

    def flow_costs_at(self, place: str, flows: Floats) -> Floats:
        """Cost of every array column that arises at sites, on lanes, at supply, in stock or at markets."""
        out = np.zeros(self.columns)
        for (_, at), cost in self.flow_cost.items():
            if at == place:
                out[: len(cost)] += cost * flows[: len(cost)]
        return out

    def load(self, arrays: Arrays, point: Floats) -> Floats:
        """Set every decision to a solution's value, settle what follows from flows, and return the flows.

        Whole numbers are rounded and flows below a billionth of the product's scale are dropped.
        """
        values = point[arrays.flows :]
        values = np.where(arrays.integer[arrays.flows :], np.rint(values), values)
        for var, value in zip(arrays.decisions, values.tolist(), strict=True):
            if not var.fixed:
                var.set_value(value, skip_validation=True)
        flows = np.where(point[: arrays.flows] > 1e-9 * arrays.scale, point[: arrays.flows], 0.0)
        self.settle(flows)
        return flows

    # -- compilation -----------------------------------------------------------------------------------------

    def compile(self) -> Arrays:
        """Join arrays and Pyomo decisions into one set of arrays.

        Returns
        -------
        Arrays
            Array columns first, then Pyomo variables. Flow columns are counted in `scale` units each, so that
            products of very different volumes give coefficients of like size.
        """
        compiler = _PyomoPart(self)
        compiler.read()
        n = self.columns
        total = np.zeros(n)
        for cost in self.flow_cost.values():
            total[: len(cost)] += cost
        blocks = [*self.rows, compiler.rows()]
        matrix = vstack([compiler.entries_of(rows) for rows in blocks], format="csr")
        matrix.eliminate_zeros()
        at = matrix.shape[0]
        variables = compiler.decisions
        low, high = np.array([v.bounds for v in variables], float).reshape(-1, 2).T  # nan where there is none
        low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
        fixed = np.array([np.nan if not v.fixed else pyo.value(v) for v in variables], float)
        low, high = np.where(np.isnan(fixed), low, fixed), np.where(np.isnan(fixed), high, fixed)
        terms, constants = compiler.costs()
        return Arrays(
            cost=np.r_[total, np.zeros(len(variables))] + terms.sum(axis=0), offset=float(constants.sum()),
            terms=terms, constants=constants,
            lower=np.concatenate([np.zeros(n), low]), upper=np.concatenate([self.upper, high]),
            integer=np.concatenate([np.zeros(n, bool), np.array([v.is_integer() for v in variables], bool)]),
            matrix=matrix, row_lower=np.concatenate([rows.lower for rows in blocks]),
            row_upper=np.concatenate([rows.upper for rows in blocks]),
            lazy=np.repeat([rows.lazy for rows in blocks], [rows.count for rows in blocks]),
            row_blocks=[(rows.name, rows.count) for rows in blocks], decisions=variables,
            names=_names(variables), flows=n, scale=self._scale(),
            constraint_row={key: at - len(compiler.bounds) + row for key, row in compiler.number.items()},
        )  # fmt: skip

    def _scale(self) -> Floats:
        """Units that a step of an array column stands for: a power of two near its product's mean demand."""
        demand = self.chain.demand
        wanted = demand > 0
        mean = demand.sum(axis=(0, 1)) / np.maximum(wanted.sum(axis=(0, 1)), 1)
        size = np.exp2(np.rint(np.log2(np.where(mean > 0, mean, 1.0))))
        product = self.network.product
        extra = self.notes.get("column_product", np.empty(0, np.int64))
        return np.concatenate([size[product], size[extra]])


def _names(variables: list[Any]) -> list[str]:
    """Their names as Pyomo has them; what variables share, such as an id, is looked at once."""
    shown: Callable[[Any], str] = lru_cache(None, typed=True)(name_repr)
    heads: dict[int, str] = {}
    out = []
    for var in variables:
        whole = var.parent_component()
        if (head := heads.get(id(whole))) is None:
            head = heads[id(whole)] = whole.name
        if whole is not var:
            index = var.index()
            head += f"[{','.join(map(shown, index if isinstance(index, tuple) else (index,)))}]"
        out.append(head)
    return out


class _PyomoPart:
    """Reads constraints and terms of the Pyomo model into entries of a row block."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.seats: dict[int, int] = {}
        self.decisions: list[Any] = []
        for index, var in model.pyomo.flow.items():
            self.seats[id(var)] = int(index)
        for var in model.pyomo.component_data_objects(pyo.Var, descend_into=True):
            if id(var) not in self.seats:
                self.seats[id(var)] = model.columns + len(self.decisions)
                self.decisions.append(var)
        self.entries: list[tuple[int, int, float]] = []
        self.bounds: list[tuple[float, float]] = []
        self.number: dict[int, int] = {}

    def seat(self, var: Any) -> int:
        """Column of a Pyomo variable."""
        return self.seats[id(var)]

    def read(self) -> None:
        """Walk the active constraints."""
        for con in self.model.pyomo.component_data_objects(pyo.Constraint, active=True, descend_into=True):
            seats, values, constant = self._linear(con.body, con)
            n = self.number[id(con)] = len(self.bounds)
            self.entries += [(n, s, v) for s, v in zip(seats, values, strict=True)]
            low = -np.inf if con.lower is None else float(pyo.value(con.lower)) - constant
            high = np.inf if con.upper is None else float(pyo.value(con.upper)) - constant
            self.bounds.append((low, high))

    def _linear(self, expression: Any, what: Any) -> tuple[list[int], list[float], float]:
        """Seats of the variables of an expression, their coefficients, and the constant."""
        from pyomo.repn import generate_standard_repn

        repn = generate_standard_repn(expression, compute_values=True, quadratic=False)
        if repn.nonlinear_expr is not None:
            raise ValueError(f"{what} is not linear")
        return [self.seat(v) for v in repn.linear_vars], list(repn.linear_coefs), float(repn.constant)

    def costs(self) -> tuple[csr_array, Floats]:
        """Give what a unit of each column costs by the terms of each bucket, and constants (`Arrays`)."""
        found = [self._linear(pyo.quicksum(self.model.terms[bucket]), bucket) for bucket in BUCKETS]
        bucket = np.repeat(np.arange(len(BUCKETS)), [len(seats) for seats, _, _ in found])
        seat, value = (np.concatenate([one[i] for one in found]) for i in (0, 1))
        shape = len(BUCKETS), self.model.columns + len(self.decisions)
        terms = csr_array((value, (bucket, seat.astype(np.int64))), shape=shape)
        return terms, np.array([constant for _, _, constant in found])

    def rows(self) -> Rows:
        """Every Pyomo constraint as one block; seats of flows and decisions alike are column numbers."""
        row, column, value = (
            np.array([e[i] for e in self.entries], t) for i, t in enumerate((np.int64, np.int64, float))
        )
        lower, upper = np.array(self.bounds, float).reshape(-1, 2).T
        none = np.empty(0, np.int64)
        return Rows("decisions", row, column, value, none, none, np.empty(0), [], lower, upper, lazy=False)

    def entries_of(self, rows: Rows) -> csr_array:
        """Matrix of a block of rows over all columns."""
        seat = np.array([self.seat(v) for v in rows.decisions], np.int64)
        row, column = (
            np.concatenate(parts, dtype=np.int32, casting="same_kind")
            for parts in ((rows.row, rows.decision_row), (rows.column, seat[rows.which]))
        )
        value = np.concatenate([rows.value, rows.decision_value])
        shape = (rows.count, self.model.columns + len(self.decisions))
        return csr_array(coo_array((value, (row, column)), shape=shape))
