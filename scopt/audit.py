"""The model of a strategy as a file, so that any other solver can audit what was found.

Two files bracket the truth. In the first the root of safety stock is counted from below, by chords that touch
it at the variances of the design: no design is cheaper than its optimum. In the second (`*.above.*`, written
where there is a design with safety stock) the root is counted from above, by tangents at the same variances:
its solutions can be had for what they cost there, and the design itself costs just what is reported. So with
c the reported cost and g its gap,

    optimum of the first <= least true cost <= optimum of the second <= c,   (1 - g) c <= least true cost
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
import pyomo.environ as pyo
from scipy.sparse import csr_array

from scopt.errors import UsageError
from scopt.models import build
from scopt.network import LAST, PASSED, STOCK, SUPPLY, Versions, expand
from scopt.search.solver import engine_for
from scopt.solved import chain_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scopt.case import Case
    from scopt.chain import Chain
    from scopt.models import Arrays, Model
    from scopt.search.hints import Start

__all__ = ["write_model"]

ENDINGS = (".mps", ".lp")
LONGEST = 200  # signs of a name; LP readers take 255

Cell = tuple[int, int, int]


def write_model(
    case: Case,
    path: str | Path,
    strategy: str = "integrated",
    *,
    start: Start | None = None,
    extend: Callable[[Model], None] | None = None,
) -> list[Path]:
    """Write the model of a strategy for other solvers.

    Parameters
    ----------
    case, strategy
        The case and one of its strategies.
    path
        File ending in ``.mps`` or ``.lp``.
    start
        The design that was found (`Solved.start`), at whose variances the roots are touched; without it the
        chords go over the whole range of each stock.
    extend
        Constraints of one's own, as in `scopt.solve`.

    Returns
    -------
    list
        The files: the model; the one from above where there is one; and for each a table ``*.names.csv`` of
        the names in the file and what they stand for. Costs are in the currency of the case, flows in units a
        year.

    Raises
    ------
    UsageError
        The ending is another one, or the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in ENDINGS:
        raise UsageError(f"{target}: models are written as .mps or .lp")
    chain = chain_of(case, strategy)
    variance = {} if start is None else start.cells(chain)
    model = _below(chain, variance)
    made = [(model, target)]
    cells = model.notes["cells"]
    if variance and cells.count:
        above = _model(chain, _touching(cells, variance), above=True)
        made.append((above, target.with_suffix(f".above{target.suffix}")))
    written = []
    for one, file in made:
        if extend is not None:
            extend(one)
        written += [file, _write(one, file)]
    return written


def _below(chain: Chain, variance: dict[Cell, float]) -> Model:
    """Model with chords that touch the root at the given variances."""
    model = build(expand(chain))
    cells = model.notes["cells"]
    breaks = {
        key: np.array([at])
        for n, key in enumerate(cells.keys)
        if cells.low[n] * (1 + 1e-6) < (at := variance.get(key, 0.0)) < cells.high[n] * (1 - 1e-6)
    }
    return _model(chain, breaks, above=False) if breaks else model


def _touching(cells: Any, variance: dict[Cell, float]) -> dict[Cell, Any]:
    """Points where tangents touch: the variance of the design and one more.

    With two lines a cell has a switch for each, so that one that holds nothing costs nothing.
    """
    points = {}
    for n, key in enumerate(cells.keys):
        at = variance.get(key, 0.0) or 0.25 * cells.high[n]
        points[key] = np.ones(1) if cells.high[n] <= 0 else np.array([at, 4.0 * at])
    return points


def _model(chain: Chain, breaks: dict[Cell, Any], *, above: bool) -> Model:
    count = {cell: len(points) + (0 if above else 1) for cell, points in breaks.items()}
    return build(expand(chain, Versions.of(chain, count)), breaks, above=above)


def _write(model: Model, target: Path) -> Path:
    """Write one model and the table of its names; return the table."""
    arrays = model.compile()
    columns, rows = _column_names(model, arrays), _row_names(model, arrays)
    short_columns, short_rows = _short(columns), _short(rows)
    engine = _engine(arrays, short_columns, short_rows)
    part = target.with_name(f".part-{target.name}")
    table = target.with_suffix(".names.csv")
    try:
        if engine.writeModel(str(part)) == highspy.HighsStatus.kError:
            raise UsageError(f"{target}: cannot be written")
        part.replace(target)
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["kind", "name", "stands for"])
            writer.writerows(("column", *pair) for pair in zip(short_columns, columns, strict=True))
            writer.writerows(("row", *pair) for pair in zip(short_rows, rows, strict=True))
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        part.unlink(missing_ok=True)
    return table


