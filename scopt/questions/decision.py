"""The decision that a question is about: a site, lanes, stock or an operator, perhaps for some goods only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scopt.casefile.hints import nearest
from scopt.chain import positions
from scopt.errors import UsageError
from scopt.models.forcing import USED, could_carry, forbid, require
from scopt.models.network_flow import is_move, is_stock
from scopt.models.operators import operator_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.chain import Chain
    from scopt.models import Model
    from scopt.result import Result

    Ints = NDArray[np.int64]

__all__ = ["Decision", "find"]

_STATES = {
    "site": ("open", "closed"),
    "goods": ("used", "not used"),
    "lane": ("used", "not used"),
    "stock": ("holding stock", "holding none"),
    "operator": ("under contract", "not under contract"),
}


@dataclass(frozen=True)
class Decision:
    """One decision of a strategy.

    Parameters
    ----------
    kind
        ``site``, ``lane``, ``stock`` or ``operator``.
    name
        Site, ``origin>destination`` or operator.
    rows
        Rows of the case's lanes that are meant, counted from 0; none but for lanes.
    product, channel
        Goods that are meant; blank: all. Of stock, the product.
    """

    kind: str
    name: str
    rows: tuple[int, ...] = ()
    product: str = ""
    channel: str = ""

    def __str__(self) -> str:
        goods = " ".join(part for part in (self.product, self.channel) if part)
        return f"{self.kind} {self.name}" + (f" ({goods})" if goods else "")

    @property
    def whole_site(self) -> bool:
        """Whether it is a site with all that passes it, which is open or closed."""
        return self.kind == "site" and not (self.product or self.channel)

    def word(self, taken: bool) -> str:
        """Return the state in a planner's words."""
        return _STATES["goods" if self.kind == "site" and not self.whole_site else self.kind][not taken]

    # -- in a result -----------------------------------------------------------------------------------------

    def taken(self, result: Result) -> bool:
        """Tell whether a design takes the decision."""
        if self.whole_site:
            return bool((result.sites.set_index("site")["after"] == "open")[self.name])
        if self.kind == "operator":
            return bool((result.outsourcing["operator"] == self.name).any())
        return bool(self.carried(result)["units"].sum() > 0)

    def carried(self, result: Result) -> pd.DataFrame:
        """Return what a design runs through the decision: product, channel, lane (-1: none), units a year."""
        parts: list[pd.DataFrame] = []
        if self.kind == "site":
            parts = [result.flows[result.flows["destination"] == self.name]]
            parts.append(result.supply[result.supply["site"] == self.name].assign(lane=-1))
        elif self.kind == "lane":
            parts = [result.flows[result.flows["lane"].isin(self.rows)]]
        elif self.kind == "stock":
            held = result.stock_routes
            parts = [held[(held["site"] == self.name) & (held["coverage"] > 0)].assign(lane=-1)]
        columns = ["product", "channel", "lane", "units"]
        table = pd.concat([part[columns] for part in parts if len(part)] or [pd.DataFrame(columns=columns)])
        for column in ("product", "channel"):
            if getattr(self, column):
                table = table[table[column] == getattr(self, column)]
        return table

    def volume(self, result: Result) -> float:
        """Units a year that a design runs through the decision."""
        if self.kind == "operator":
            mine = result.outsourcing[result.outsourcing["operator"] == self.name]
            return float(mine["units"].sum())
        return float(self.carried(result)["units"].sum())

    # -- in a model ------------------------------------------------------------------------------------------

    def columns(self, model: Model) -> Ints:
        """Array columns that carry the goods meant; an operator's may occur twice."""
        net, chain = model.network, model.chain
        if self.kind == "operator":
            column, who = operator_columns(model)
            column = column[who == chain.operator_ids.get_loc(self.name)]
        elif self.kind == "lane":
            move = is_move(model)
            column = move[chain.lanes["lane"].isin(self.rows).to_numpy()[net.lane[move]]]
        elif self.kind == "stock":
            held = is_stock(model)
            column = held[net.site[held] == chain.site_ids.get_loc(self.name)]
        else:
            column = np.flatnonzero(net.enters == chain.site_ids.get_loc(self.name))
        for name, ids, of in (
            (self.product, chain.product_ids, net.product),
            (self.channel, chain.channel_ids, net.channel),
        ):
            if name:
                column = column[of[column] == ids.get_loc(name)]
        return column

    def force(self, model: Model, taken: bool, least: float | None = None) -> None:
        """Force the decision one way in a model.

        A whole site is opened or closed. Anything else is taken when at least a hundredth (`USED`) of what
        could run through it does: of the demand that can be reached by it, or of its capacity where that is
        less. Less would be a decision in name only.

        Parameters
        ----------
        least
            Volume that counts as taken instead, sizes per year, where a known design makes do with less.
        """
        m, column = model.pyomo, self.columns(model)
        if self.whole_site:
            m.open_site[self.name].fix(int(taken))
        elif not taken:
            if self.kind == "operator":
                m.contract[self.name].fix(0)
            forbid(model, "asked_off", column)
        else:
            usual = self.least(model)
            require(model, "asked_on", column, usual if least is None else min(usual, least))

    def least(self, model: Model) -> float:
        """Volume from which on the decision counts as taken, sizes per year."""
        column = self.columns(model)
        most = could_carry(model, column, np.zeros(len(column), np.int64), 1)[0]
        return USED * min(float(most), self._capacity(model.chain))

    def _capacity(self, chain: Chain) -> float:
        case = chain.case
        if self.kind == "lane":
            room = case.lanes["capacity"].iloc[list(self.rows)]
        elif self.kind == "operator":
            room = case.operators.set_index("operator")["capacity"].loc[[self.name]]
        else:
            room = case.sites.set_index("site")["capacity"].loc[[self.name]]
        return float(room.fillna(np.inf).sum())


