"""Stored texts of every family of rows on one small chain: a change of the mathematics shows as a readable diff.

Write them again with ``python tests/test_formulations.py`` and read the diff.
"""

from pathlib import Path

import numpy as np
import pytest

from scopt.case import Case
from scopt.chain import Chain
from scopt.diagnosis.diagnose import loosened
from scopt.diagnosis.facts import Fastest
from scopt.models import build
from scopt.models.elastic import make_elastic
from scopt.network import LAST, STOCK, SUPPLY, expand

FOLDER = Path(__file__).with_name("formulations")


def everything():
    """One chain in which every family of rows occurs: plant, depot with a rival at its place, shop, one market."""
    return Case.from_frames({
        "products": [{"product": "A", "value": 10, "price": 20, "max_stock_days": 90, "max_site_days": 60}],
        "sites": [
            {"site": "P", "tier": "plant", "status": "keep", "capacity": 500},
            {"site": "D", "tier": "depot", "status": "existing", "fixed_cost": 50, "unit_cost": 1, "place": "hub",
             "stock": "optional", "stock_cost": 3, "min_units": 10, "o2o_cost": 4},
            {"site": "X", "tier": "depot", "status": "candidate", "operator": "O", "place": "hub"},
            {"site": "S", "tier": "shop", "status": "keep", "stock": "must", "stock_cost": 5},
        ],
        "site_products": [{"site": "D", "product": "A", "capacity": 400}],
        "supply": [{"site": "P", "product": "A", "capacity": 450}],
        "markets": [{"market": "M"}],
        "channels": [
            {"channel": "shop", "response_days": 0, "single_source": "yes"},
            {"channel": "web", "response_days": 2, "max_late_days": 1, "on_time_share": 0.9, "min_fill": 0.8,
             "unmet_cost": 30},
        ],
        "demand": [
            {"market": "M", "channel": "shop", "product": "A", "units": 100, "vmr": 4},
            {"market": "M", "channel": "web", "product": "A", "units": 50, "vmr": 2},
        ],
        "lanes": [
            {"origin": "P", "destination": "D", "lead_days": 1},
            {"origin": "P", "destination": "X", "lead_days": 1},
            {"origin": "D", "destination": "S", "lead_days": 1, "capacity": 300},
            {"origin": "X", "destination": "S", "lead_days": 1},
            {"origin": "P", "destination": "S", "lead_days": 3, "status": "candidate", "fixed_cost": 9, "min_units": 20},
            {"origin": "S", "destination": "M", "channel": "shop"},
            {"origin": "S", "destination": "M", "channel": "web", "lead_days": 1},
            {"origin": "D", "destination": "M", "channel": "web", "lead_days": 3, "operator": "O", "status": "candidate"},
        ],
        "operators": [{"operator": "O", "contract_cost": 20, "min_bill": 100, "min_units": 5, "capacity": 250}],
        "rates": [
            {"subject": "X", "from_units": 0, "unit_cost": 3},
            {"subject": "X", "from_units": 100, "unit_cost": 2, "fixed_cost": 7},
        ],
        "limits": [{"limit": "few", "measure": "changes", "max": 3},
                   {"limit": "stock", "measure": "stock_value", "max": 900}],
    })  # fmt: skip


def column_names(model):
    net, chain = model.network, model.chain
    names = []
    for j in range(net.size):
        channel, site = chain.channel_ids[net.channel[j]], chain.site_ids[net.site[j]]
        if net.kind[j] == SUPPLY:
            names.append(f"make[{site},{channel}]")
        elif net.kind[j] == STOCK:
            group = [*chain.pool_ids, "joined"][net.group[j]]
            names.append(f"stock[{site},{channel},{net.left[j]:g}->{net.ready[j]:g},{group}]")
        else:
            end = chain.market_ids[net.market[j]] if net.kind[j] == LAST else chain.site_ids[net.to_site[j]]
            stocked = {-1: ""}.get(int(net.out_of[j]), f",stock{net.out_of[j]}")
            names.append(f"flow[{site}>{end},{channel},{net.left[j]:g}{stocked}]")
    return [*names, *(f"unmet[{i}]" for i in range(model.columns - net.size))]


def families(model):
    """Text of each family of rows."""
    arrays = model.compile()
    names = column_names(model) + [v.name for v in arrays.decisions]
    labels = dict.fromkeys(range(arrays.matrix.shape[0]), "")
    import pyomo.environ as pyo

    for con in model.pyomo.component_data_objects(pyo.Constraint, active=True):
        labels[arrays.row_of(con)] = con.name
    out, row = {}, 0
    for name, count in arrays.row_blocks:
        for _ in range(count):
            line = text_of_row(arrays, row, names)
            family = labels[row].split("[")[0] or name
            out.setdefault(family, []).append(f"{labels[row]}: {line}".removeprefix(": "))
            row += 1
    return {family: "\n".join(sorted(lines)) + "\n" for family, lines in out.items()}


def text_of_row(arrays, row, names):
    entries = arrays.matrix[[row]].tocoo()
    terms = sorted((names[j], v) for j, v in zip(entries.coords[1], entries.data, strict=True) if v)
    body = " ".join(f"{v:+.6g} {name}" for name, v in terms)
    low, high = arrays.row_lower[row], arrays.row_upper[row]
    if low == high:
        return f"{body} = {low:g}"
    left = "" if np.isinf(low) else f"{low:g} <= "
    right = "" if np.isinf(high) else f" <= {high:g}"
    return f"{left}{body}{right}"


def model():
    case = everything()
    return build(expand(Chain(case, case.strategies["integrated"])))


def elastic():
    """Rows that the elastic copy adds, and the rules that it relaxes with their slacks."""
    case = everything()
    chain = Chain(case, case.strategies["integrated"])
    loose = loosened(chain, Fastest(chain), chain.demand < 0)
    made = build(expand(loose))
    arrays = made.compile()
    copy = make_elastic(made, arrays, chain)
    extra = [f"helper[{n}]" for n in range(len(copy.arrays.cost) - len(arrays.cost))]
    for slack in copy.slacks:
        extra[slack.column - len(arrays.cost)] = f"relax[{','.join((slack.rule, *slack.key))}]"
    names = column_names(made) + [v.name for v in arrays.decisions] + extra
    lines = [text_of_row(copy.arrays, row, names) for row in range(copy.arrays.matrix.shape[0])]
    new = len(arrays.row_lower)
    return "\n".join(sorted(line for n, line in enumerate(lines) if n >= new or "relax[" in line)) + "\n"


TEXTS = families(model()) | {"elastic": elastic()}


@pytest.mark.parametrize("family", sorted(TEXTS))
def test_family_reads_as_stored(family):
    assert TEXTS[family] == (FOLDER / f"{family}.txt").read_text(encoding="utf-8")


def test_no_stored_family_has_vanished():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(TEXTS)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for family, text in TEXTS.items():
        (FOLDER / f"{family}.txt").write_text(text, encoding="utf-8")
