"""Faults put into designs: which kinds the recomputation catches, and which of its checks fails first.

    python benchmarks/faults.py [DRAWS]

Every fault of `tests/faults.py` goes into every design of `tests/faulty.py` that it fits, DRAWS times (1) at
places drawn at random. Prints a row for each kind: faults of the list, how often one was injected, how often
it was caught, how often a design had nothing to spoil, and the checks that failed first. Exits with 1 where
one escapes.
"""

import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT / "tests")  # in place of this folder, where this file has the name of the list

import faulty  # noqa: E402
from faults import FAULTS, KINDS  # noqa: E402


def main(draws):
    designs = faulty.designs()
    spoilt = {name: check for name, one in designs.items() if (check := faulty.first_failed(one))}
    if spoilt:
        sys.exit(f"designs that fail before anything is put into them: {spoilt}")
    print("| kind | faults | injected | caught | does not apply | caught first by |")
    print("|---|---|---|---|---|---|")
    totals = Counter()
    for kind in KINDS:
        faults = [one for one in FAULTS if one.kind == kind]
        checks, escaped = Counter(), []
        for fault in faults:
            for name, design in faulty.spoiled(fault, designs, draws):
                check = faulty.first_failed(design)
                checks[check] += 1
                if check is None:
                    escaped.append(f"{fault.name} in {name}")
        injected, missed = checks.total(), checks.pop(None, 0)
        skipped = len(faults) * len(designs) * draws - injected
        row = {"faults": len(faults), "injected": injected, "caught": injected - missed, "skipped": skipped}
        totals.update(row)
        first = "; ".join(f"{check} {times}" for check, times in checks.most_common(3))
        more = f"; {len(checks) - 3} others" if len(checks) > 3 else ""
        print(f"| {kind} | " + " | ".join(map(str, row.values())) + f" | {first}{more} |", flush=True)
        for one in escaped:
            print(f"escaped: {kind}: {one}", file=sys.stderr)
    print("| **all** | " + " | ".join(str(totals[key]) for key in row) + f" | {len(designs)} designs |")
    return int(totals["caught"] < totals["injected"])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
