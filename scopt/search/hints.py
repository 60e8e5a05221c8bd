"""What the search of one strategy can tell that of another.

Strategies of one case are kindred: a design of one is often a design of the other, and where one may do
whatever the other may, its bound holds for both. A start is priced in the model that takes it, so that it may
come from anywhere; whoever hands on a bound has to know that it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scopt.chain import position

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scopt.chain import Chain
    from scopt.models import Arrays
    from scopt.search.improve import Design
    from scopt.search.root import Root

__all__ = ["Hints", "Start"]

Cell = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Start:
    """A design by the ids of the case, so that other models can take it up.

    Parameters
    ----------
    values
        Whole decisions that are not 0, by name.
    variance
        Variance by (site, product, pool) of what is stocked, units^2; the pool is blank where all are joined.
    """

    values: Mapping[str, float]
    variance: Mapping[tuple[str, str, str], float]

    @classmethod
    def of(cls, design: Design, arrays: Arrays, chain: Chain) -> Start:
        """Keep a design of a model."""
        kinds = arrays.integer[arrays.flows :].tolist()
        whole = {name for name, integer in zip(arrays.names, kinds, strict=True) if integer}
        pools = [*map(str, chain.pool_ids), ""]
        sites, products = chain.site_ids, chain.product_ids
        return cls(
            {name: round(value) for name, value in design.values.items() if name in whole and round(value)},
            {
                (str(sites[site]), str(products[product]), pools[group]): at
                for (site, product, group), at in design.variance.items()
                if at > 0
            },
        )

    def decisions(self, arrays: Arrays) -> dict[str, float]:
        """Whole decisions by name, as near as a model's own bounds allow."""
        columns = np.flatnonzero(arrays.integer)
        names = [arrays.names[j - arrays.flows] for j in columns.tolist()]
        wanted = np.array([self.values.get(name, 0.0) for name in names])
        taken = np.clip(wanted, arrays.lower[columns], arrays.upper[columns])
        return dict(zip(names, taken.tolist(), strict=True))

    def cells(self, chain: Chain) -> dict[Cell, float]:
        """Variance by cell of a chain; what it does not know is left out."""
        pools = {str(pool): number for number, pool in enumerate(chain.pool_ids)} | {"": len(chain.pool_ids)}
        return {
            (position(site, chain.site_ids), position(product, chain.product_ids), pools[pool]): at
            for (site, product, pool), at in self.variance.items()
            if site in chain.site_ids and product in chain.product_ids and pool in pools
        }


@dataclass(frozen=True, eq=False)
class Hints:
    """What is known before a search begins.

    Parameters
    ----------
    starts
        Designs to begin with.
    bound
        Cost below which the strategy has no design, money per year.
    root
        A relaxation to begin with.
    """

    starts: tuple[Start, ...] = ()
    bound: float = -np.inf
    root: Root | None = None
