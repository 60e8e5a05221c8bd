r"""Capacity that has to be open: rows that follow from a model and that branch and bound cannot see in it.

Whatever a product's demand is, it leaves some site as its first and some site as its last. The capacities of
the sites that can be first (or last) for a part of the demand have to cover it:

.. math:: \sum_{i \in S} \min(u_i, D)\, z_i \ge D

The relaxation knows that already (sum the capacity rows of S); from the sum branch and bound derives cover
inequalities, which it does not find by itself (Cornuéjols, Sridharan and Thizy 1991: aggregate demand
constraint). Where so many sites have to be open that their number tells more, a second row does:

.. math:: \sum_{i \in S} z_i \ge n, \qquad n = \min\Big\{ |T| : T \subseteq S, \sum_{i \in T} u_i \ge D \Big\}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scopt.network import LAST, SUPPLY
from scopt.search.rows import stacked, with_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scopt.models import Arrays, Model

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["covered"]


def covered(model: Model, arrays: Arrays) -> Arrays:
    """Return the arrays with such rows at their end; the same ones where there is no such row."""
    chain = model.chain
    if chain.strategy.measured:  # capacities do not bind today's chain
        return arrays
    place, z = arrays.place, model.pyomo.open_site
    column = np.array([place.get(z[site].name, -1) for site in chain.site_ids], np.int64)
    rows: dict[bytes, tuple[Ints, Floats, float]] = {}
    for sites, capacity, needed in _needs(model):
        for entry, least in _rows(sites, np.minimum(capacity, needed), needed, chain.bounds):
            at = np.flatnonzero(entry)
            if least > 0 and len(at) and (column[at] >= 0).all():
                row = column[at], entry[at], least
                rows.setdefault(row[0].tobytes() + row[1].tobytes() + np.float64(least).tobytes(), row)
    if not rows:
        return arrays
    extra = stacked([(columns, values) for columns, values, _ in rows.values()], len(arrays.cost))
    low = np.array([least for _, _, least in rows.values()])
    return with_rows(arrays, "cover", extra, low, np.full(len(low), np.inf), lazy=False)


def _rows(
    sites: Ints, capacity: Floats, needed: float, bounds: tuple[Ints, Ints]
) -> Iterator[tuple[Floats, float]]:
    """Coefficient of each site and right-hand side of the row of volumes and of that of numbers."""
    lower, upper = bounds
    sure, open_ = sites[lower[sites] > 0], sites[(lower[sites] < upper[sites])]
    entry = np.zeros(len(lower))
    entry[sites] = capacity[sites]
    least = needed - float(entry[sure].sum())
    if least <= 1e-9 * needed or not len(open_):
        return
    volume = np.where(np.isin(np.arange(len(lower)), open_), np.minimum(entry, least), 0.0)
    yield volume / least, 1.0
    total = np.cumsum(np.sort(volume[open_])[::-1])
    count = 1 + int((total < least * (1 - 1e-9)).sum())
    if count > 1:
        yield (volume > 0).astype(float), float(count)


def _needs(model: Model) -> Iterator[tuple[Ints, Floats, float]]:
    """Sites that a part of the demand has to pass, their capacities (sites,), and the volume of that part."""
    net, chain = model.network, model.chain
    size, needed = chain.product_column("size"), chain.required
    volume = np.where(np.isnan(chain.site_column("capacity")), np.inf, chain.site_column("capacity"))
    row = getattr(model.pyomo, "site_capacity", {})
    volume[[site not in row or not row[site].active for site in chain.site_ids]] = np.inf
    own = chain.by_product("capacity", np.full(len(chain.site_ids), np.inf))
    for kind, most in ((SUPPLY, np.minimum(chain.supply_capacity, own)), (LAST, own)):
        column = np.flatnonzero(net.kind == kind)
        passes = np.zeros((len(chain.site_ids), *needed.shape[1:]), bool)
        passes[net.site[column], net.channel[column], net.product[column]] = True
        by_channel = needed.sum(axis=0)
        for p in range(len(size)):
            units = np.minimum(most[:, p], volume / size[p] if size[p] > 0 else np.inf)
            for through, demand in (
                (passes[:, :, p].any(axis=1), by_channel[:, p].sum()),
                *zip(passes[:, :, p].T, by_channel[:, p], strict=True),
            ):
                sites = np.flatnonzero(through)
                if demand > 0 and np.isfinite(most[sites, p]).any():
                    yield sites, units, float(demand)
        for through, demand in (
            (passes.any(axis=(1, 2)), float((by_channel @ size).sum())),
            *zip(np.asarray(passes.any(axis=2)).T, by_channel @ size, strict=True),
        ):
            sites = np.flatnonzero(through)
            if demand > 0 and np.isfinite(volume[sites]).any():
                yield sites, volume, float(demand)
