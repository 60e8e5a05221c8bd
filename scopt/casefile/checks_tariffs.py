"""Checks of tariffs and limits: subjects that exist, scopes that mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scopt.casefile.checks_keys import known_ids
from scopt.casefile.frames import first_rows, key_codes, records
from scopt.casefile.hints import Hints

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from scopt.casefile.context import Context

__all__ = [
    "check_limit_ranges",
    "check_limit_scopes",
    "check_rate_behaviors",
    "check_rate_subjects",
    "check_rated_costs",
]

_SITE_SCOPE = ("tier", "operator", "site")
_FLOW_SCOPE = ("channel", "product", "market")
_SCOPES = {
    "units": _SITE_SCOPE + _FLOW_SCOPE,
    "co2": _SITE_SCOPE + _FLOW_SCOPE,
    "on_time": _FLOW_SCOPE,
    "stock_value": (*_SITE_SCOPE, "product"),
}


def check_rate_subjects(context: Context) -> None:
    """Report tariffs of nothing that exists, or of lanes of several operators."""
    rates = context.tables["rates"]
    if rates.empty:
        return
    sites, operators = set(known_ids(context, "sites")), set(known_ids(context, "operators"))
    pairs = _operators_by_pair(context, set(rates["subject"]))
    twice, nothing, several = [], [], []
    for position in np.unique(first_rows(key_codes(rates, ["subject"]))).tolist():
        subject = str(rates["subject"].iloc[position])
        if subject in sites and subject in operators:
            twice.append(position)
        elif not subject or subject in sites or subject in operators:
            continue
        elif subject not in pairs:
            nothing.append(position)
        elif len(pairs[subject]) > 1:
            several.append(position)
    rule, mend = "the subject is both a site and an operator", "Give one of them another id."
    context.report("rates", np.array(twice), "subject", rule, mend)
    hint = Hints([*sites, *operators])
    rule = "the subject is no site, no operator and no origin>destination with a lane"
    context.report(
        "rates", np.array(nothing), "subject", rule,
        lambda position: hint(rates["subject"].iloc[position], "Correct it or add the lane."),
    )  # fmt: skip
    rule = "the lanes of the pair belong to several operators"
    mend = "Give the tariff to one operator, or leave lanes of one operator only."
    context.report("rates", np.array(several), "subject", rule, mend)


def _operators_by_pair(context: Context, subjects: set[str]) -> dict[str, set[str]]:
    """Return the operators of the lanes of each `origin>destination` among the subjects."""
    lanes = context.lanes
    if lanes is None or lanes.empty:
        return {}
    pair = lanes["origin"] + ">" + lanes["destination"]
    rated = pair.isin(subjects) & (lanes["status"] != "closed")
    found: dict[str, set[str]] = {}
    for name, operator in zip(pair[rated], lanes["operator"][rated], strict=True):
        found.setdefault(name, set()).add(operator)
    return found


def check_rate_behaviors(context: Context) -> None:
    """Report subjects with several behaviors."""
    rates = context.tables["rates"]
    if rates.empty:
        return
    behavior = rates["behavior"].to_numpy()
    other = behavior != behavior[first_rows(key_codes(rates, ["subject"]))]
    rule = "the subject has more than one behavior"
    context.report("rates", other, "behavior", rule, "Write the same behavior in all rows of the subject.")


def check_rated_costs(context: Context) -> None:
    """Report costs by product that the tariff of the site replaces."""
    subjects = set(context.tables["rates"]["subject"])
    own = context.tables["site_products"]
    idle = (own["unit_cost"].notna() & own["site"].isin(subjects)).to_numpy()
    rule = "the tariff of the site replaces this unit_cost"
    context.report("site_products", idle, "unit_cost", rule, "Leave it blank.", level="warning")


def check_limit_ranges(context: Context) -> None:
    """Report limits without a bound, or with min above max."""
    limits = context.tables["limits"]
    crossed = (limits["min"] > limits["max"]).to_numpy()
    context.report("limits", crossed, "max", "min is above max", "Correct one of them.")
    none = (limits["min"].isna() & limits["max"].isna()).to_numpy()
    rule = "neither min nor max is given: the limit has no effect"
    context.report("limits", none, "max", rule, "Give one of them.", level="warning")


def check_limit_scopes(context: Context) -> None:
    """Report scopes that mean or match nothing."""
    limits = context.tables["limits"]
    known = {
        name: set(known_ids(context, f"{name}s")) for name in (*_SITE_SCOPE, *_FLOW_SCOPE) if name != "tier"
    }
    hint = Hints(context.tables["sites"]["tier"].unique())
    for position, limit in enumerate(records(limits)):
        if not limit["measure"]:
            continue
        given = [column for column in _SITE_SCOPE + _FLOW_SCOPE if limit[column]]
        meant = _SCOPES.get(limit["measure"], _SITE_SCOPE)
        for column in given:
            if column not in meant:
                rule = f"{column} has no meaning for the measure {limit['measure']}"
                context.report("limits", [position], column, rule, "Leave it blank.")
        by_site = [column for column in given if column in _SITE_SCOPE]
        if "market" in given and "market" in meant and by_site:
            rule = f"market cannot be combined with {' and '.join(by_site)}"
            context.report("limits", [position], "market", rule, "Leave one of them blank.")
            continue
        # An unknown id has its finding.
        if all(limit[column] in known[column] for column in given if column != "tier"):
            _check_matches(context, position, limit, [column for column in given if column in meant], hint)


def _check_matches(
    context: Context, position: int, limit: dict[str, str], given: list[str], hint: Hints
) -> None:
    sites, demand = context.tables["sites"], context.tables["demand"]
    for table, columns, what in ((sites, _SITE_SCOPE, "site"), (demand, _FLOW_SCOPE, "demand")):
        scope = [column for column in given if column in columns]
        if scope and not _matches(table, limit, scope).any():
            rule = f"no {what} has this {' and '.join(scope)}"
            mend = "Correct the scope, or remove the limit."
            if scope == ["tier"]:
                mend = f"{hint(limit['tier'])} {mend}".strip()
            context.report("limits", [position], scope[0], rule, mend)


def _matches(table: pd.DataFrame, limit: dict[str, str], scope: list[str]) -> NDArray[np.bool_]:
    mask = np.ones(len(table), dtype=bool)
    for column in scope:
        mask &= (table[column] == limit[column]).to_numpy()
    return mask
