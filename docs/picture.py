"""Draw a case today and redesigned, as the README shows it.

    python docs/picture.py cases/apparel.xlsx docs/result.svg

Two maps show what flows where, with a dot for every site that is open; the bars show cost by bucket.
"""

from __future__ import annotations

import math
import sys
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import scopt
from scopt.report.summary import by_tier

if TYPE_CHECKING:
    from pandas import DataFrame

    from scopt import Case, Result

WIDTH, HEIGHT, MAP_WIDTH, TOP = 1080, 440, 380, 70
INK, GREY, PAPER = "#17323A", "#7C8C91", "#FFFFFF"
COLOURS = [
    *("#17323A", "#D98E32", "#8C4A5B", "#5B6C9D", "#C4B13A"),
    *("#1F6F78", "#7A4FA3", "#B5523B", "#5F8A4C", "#3F8F6B"),
]
BUCKETS = [
    *("#1F6F78", "#7FB7BE", "#D98E32", "#F0C987", "#5B6C9D", "#A9B4D0", "#8C4A5B"),
    *("#CFA3AE", "#5F8A4C", "#B4CFA4", "#7A4FA3", "#C3ABDA", "#B5523B", "#E3A796"),
]
SMALL = 0.015  # buckets below this share of the largest cost are drawn as one

Places = dict[str, tuple[float, float]]


def draw(case: Case, today: Result, after: Result) -> str:
    """Return the picture as SVG text."""
    places, tiers = positions(case), by_tier(after.sites)
    tiers = tiers[(tiers["before"] > 0) | (tiers["after"] > 0)]
    colours = dict(zip(tiers["tier"], COLOURS * 9, strict=False))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
    ]
    for at, (title, result) in enumerate((("Today", today), ("Redesigned", after))):
        parts += [f'<g transform="translate({at * MAP_WIDTH} 0)">', *heading(title, result)]
        parts += [*lanes(result.flows, places), *sites(result.sites, places, colours), "</g>"]
    parts += [*legend(tiers, colours), *bars(after.costs, after.currency), "</svg>"]
    return "\n".join(parts) + "\n"


def positions(case: Case) -> Places:
    """Pixels of every site and market within a map."""
    points = {}
    for table, key in (("sites", "site"), ("markets", "market")):
        rows = case.tables[table][[key, "longitude", "latitude"]].itertuples(index=False)
        points |= {name: (longitude, latitude) for name, longitude, latitude in rows}
    longitudes, latitudes = np.array(list(points.values())).T
    x = (longitudes - longitudes.min()) * math.cos(math.radians(latitudes.mean()))
    y = latitudes.max() - latitudes
    scale = min((MAP_WIDTH - 50) / x.max(), (HEIGHT - TOP - 90) / y.max())
    return dict(zip(points, zip(20 + x * scale, TOP + 10 + y * scale, strict=True), strict=True))


def heading(title: str, result: Result) -> list[str]:
    """Title and cost of a map."""
    saved = "" if not result.saving else f", {100 * result.saving_share:.0f} % less"
    cost = f"{result.cost / 1e6:,.1f} million {result.currency} a year{saved}"
    return [
        f'<text x="20" y="30" font-size="20" font-weight="bold" fill="{INK}">{title}</text>',
        f'<text x="20" y="50" font-size="13" fill="{GREY}">{escape(cost)}</text>',
    ]


def lanes(flows: DataFrame, places: Places) -> list[str]:
    """Lines as wide as the root of what flows."""
    units = flows.groupby(["origin", "destination"])["units"].sum()
    parts = []
    for (origin, destination), amount in units.sort_values().items():
        (x1, y1), (x2, y2) = places[origin], places[destination]
        if math.hypot(x2 - x1, y2 - y1) > 1:
            width = 0.3 + 4 * math.sqrt(amount / units.max())
            parts.append(
                f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GREY}"'
                f' stroke-width="{width:.1f}" stroke-opacity="0.35"/>'
            )
    return parts


def sites(table: DataFrame, places: Places, colours: dict[str, str]) -> list[str]:
    """Dots, larger where a tier has few sites; the tiers with many sites lie below."""
    opened = table[table["after"] == "open"]
    counts = opened["tier"].map(opened["tier"].value_counts())
    parts = []
    for site, tier, count in sorted(
        zip(opened["site"], opened["tier"], counts, strict=True), key=lambda s: -s[2]
    ):
        (x, y), radius = places[site], 2 + 4 / math.sqrt(count)
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colours[tier]}" stroke="{PAPER}"'
            f' stroke-width="0.6"><title>{escape(site)}</title></circle>'
        )
    return parts


def legend(tiers: DataFrame, colours: dict[str, str]) -> list[str]:
    """Tiers with their number of open sites, today and after."""
    parts = []
    for at, (tier, before, after) in enumerate(tiers[["tier", "before", "after"]].itertuples(index=False)):
        x, y = 26 + 190 * (at % 4), HEIGHT - 52 + 20 * (at // 4)
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{colours[tier]}"/>')
        text = escape(f"{tier}: {before} → {after}")
        parts.append(f'<text x="{x + 11}" y="{y}" font-size="12.5" fill="{INK}">{text}</text>')
    return parts


def bars(costs: DataFrame, currency: str) -> list[str]:
    """Two stacked bars with the names of the buckets beside them."""
    table = costs.set_index("bucket")[["as_is", "strategy"]].clip(lower=0.0)
    small = table.max(axis=1) < SMALL * table.sum().max()
    table = table[~small].assign(colour=(BUCKETS * 9)[: (~small).sum()])
    rest = costs.set_index("bucket").loc[small[small].index, ["as_is", "strategy"]].sum().clip(lower=0.0)
    table.loc["other"] = [*rest, "#BDBDBD"]
    left, bottom, tall = 2 * MAP_WIDTH + 20, HEIGHT - 70, HEIGHT - TOP - 90
    scale = tall / table[["as_is", "strategy"]].sum().max()
    parts = [
        f'<text x="{left}" y="30" font-size="20" font-weight="bold" fill="{INK}">Cost by bucket</text>',
        f'<text x="{left}" y="50" font-size="13" fill="{GREY}">{escape(currency)} a year</text>',
    ]
    for at, (column, name) in enumerate((("as_is", "today"), ("strategy", "redesigned"))):
        x, y = left + 84 * at, float(bottom)
        for height, colour in zip(table[column] * scale, table["colour"], strict=True):
            y -= height
            parts.append(f'<rect x="{x}" y="{y:.1f}" width="68" height="{height:.1f}" fill="{colour}"/>')
        middle = f'x="{x + 34}" y="{bottom + 17}" text-anchor="middle"'
        parts.append(f'<text {middle} font-size="12.5" fill="{INK}">{name}</text>')
    for at, (bucket, colour) in enumerate(reversed(list(table["colour"].items()))):
        y = TOP + 30 + 21 * at
        parts.append(f'<rect x="{left + 176}" y="{y - 10}" width="12" height="12" fill="{colour}"/>')
        name = escape(str(bucket).replace("_", " "))
        parts.append(f'<text x="{left + 194}" y="{y}" font-size="12.5" fill="{INK}">{name}</text>')
    return parts


def main(source: str, target: str) -> None:
    """Solve a case as it is and redesigned, and write the picture."""
    case = scopt.read_case(source)
    today, after = scopt.solve(case, "as_is"), scopt.solve(case)
    Path(target).write_text(draw(case, today, after), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
