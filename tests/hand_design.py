"""A case small enough to work by hand, and two designs of it written out as result tables.

Plant F makes P1 (stocked) and P2 (bulk, never stocked). Today P1 goes through warehouse W; the new design
hands the same place to the operator 3PL (site X), joins its pools and serves the web from there; store S
serves the shelf. A year has 100 days, so that yearly flows divide well.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import pandas as pd

from scopt.case import Case, Strategy

Z95, Z99 = 1.6448536269514722, 2.3263478740408408
ALL_OFF = dict.fromkeys(("remove", "add", "direct", "outsource", "restock", "o2o", "share"), False)
INTEGRATED = Strategy(name="integrated")
AS_IS = Strategy(name="as_is", measured=True, **ALL_OFF)


@dataclass(frozen=True)
class Design:
    """What `verify` is given."""

    case: Case
    strategy: Strategy
    tables: dict[str, pd.DataFrame]
    costs: dict[str, float]
    bound: float | None = None


def frame(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


def frames() -> dict[str, pd.DataFrame]:
    """Sheets of the case, as an analyst would write them."""
    no = None
    return {
        "settings": frame(
            "key value",
            ("days_per_year", 100),
            ("one_off_years", 2),
            ("holding_rate", 0.2),
            ("review_days", 4),
            ("co2_price", 0.5),
        ),
        "products": frame(
            "product value price size loss_rate_per_day max_stock_days max_site_days",
            ("P1", 10, 20, 2, 0.001, 10, 8),
            ("P2", 5, 8, 1, 0, no, no),
        ),
        "operators": frame(
            "operator contract_cost min_units min_bill capacity",
            ("3PL", 100, 10, 2100, 5000),
            ("idle", 70, 5, 900, no),
        ),
        "sites": frame(
            "site tier place operator status fixed_cost open_cost close_cost replacement_cost unit_cost "
            "margin_rate capacity min_units process_days stock stock_cost review_days o2o_cost co2_per_unit",
            ("F", "plant", "", "", "keep", 1000, 0, 0, 0, 1, 0, 5000, 0, 0.5, "no", 0, no, no, 0.1),
            ("W", "dc", "hub", "", "existing", 800, 0, 100, 50, 2, 0, no, 9999, 0, "existing", 40, no, no, 0),
            ("X", "dc", "hub", "3PL", "candidate", 99, 200, 0, 0, 9, 0, no, 10, 1, "optional", 25, no, 30, 0),
            ("S", "store", "", "", "keep", 300, 0, 0, 0, 0.5, 0.1, 450, 10, 0, "must", 20, 2, no, 0),
            ("C", "dc", "", "", "candidate", 10, 0, 0, 0, 0, 0, no, 0, 0, "optional", 0, no, no, 0),
            ("Z", "dc", "", "", "closed", 10, 0, 0, 0, 0, 0, no, 0, 0, "no", 0, no, no, 0),
        ),
        "site_products": frame(
            "site product capacity unit_cost stock stock_cost",
            ("S", "P1", 210, 0.6, "", 15),
            *((site, "P2", no, no, "no", no) for site in "WXSC"),
        ),
        "supply": frame(
            "site product unit_cost capacity lead_days", ("F", "P1", 3, 600, 2), ("F", "P2", 1, no, 0)
        ),
        "markets": frame("market region", ("M1", "R"), ("M2", "R")),
        "channels": frame(
            "channel response_days on_time_share share_scope max_late_days late_cost min_fill unmet_cost "
            "pool service_level commission_rate return_rate return_cost single_source",
            ("offline", 0, 1, "market", 0, 0, 1, no, "shelf", no, 0, 0, 0, "no"),
            ("online", 3, 0.6, "region", 2, 2, 0.9, 5, "web", 0.99, 0.1, 0.2, 1, "no"),
            ("bulk", no, 1, "market", no, 0, 1, no, "", no, 0, 0, 0, "yes"),
        ),
        "demand": frame(
            "market channel product units cv vmr",
            ("M1", "offline", "P1", 200, no, 4),
            ("M1", "online", "P1", 100, no, 4),
            # cv 1 of 300/100 units a day is a variance-to-mean ratio of 3.
            ("M2", "online", "P1", 300, 1, no),
            ("M1", "bulk", "P2", 500, no, no),
            ("M2", "bulk", "P2", 100, no, no),
        ),
        "lanes": frame(
            "origin destination channel product mode operator status unit_cost fixed_cost capacity min_units "
            "lead_days on_time_rate co2_per_unit damage_rate margin_rate units_today",
            ("F", "X", "", "", "truck", "", "existing", 7, 0, no, 0, 1.5, 1, 0.2, 0.01, 0, no),  # 0
            ("X", "S", "", "", "truck", "3PL", "candidate", 1, 20, no, 0, 1, 1, 0, 0, 0, no),  # 1
            ("X", "M1", "online", "", "truck", "", "existing", 4, 0, no, 0, 1, 0.9, 0, 0.02, 0, no),  # 2
            ("X", "M2", "online", "", "truck", "", "existing", 5, 0, 600, 50, 2, 0.8, 0.3, 0, 0, no),  # 3
            ("S", "M1", "offline", "", "truck", "", "existing", 0, 0, no, 0, 0, 1, 0, 0, 0, no),  # 4
            ("F", "M1", "bulk", "P2", "truck", "", "existing", 2, 0, no, 0, 10, 1, 0, 0, 0.05, no),  # 5
            ("F", "M2", "bulk", "P2", "truck", "", "candidate", 2.5, 0, no, 0, 12, 1, 0, 0, 0, no),  # 6
            ("F", "W", "", "", "truck", "", "existing", 1, 0, no, 0, 2, 1, 0, 0, 0, no),  # 7
            ("W", "S", "", "", "truck", "", "existing", 1, 50, no, 0, 1, 1, 0, 0, 0, no),  # 8
            ("W", "M1", "online", "", "truck", "", "existing", 4, 0, no, 0, 1, 0.9, 0, 0, 0, 50),  # 9
            ("W", "M2", "online", "", "truck", "", "existing", 5, 0, no, 0, 1, 0.8, 0, 0, 0, 150),  # 10
            ("F", "M2", "bulk", "P2", "rail", "", "existing", 3, 0, no, 0, 20, 1, 0, 0, 0, no),  # 11
            ("F", "M2", "bulk", "P2", "air", "", "closed", 1, 0, no, 0, 1, 1, 0, 0, 0, no),  # 12
            ("F", "C", "", "", "truck", "", "existing", 1, 0, no, 0, 1, 1, 0, 0, 0, no),  # 13
            ("C", "M1", "online", "", "truck", "", "existing", 1, 0, no, 0, 1, 1, 0, 0, 0, no),  # 14
            ("X", "M1", "bulk", "P2", "truck", "", "existing", 1, 0, no, 0, 1, 1, 0, 0, 0, no),  # 15
        ),
        "rates": frame(
            "subject from_units fixed_cost unit_cost behavior",
            ("X", 0, 50, 1.5, "incremental"),
            ("X", 1000, 10, 1.0, "incremental"),
            ("F>X", 500, 0, 2.0, "all_units"),
            ("F>X", 1000, 30, 1.8, "all_units"),
        ),
        "limits": frame(
            "limit measure tier operator channel product site market min max",
            ("few sites", "sites", "", "", "", "", "", "", no, 3),
            ("openings", "openings", "", "", "", "", "", "", no, 1),
            ("closures", "closures", "dc", "", "", "", "", "", no, 1),
            ("changes", "changes", "", "", "", "", "", "", no, 5),
            ("3PL volume", "units", "", "3PL", "", "", "", "", 500, no),
            ("web in M2", "units", "", "", "online", "", "", "M2", 250, 300),
            ("budget", "one_off", "", "", "", "", "", "", no, 300),
            ("carbon", "co2", "", "", "", "", "", "", no, 350),
            ("carbon to M2", "co2", "", "", "", "", "", "M2", no, 100),
            ("web through dc", "units", "dc", "", "online", "", "", "", no, 400),
            ("stock", "stock_value", "", "", "", "", "", "", no, 600),
        ),
    }


def case(**changed: pd.DataFrame) -> Case:
    return Case.from_frames(frames() | changed)


def lanes_used(case: Case, *rows: tuple[Any, ...]) -> pd.DataFrame:
    """Make the flows table; a row holds lane, channel, product, units, days_out, days, rate, from_stock, cost."""
    columns = "lane channel product units days_out days on_time_rate from_stock cost"
    flows = frame(columns, *rows)
    ends = case.lanes[["origin", "destination", "mode", "operator"]].iloc[flows["lane"]]
    return pd.concat([ends.reset_index(drop=True), flows], axis=1)


def integrated() -> Design:
    """W hands its place to X. 20 of the 300 units that the web asks for in M2 stay unmet, 80 go out late.

    Days: P1 leaves F after 2 (supply) + 1 (half a day of work, rounded) = 3, reaches X at 3 + 2 = 5 and is
    ready at 6. X sends to the store from stock at 0; to M1 with 2 (+ 1 = 3 promised), to M2 with 1
    (+ 2 = 3) and with 3 (+ 2 = 5, the latest). X reviews every 4 days, so coverage is 6 - out + 4.
    """
    c = case()
    # Last, the money of each flow: what its lane takes by unit (nothing where a tariff prices it), 0.03 for
    # each unit of P1 and day under way (0.2 * 10 / 100 held, 0.001 * 10 lost), 0.01 of P2; damage, margin,
    # carbon at 0.5; on the web 0.1 * 20 commission, 0.2 * 1 returns, 2 for each unit that is late.
    web = 2 + 0.2
    flows = lanes_used(
        c,
        (0, "offline", "P1", 200, 3, 5, 1, False, 200 * (1.5 * 0.03 + 0.01 * 10 + 0.1)),
        (0, "online", "P1", 380, 3, 5, 1, False, 380 * (1.5 * 0.03 + 0.01 * 10 + 0.1)),
        (1, "offline", "P1", 200, 0, 1, 1, True, 200 * (1 + 0.03)),
        (2, "online", "P1", 100, 2, 3, 0.9, True, 100 * (4 + 0.03 + 0.02 * (10 + 1) + web + 0.1 * 2)),
        (3, "online", "P1", 200, 1, 3, 0.8, True, 200 * (5 + 0.06 + 0.15 + web + 0.2 * 2)),
        (3, "online", "P1", 80, 3, 5, 0.8, True, 80 * (5 + 0.06 + 0.15 + web + 2)),
        (4, "offline", "P1", 200, 0, 0, 1, True, 0),
        (5, "bulk", "P2", 500, 0, 0, 1, False, 500 * (2 + 0.1 + 0.05 * 8)),
        (6, "bulk", "P2", 100, 0, 0, 1, False, 100 * (2.5 + 0.12)),
    )
    supply = frame(
        "site product channel days units cost",
        ("F", "P1", "offline", 3, 200, 600),
        ("F", "P1", "online", 3, 380, 1140),
        ("F", "P2", "bulk", 0, 600, 600),
    )
    routes = frame(
        "site product channel pool days_in days_out on_time_rate coverage units",
        ("X", "P1", "offline", "joined", 6, 0, 1, 10, 200),
        ("X", "P1", "online", "joined", 6, 2, 1, 8, 100),
        ("X", "P1", "online", "joined", 6, 1, 1, 9, 200),
        ("X", "P1", "online", "joined", 6, 3, 1, 7, 80),
        ("S", "P1", "offline", "shelf", 1, 0, 1, 3, 200),
    )
    # Ratios: offline 4, online (4*100 + 3*300)/400 = 3.25. Variance = coverage * ratio * flow / 100:
    # X: 80 + 26 + 58.5 + 18.2 = 182.7; S: 3 * 4 * 2 = 24. Joined pools take the 99 % of the web.
    safe_x, safe_s = Z99 * sqrt(182.7), Z95 * sqrt(24)
    # Cycle stock = flow/100 * review/2: X 5.8 * 2 = 11.6, S 2 * 1 = 2.
    stock_x, stock_s = safe_x + 11.6, safe_s + 2
    covered_x = 200 * 10 + 100 * 8 + 200 * 9 + 80 * 7  # 5160
    stock = frame(
        "site product pool units coverage_days variance safety cycle stock_days value cost",
        (
            "X",
            "P1",
            "joined",
            580,
            covered_x / 580,
            182.7,
            safe_x,
            11.6,
            stock_x / 5.8,
            stock_x * 10,
            stock_x * 3,
        ),
        ("S", "P1", "shelf", 200, 3, 24, safe_s, 2, stock_s / 2, stock_s * 10, stock_s * 3),
    )
    # Fixed cost, handling, half a day of work, carbon; W closes and is replaced; X: tariff, opening, joining,
    # slot, a day of work; S: fixed cost, handling, margin, slot. A unit of P1 in stock costs 2 + 1 a year.
    plant = 1000 + 1180 + 0.5 * (0.03 * 580 + 0.01 * 600) + 0.5 * 0.1 * 1180
    cost_x = 1720 + 200 / 2 + 30 + 25 + 0.03 * 580 + 3 * stock_x
    cost_s = 300 + 0.6 * 200 + 0.1 * 20 * 200 + 15 + 3 * stock_s
    sites = frame(
        "site tier place operator before after units volume utilisation cost joined_before joined",
        (
            "F",
            "plant",
            "F",
            "",
            "open",
            "open",
            1180,
            1760,
            1760 / 5000,
            plant,
            False,
            False,
        ),  # 2 * 580 + 600
        ("W", "dc", "hub", "", "open", "closed", 0, 0, None, 100 / 2 + 50, False, False),
        ("X", "dc", "hub", "3PL", "closed", "open", 580, 1160, None, cost_x, False, True),
        ("S", "store", "S", "", "open", "open", 200, 400, 400 / 450, cost_s, False, False),
        ("C", "dc", "C", "", "closed", "closed", 0, 0, None, 0, False, False),
    )
    service = frame(
        "market channel product demand on_time late unmet response_days",
        ("M1", "offline", "P1", 200, 200, 0, 0, 0),
        ("M1", "online", "P1", 100, 90, 10, 0, 3),
        # 0.8 of 200 arrive in time; mean of 200 units at 3 and 80 at 5 days.
        ("M2", "online", "P1", 300, 160, 120, 20, (600 + 400) / 280),
        ("M1", "bulk", "P2", 500, 500, 0, 0, None),
        ("M2", "bulk", "P2", 100, 100, 0, 0, None),
    )
    # X: 1160 counted units cost 50 + 1000 * 1.5 and 10 + 160 * 1 = 1720; lane to S 20 + 200; contract 100.
    bill = 1720 + 220 + 100
    outsourcing = frame(
        "operator sites lanes units volume bill min_bill top_up cost",
        ("3PL", "X", 1, 580, 1160, bill, 2100, 60, 2100),
    )
    limits = frame(
        "limit measure value min max slack",
        ("few sites", "sites", 3, None, 3, 0),
        ("openings", "openings", 1, None, 1, 0),
        ("closures", "closures", 1, None, 1, 0),
        ("changes", "changes", 5, None, 5, 0),  # X opens, W closes, stock leaves W for X, X joins
        ("3PL volume", "units", 580, 500, None, 80),
        ("web in M2", "units", 280, 250, 300, 20),
        ("budget", "one_off", 300, None, 300, 0),
        ("carbon", "co2", 0.1 * 1180 + 0.2 * 580 + 0.3 * 280, None, 350, 32),
        ("carbon to M2", "co2", 0.3 * 280, None, 100, 16),
        ("web through dc", "units", 380, None, 400, 20),
        ("stock", "stock_value", (stock_x + stock_s) * 10, None, 600, 600 - (stock_x + stock_s) * 10),
    )
    # Pipeline of P1: unit-days 580 * (1.5 + 0.5 + 1) + 200 * 1 + 100 * 1 + 280 * 2 = 2600; of P2: 500 * 10
    # + 100 * 12 + 600 * 0.5 = 6500. Value * 0.2 a year: 2 for P1, 1 for P2.
    costs = {
        "supply": 580 * 3 + 600 * 1,
        "transport": 30 + 1.8 * 1160 + 100 * 4 + 280 * 5 + 500 * 2 + 100 * 2.5,
        "handling": 1180 * 1 + 200 * 0.6,
        "sites": 1000 + 300,
        "one_off": (200 + 100) / 2,
        "replaced": 50,
        "margins": 0.1 * 20 * 200 + 0.05 * 8 * 500,
        "commission": 0.1 * 20 * 380,
        "operators": bill + 60,
        "stock_slots": 25 + 15,
        "safety_stock": 2 * (safe_x + safe_s),
        "cycle_stock": 2 * (11.6 + 2),
        "pipeline_stock": 2 * 26 + 1 * 65,
        # 0.1 % a day of all P1 in stock and under way, and what the lanes 0 (1 %) and 2 (2 %) damage.
        "losses": 10 * 0.001 * 100 * (stock_x + stock_s + 26) + 10 * (0.01 * 580 + 0.02 * 100),
        "integration": 30,
        "platform": 0,
        "late": 2 * (10 + 120),
        "unmet": 5 * 20,
        "returns": 0.2 * 1 * 380 + 0.02 * 100 * 1,
        "emissions": 0.5 * (0.1 * 1180 + 0.2 * 580 + 0.3 * 280),
    }
    tables = {
        "flows": flows,
        "supply": supply,
        "stock_routes": routes,
        "stock": stock,
        "sites": sites,
        "service": service,
        "outsourcing": outsourcing,
        "limits": limits,
    }
    return Design(c, INTEGRATED, tables, {k: float(v) for k, v in costs.items()})


def as_is() -> Design:
    """Today's chain: all P1 is stocked at W, bulk for M2 goes by rail, the web takes 95 and 285 units.

    `units_today` splits the web 50 : 150. P1 reaches W at 3 + 2 = 5; to the store it leaves stock at 0, to
    the markets at 2 (+ 1 = 3 promised). Stock ceilings, limits and the 9999 units of W do not bind.
    """
    c = case()
    flows = lanes_used(
        c,
        (7, "offline", "P1", 200, 3, 5, 1, False, 200 * (1 + 0.06)),
        (7, "online", "P1", 380, 3, 5, 1, False, 380 * (1 + 0.06)),
        (8, "offline", "P1", 200, 0, 1, 1, True, 200 * (1 + 0.03)),
        (9, "online", "P1", 95, 2, 3, 0.9, True, 95 * (4 + 0.03 + 2.2 + 0.1 * 2)),
        (10, "online", "P1", 285, 2, 3, 0.8, True, 285 * (5 + 0.03 + 2.2 + 0.2 * 2)),
        (4, "offline", "P1", 200, 0, 0, 1, True, 0),
        (5, "bulk", "P2", 500, 0, 0, 1, False, 500 * (2 + 0.1 + 0.05 * 8)),
        (11, "bulk", "P2", 100, 0, 0, 1, False, 100 * (3 + 0.2)),
    )
    routes = frame(
        "site product channel pool days_in days_out on_time_rate coverage units",
        ("W", "P1", "offline", "shelf", 5, 0, 1, 9, 200),
        ("W", "P1", "online", "web", 5, 2, 1, 7, 380),
        ("S", "P1", "offline", "shelf", 1, 0, 1, 3, 200),
    )
    # W: shelf 9 * 4 * 2 = 72, web 7 * 3.25 * 3.8 = 86.45; pools apart, 95 % and 99 %.
    shelf, web, store = Z95 * sqrt(72), Z99 * sqrt(86.45), Z95 * sqrt(24)
    stock = frame(
        "site product pool units coverage_days variance safety cycle stock_days value cost",
        ("W", "P1", "shelf", 200, 9, 72, shelf, 4, (shelf + 4) / 2, (shelf + 4) * 10, (shelf + 4) * 3),
        ("W", "P1", "web", 380, 7, 86.45, web, 7.6, (web + 7.6) / 3.8, (web + 7.6) * 10, (web + 7.6) * 3),
        ("S", "P1", "shelf", 200, 3, 24, store, 2, (store + 2) / 2, (store + 2) * 10, (store + 2) * 3),
    )
    units = shelf + web + store + 4 + 7.6 + 2
    plant = 1000 + 1180 + 0.5 * (0.03 * 580 + 0.01 * 600) + 0.5 * 0.1 * 1180
    cost_w = 800 + 2 * 580 + 40 + 3 * (shelf + 4 + web + 7.6)
    cost_s = 300 + 0.6 * 200 + 0.1 * 20 * 200 + 15 + 3 * (store + 2)
    sites = frame(
        "site tier place operator before after units volume utilisation cost joined_before joined",
        ("F", "plant", "F", "", "open", "open", 1180, 1760, 1760 / 5000, plant, False, False),
        ("W", "dc", "hub", "", "open", "open", 580, 1160, None, cost_w, False, False),
        ("X", "dc", "hub", "3PL", "closed", "closed", 0, 0, None, 0, False, False),
        ("S", "store", "S", "", "open", "open", 200, 400, 400 / 450, cost_s, False, False),
    )
    service = frame(
        "market channel product demand on_time late unmet response_days",
        ("M1", "offline", "P1", 200, 200, 0, 0, 0),
        ("M1", "online", "P1", 100, 85.5, 9.5, 5, 3),
        ("M2", "online", "P1", 300, 228, 57, 15, 3),
        ("M1", "bulk", "P2", 500, 500, 0, 0, None),
        ("M2", "bulk", "P2", 100, 100, 0, 0, None),
    )
    limits = frame(
        "limit measure value min max slack",
        ("few sites", "sites", 3, None, 3, 0),
        ("openings", "openings", 0, None, 1, 1),
        ("closures", "closures", 0, None, 1, 1),
        ("changes", "changes", 0, None, 5, 5),
        ("3PL volume", "units", 0, 500, None, -500),
        ("web in M2", "units", 285, 250, 300, 15),
        ("budget", "one_off", 0, None, 300, 300),
        ("carbon", "co2", 0.1 * 1180, None, 350, 232),
        ("carbon to M2", "co2", 0, None, 100, 100),
        ("web through dc", "units", 380, None, 400, 20),
        ("stock", "stock_value", units * 10, None, 600, 600 - units * 10),
    )
    supply = integrated().tables["supply"]
    # Pipeline: P1 580 * (0.5 + 2) + 200 + 380 = 2030 unit-days; P2 500 * 10 + 100 * 20 + 300 = 7300.
    costs = dict.fromkeys(integrated().costs, 0.0) | {
        "supply": 2340.0,
        "transport": 580 * 1 + 200 * 1 + 50 + 95 * 4 + 285 * 5 + 500 * 2 + 100 * 3.0,
        "handling": 1180 + 580 * 2 + 200 * 0.6,
        "sites": 1000 + 800 + 300.0,
        "margins": 400 + 200.0,
        "commission": 760.0,
        "stock_slots": 40 + 15.0,  # one slot of P1 at W, however many pools
        "safety_stock": 2 * (shelf + web + store),
        "cycle_stock": 2 * 13.6,
        "pipeline_stock": 2 * 20.3 + 73,
        "losses": units + 20.3,  # 10 * 0.001 * 100 a unit
        "late": 2 * 66.5,
        "unmet": 5 * 20.0,
        "returns": 0.2 * 380,
        "emissions": 0.5 * 0.1 * 1180,
    }
    tables = {
        "flows": flows,
        "supply": supply,
        "stock_routes": routes,
        "stock": stock,
        "sites": sites,
        "service": service,
        "limits": limits,
    }
    return Design(c, AS_IS, tables, costs)
