"""What tells two designs apart: sites, operators, stock points, joined pools, and lanes that cost a fee."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scopt.result import Result

__all__ = ["differences", "taken"]

WORDS = {
    "site": ("open", "closed"),
    "operator": ("under contract", "none"),
    "stock": ("stock", "none"),
    "pools": ("joined", "apart"),
    "lane": ("used", "not used"),
}
"""Kinds of decisions, and what is said of one that is taken and of one that is not."""


def taken(result: Result) -> dict[tuple[str, str], bool]:
    """Tell by (kind, name) which decisions a design takes; one that is not there is not taken."""
    sites, stock = result.sites, result.stock
    found = {
        ("site", str(site)): after == "open"
        for site, after in zip(sites["site"], sites["after"], strict=True)
    }
    found |= {("pools", str(site)): bool(on) for site, on in zip(sites["site"], sites["joined"], strict=True)}
    found |= {("operator", str(name)): True for name in result.outsourcing["operator"]}
    if len(stock):
        points = stock[["site", "product"]].drop_duplicates()
        found |= {("stock", f"{site}: {product}"): True for site, product in points.itertuples(index=False)}
    return found


def differences(
    first: Mapping[tuple[str, str], bool], second: Mapping[tuple[str, str], bool], names: tuple[str, str]
) -> pd.DataFrame:
    """Lay side by side what two designs decide differently.

    Returns
    -------
    DataFrame
        kind, decision, and what becomes of it in each design, in two columns called `names`.
    """
    keys = [
        key for key in dict.fromkeys([*first, *second]) if first.get(key, False) != second.get(key, False)
    ]
    rows = [
        (kind, name, *(WORDS[kind][not design.get((kind, name), False)] for design in (first, second)))
        for kind, name in sorted(keys, key=lambda key: list(WORDS).index(key[0]))
    ]
    return pd.DataFrame(rows, columns=["kind", "decision", *names])
