r"""Tiers of tariffs: rows that a relaxation breaks when it mixes a narrow tier with a wide one.

A relaxation takes a little of the widest tier of a tariff, into which all that could ever come fits, and for
the rest a narrow one. Yet whatever the tier, no more goes to a destination than is wanted there. For any set
S of destinations and commodities (of a site, where the volume is that of several) and any tier T

.. math:: \sum_{d \in S} \Big( f_d - D_d \sum_{t \ge T} y_t \Big) \le \sum_{t < T} h_t\, y_t

where :math:`f_d` is what goes there in sizes a year, :math:`D_d` the most that can, :math:`h_t` the end of
tier t and :math:`y_t` whether it is taken: a tier from T on, or one below whose end holds for the whole
volume. That is the projection of a model with flows for each tier (Croxton, Gendron and Magnanti 2007), and
the set that a point breaks most is told by the signs of the terms.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.models import Arrays, Model, Tariff
    from scopt.models.offers import Tiers

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["TierRows", "Volume"]

BROKEN = 0.05
"""Part of the volume of a tariff by which a row has to be broken."""


class TierRows:
    """Rows on the tiers of a model's tariffs, on demand.

    Parameters
    ----------
    model, arrays
        A model and its arrays.
    """

    def __init__(self, model: Model, arrays: Arrays) -> None:
        tariffs = model.notes.get("tariffs", [])
        self.tariffs = {
            -1 - zlib.crc32(one.subject.encode()): Volume.of(model, arrays, one) for one in tariffs
        }

    def broken(self, point: Floats) -> list[Ints]:
        """Find the sets whose rows a point breaks, one for each tariff at most.

        Parameters
        ----------
        point
            Values of all columns, in the units of the case.

        Returns
        -------
        list of ndarray
            A number below 0 for the tariff, T, then the marks of S, which other models of the case know.
        """
        found = ((key, one.broken(point)) for key, one in self.tariffs.items())
        return [np.concatenate([[key], one]) for key, one in found if one is not None]

    def knows(self, one: Ints) -> bool:
        """Whether the tariff of a set that a model of the case found is there."""
        return int(one[0]) in self.tariffs

    def row(self, one: Ints) -> tuple[Ints, Floats]:
        """Columns and entries of the row ``... <= 0`` of a set that is known here."""
        return self.tariffs[int(one[0])].row(int(one[1]), one[2:])


@dataclass(frozen=True, eq=False)
class Volume:
    """Volume of a tariff by what is wanted where.

    Attributes
    ----------
    tiers
        The price list.
    choice, volume
        Columns of each tier: whether it is taken, and the volume in it.
    flow, size, part
        Columns of the volume, sizes of their units, and which destination and commodity each is for.
    most, mark
        Largest volume in sizes per year, and mark, of each destination and commodity.
    """

    tiers: Tiers
    choice: Ints
    volume: Ints
    flow: Ints
    size: Floats
    part: Ints
    most: Floats
    mark: Ints

    @classmethod
    def of(cls, model: Model, arrays: Arrays, tariff: Tariff) -> Volume:
        """Split the volume of a tariff."""
        net, chain, flow = model.network, model.chain, tariff.lanes
        size = chain.product_column("size")[net.product[flow]]
        ends = net.site[flow] * (len(chain.site_ids) + len(chain.market_ids)) + net.destination[flow]
        key = ends * (len(chain.channel_ids) * len(chain.product_ids)) + net.commodity[flow]
        mark, first, part = np.unique(key, return_index=True, return_inverse=True)
        choice, volume = (
            np.array([arrays.place[var.name] for var in variables], np.int64)
            for variables in (tariff.choice, tariff.part)
        )
        most = (net.reach_destination[flow] * size)[first]
        return cls(tariff.tiers, choice, volume, flow, size, part, most, mark)

    def broken(self, point: Floats) -> Ints | None:
        """T and the marks of the set whose row a point breaks most; None where it breaks none."""
        y = point[self.choice]
        if y.max() > 1 - 1e-5:
            return None
        amount = np.bincount(self.part, self.size * point[self.flow], minlength=len(self.most))
        best, out = BROKEN * float(amount.sum()), None
        for t in range(1, len(y)):
            over = amount - self.most * y[t:].sum()
            excess = float(over[over > 0].sum() - self.tiers.high[:t] @ y[:t])
            if excess > best:
                best, out = excess, np.concatenate([[t], self.mark[over > 0]])
        return out

    def row(self, tier: int, marks: Ints) -> tuple[Ints, Floats]:
        """Columns and entries of the row of a set."""
        inside = np.isin(self.mark, marks)
        flow = inside[self.part]
        high = self.tiers.high
        steps = np.where(np.arange(len(high)) < tier, high, self.most[inside].sum())
        return np.concatenate([self.flow[flow], self.choice]), np.concatenate([self.size[flow], -steps])