def find(
    chain: Chain,
    *,
    site: str | None = None,
    lane: str | None = None,
    stock: str | None = None,
    operator: str | None = None,
    mode: str | None = None,
    product: str | None = None,
    channel: str | None = None,
) -> Decision:
    """Find the decision that is asked about.

    Raises
    ------
    UsageError
        Nothing or more than one thing is named, or something that the case does not have.
    """
    named = [name for name, value in (("site", site), ("lane", lane), ("stock", stock)) if value is not None]
    if operator is not None and lane is None:
        named.append("operator")
    if len(named) != 1:
        raise UsageError("name one decision: a site, a lane, stock or an operator")
    kind = named[0]
    for what, name, ids in (
        ("product", product, chain.product_ids),
        ("channel", channel, chain.channel_ids),
        ("site", site, chain.site_ids),
        ("operator", operator or None, chain.operator_ids),
    ):
        if name is not None and name not in ids:
            raise UsageError(f"the case has no {what} {name!r}. {nearest(name, ids)}".strip())
    if mode is not None and kind != "lane":
        raise UsageError("a mode of transport belongs to a lane")
    if kind in ("stock", "operator") and (channel or (product and kind == "operator")):
        raise UsageError("goods narrow a site or a lane; stock is narrowed by its product")
    if kind == "stock":
        at, of = _stock_point(chain, str(stock))
        if product and of and product != of:
            raise UsageError(f"{stock!r} and product {product!r} disagree")
        return Decision("stock", at, product=of or product or "")
    if kind == "lane":
        return _lane(chain, str(lane), mode, operator, product, channel)
    return Decision(kind, str(site if kind == "site" else operator), (), product or "", channel or "")


def _stock_point(chain: Chain, text: str) -> tuple[str, str]:
    """Site and product of ``SITE`` or ``SITE:PRODUCT``; ids may hold colons themselves."""
    if text in chain.site_ids:
        return text, ""
    parts = text.split(":")
    for cut in range(1, len(parts)):
        site, product = ":".join(parts[:cut]), ":".join(parts[cut:])
        if site in chain.site_ids and product in chain.product_ids:
            return site, product
    hint = nearest(text.split(":")[0], chain.site_ids)
    raise UsageError(f"{text!r} is no site and no SITE:PRODUCT of the case. {hint}".strip())


def _lane(
    chain: Chain, pair: str, mode: str | None, operator: str | None, product: str | None, channel: str | None
) -> Decision:
    lanes = chain.case.lanes
    ends = lanes["origin"].astype(str) + ">" + lanes["destination"].astype(str)
    asked = ends == ">".join(part.strip() for part in pair.split(">"))
    if not asked.any():
        asked = ends == pair
    if not asked.any():
        hint = nearest(pair, ends.unique()) or "A lane is named 'origin>destination'."
        raise UsageError(f"the case has no lane {pair!r}. {hint}")
    kept = asked.copy()
    for column, value in (("mode", mode), ("operator", operator)):
        if value is not None:
            kept &= lanes[column] == value
    for column, value in (("product", product), ("channel", channel)):
        if value:
            kept &= lanes[column].isin(["", value])
    if not kept.any():
        rows = lanes.loc[asked, ["mode", "operator", "channel", "product"]].drop_duplicates()
        shown = "; ".join(
            ", ".join(f"{k} {v or '(blank)'}" for k, v in row.items()) for row in rows.to_dict("records")
        )
        raise UsageError(f"no such lane {pair!r}; the case has it with {shown}")
    return Decision(
        "lane", ends[asked].iloc[0], tuple(np.flatnonzero(kept).tolist()), product or "", channel or ""
    )


def lanes_asked(chain: Chain, decision: Decision) -> pd.DataFrame:
    """Rows of the case's lanes that a decision is about, with the numbers of their ends."""
    rows = chain.case.lanes.iloc[list(decision.rows)].assign(lane=list(decision.rows))
    rows["o"] = positions(rows["origin"], chain.site_ids)
    rows["d"] = positions(rows["destination"], chain.site_ids)
    rows["w"] = positions(rows["operator"], chain.operator_ids)
    return rows
