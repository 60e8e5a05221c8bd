"""The checks of a case as a whole, in the order of their findings; each is named after what it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scopt.casefile import checks_keys, checks_network, checks_tariffs, checks_terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from scopt.casefile.context import Context

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Callable[[Context], None], ...]] = (
    checks_terms.check_contract_version,
    checks_keys.check_duplicate_keys,
    checks_keys.check_references,
    checks_keys.check_ids_of_two_kinds,
    checks_network.check_places,
    checks_network.check_coordinates,
    checks_network.check_lanes_given,
    checks_network.check_lane_ends,
    checks_network.check_lane_overlaps,
    checks_network.check_ranges_of_volume,
    checks_network.check_forced_minimums,
    checks_network.check_supply,
    checks_network.check_reached,
    checks_terms.check_demand_variance,
    checks_terms.check_unmet,
    checks_terms.check_regions,
    checks_terms.check_variance_spread,
    checks_terms.check_promise_meets_stock,
    checks_tariffs.check_rate_subjects,
    checks_tariffs.check_rate_behaviors,
    checks_tariffs.check_rated_costs,
    checks_tariffs.check_limit_ranges,
    checks_tariffs.check_limit_scopes,
    checks_terms.check_fixed_strategies,
)
