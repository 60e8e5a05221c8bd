"""Every hostile file, checked and where it is clean solved, under limits; prints the table of docs/trust.md.

python benchmarks/hostile.py [--only WORD] [--fast] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import hostile_content
import hostile_files
import hostile_folders
from hostile_books import KINDS, Kind, Outcome, run_limited

assert hostile_files
assert hostile_folders
assert hostile_content

SECONDS, GIGABYTES = 300, 6.0


def state(folder: Path) -> dict[str, str]:
    """Digest of every ordinary file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 32
    }


def attempt(kind: Kind, folder: Path) -> list[tuple[str, Outcome, list[str]]]:
    """Check and solve a kind; returns command, outcome and what is wrong with it."""
    case = kind(folder)
    before = state(folder)
    rows = []
    commands = [("check", ["check", case])]
    if kind.status == 0:
        commands.append(("solve", ["solve", case, "--time-limit", "20", "-o", folder / "out.xlsx"]))
    for name, args in commands:
        outcome = run_limited(args, seconds=SECONDS, gigabytes=GIGABYTES)
        wrong = []
        if outcome.status != kind.status:
            wrong.append(f"status {kind.status} expected")
        text = outcome.out + outcome.err
        if kind.says not in text:
            wrong.append(f"does not say {kind.says!r}")
        if "Traceback" in text or "panicked" in text or "Warning:" in text:
            wrong.append("traceback")
        after = state(folder)
        if {k: after.get(k) for k in before} != before:
            wrong.append("the case was changed")
        if more := set(after) - set(before) - {"out.xlsx"}:
            wrong.append(f"left behind {sorted(more)[:3]}")
        rows.append((name, outcome, wrong))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--fast", action="store_true")
    asked = parser.parse_args()
    failed = 0
    print("| kind | command | exit | seconds | peak MB | first line |\n|---|---|---:|---:|---:|---|")
    for kind in KINDS.values():
        if asked.only not in kind.name or (asked.fast and kind.heavy):
            continue
        with TemporaryDirectory() as folder:
            for name, outcome, wrong in attempt(kind, Path(folder)):
                failed += bool(wrong)
                line = outcome.message.replace(folder + "/", "").replace(folder, "FOLDER").replace("|", "\\|")
                mark = f" **{'; '.join(wrong)}**" if wrong else ""
                figures = f"{outcome.seconds:.1f} | {outcome.megabytes:.0f}"
                print(
                    f"| {kind.name} | {name} | {outcome.status} | {figures} | {line[:160]}{mark} |",
                    flush=True,
                )
    return min(failed, 1)


if __name__ == "__main__":
    raise SystemExit(main())