def _engine(arrays: Arrays, columns: Sequence[str], rows: Sequence[str]) -> Any:
    """Return HiGHS with the model in the units of the case."""
    engine, matrix = engine_for(), csr_array(arrays.matrix)
    engine.passModel(
        len(arrays.cost), matrix.shape[0], matrix.nnz, int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize), arrays.offset, arrays.cost, arrays.lower, arrays.upper,
        arrays.row_lower, arrays.row_upper, matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32),
        matrix.data, arrays.integer.astype(np.int32),
    )  # fmt: skip
    for number, name in enumerate(columns):
        engine.passColName(number, name)
    for number, name in enumerate(rows):
        engine.passRowName(number, name)
    return engine


def _column_names(model: Model, arrays: Arrays) -> list[str]:
    """Say what each column stands for, as `ship(origin,destination,mode,operator,channel,product,days)`."""
    net, chain = model.network, model.chain
    channels, products, sites = chain.channel_ids, chain.product_ids, chain.site_ids
    pools = [*map(str, chain.pool_ids), "joined"]
    ends = [
        f"{o},{d},{m},{w}"
        for o, d, m, w in chain.lanes[["origin", "destination", "mode", "operator"]].itertuples(index=False)
    ]
    names = []
    for kind, c, p, i, lane, left, ready, group, version, line in zip(
        net.kind.tolist(), channels[net.channel], products[net.product], sites[net.site], net.lane.tolist(),
        net.left.tolist(), net.ready.tolist(), net.group.tolist(), net.out_of.tolist(), net.line.tolist(),
        strict=True,
    ):  # fmt: skip
        if kind == SUPPLY:
            names.append(f"make({i},{c},{p})")
        elif kind == STOCK:
            names.append(f"stock({i},{c},{p},{left:g},{ready:g},{pools[group]},{line})")
        else:
            stocked = "" if version == PASSED else f",stock{version}"
            word = "serve" if kind == LAST else "ship"
            names.append(f"{word}({ends[lane]},{c},{p},{left:g}{stocked})")
    k, c, p = (part.tolist() for part in model.notes["unmet_cells"])
    names += [
        f"unmet({chain.market_ids[a]},{channels[b]},{products[d]})" for a, b, d in zip(k, c, p, strict=True)
    ]
    return names + [_round_brackets(var.name) for var in arrays.decisions]


def _row_names(model: Model, arrays: Arrays) -> list[str]:
    """Say what each row stands for: the constraint, or its family with the decision that it is about."""
    chain, names = model.chain, [""] * len(arrays.row_lower)
    k, c, p = (part.tolist() for part in np.nonzero(chain.demand))
    matrix, at = csr_array(arrays.matrix), 0
    for block, count in arrays.row_blocks:
        for n in range(count):
            inner = str(n)
            if block == "demand":
                inner = f"{chain.market_ids[k[n]]},{chain.channel_ids[c[n]]},{chain.product_ids[p[n]]}"
            elif block != "balance":
                mine = matrix.indices[matrix.indptr[at + n] : matrix.indptr[at + n + 1]]
                switch = mine[mine >= arrays.flows]
                if len(switch):
                    inner = f"{arrays.decisions[int(switch[0]) - arrays.flows].name},{n}"
            names[at + n] = _round_brackets(f"{block}({inner})")
        at += count
    for con in model.pyomo.component_data_objects(pyo.Constraint, active=True, descend_into=True):
        names[arrays.row_of(con)] = _round_brackets(con.name)
    return names


def _round_brackets(name: str) -> str:
    return name.replace("[", "(").replace("]", ")")


def _short(names: Sequence[str]) -> list[str]:
    """Names that every reader takes: plain signs, unique, not too long."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_.(),#]", "_", name)[:LONGEST]
        count = seen[plain] = seen.get(plain, 0) + 1
        out.append(plain if count == 1 else f"{plain}#{count}")
    return out
