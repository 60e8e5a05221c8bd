"""Tiny named chains that many tests share."""

import pytest

from scopt.case import Case
from scopt.cli import main


def chain_case(**sheets):
    """Plant P, depot D, shop S at market M; 100 units a year of product A; sheets may be replaced."""
    base = {
        "settings": [{"key": "review_days", "value": 7}],
        "products": [{"product": "A", "value": 10.0}],
        "sites": [
            {"site": "P", "tier": "plant", "status": "keep"},
            {"site": "D", "tier": "depot", "status": "existing", "fixed_cost": 50.0, "unit_cost": 1.0},
            {"site": "S", "tier": "shop", "status": "keep", "stock": "must", "stock_cost": 5.0},
        ],
        "supply": [{"site": "P", "product": "A"}],
        "markets": [{"market": "M"}],
        "channels": [{"channel": "shop", "response_days": 0}],
        "demand": [{"market": "M", "channel": "shop", "product": "A", "units": 100.0, "vmr": 4.0}],
        "lanes": [
            {"origin": "P", "destination": "D", "unit_cost": 2.0, "lead_days": 1},
            {"origin": "D", "destination": "S", "unit_cost": 2.0, "lead_days": 1},
            {"origin": "P", "destination": "S", "unit_cost": 6.0, "lead_days": 3, "status": "candidate"},
            {"origin": "S", "destination": "M"},
        ],
    }
    return Case.from_frames(base | sheets)


@pytest.fixture
def run(capsys):
    """Run the command line: (exit status, standard output, standard error)."""

    def call(*args):
        with pytest.raises(SystemExit) as stop:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return call


@pytest.fixture
def make_chain():
    """Function that makes the chain plant - depot - shop - market with some sheets replaced."""
    return chain_case


@pytest.fixture
def depot_chain():
    """The chain as it is: by the depot 5 a unit and 50 a year, directly 6 a unit and 3 days."""
    return chain_case()
