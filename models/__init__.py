"""The mathematics of supply chain redesign: one feature, one file.

`build` is the table of contents of the model.
"""

if __name__ != "scopt.models":
    raise ImportError("this folder is installed as scopt.models; import it by that name")

from typing import TYPE_CHECKING

from scopt.models.lanes import add_lanes
from scopt.models.limits import add_limits
from scopt.models.model import BUCKETS, Arrays, Model
from scopt.models.network_flow import add_balance, add_demand, add_flow_costs
from scopt.models.o2o import add_joining
from scopt.models.offers import Tariff, add_pair_tariffs, add_site_tariffs
from scopt.models.operators import add_operators
from scopt.models.service import add_on_time_shares, add_single_sourcing
from scopt.models.sites import add_site_capacity, add_site_links, add_sites
from scopt.models.stock import add_stock, add_stock_ceilings, add_stock_points
from scopt.models.today import add_observed_shares

if TYPE_CHECKING:
    from scopt.models.model import Floats
    from scopt.network import Network

__all__ = ["BUCKETS", "Arrays", "Model", "Tariff", "build"]


def build(
    network: "Network", breaks: "dict[tuple[int, int, int], Floats] | None" = None, *, above: bool = False
) -> Model:
    """Assemble the model of a network.

    Parameters
    ----------
    network
        Expanded network of one strategy.
    breaks
        Break points of the root per cell (site, product, group), in line with `network.versions`; a single
        chord where a cell has none.
    above
        Approximate the root from above, by tangents at the break points.

    Returns
    -------
    Model
        Not yet compiled: its Pyomo part can be read and extended.
    """
    model = Model(network)
    add_balance(model)
    add_demand(model)
    add_flow_costs(model)
    add_sites(model)
    add_site_links(model)
    add_site_capacity(model)
    add_site_tariffs(model)
    add_lanes(model)
    add_pair_tariffs(model)
    add_operators(model)
    add_joining(model)
    add_stock_points(model)
    add_stock(model, breaks or {}, above=above)
    add_stock_ceilings(model)
    add_on_time_shares(model)
    add_single_sourcing(model)
    add_limits(model)
    add_observed_shares(model)
    return model
