"""Fuzz the reader of cases: random cases by hypothesis, and damaged files guided by coverage.

    python benchmarks/fuzz_reader.py [--seconds 300] [--keep FOLDER] [book sheet csv frames random]

Needs the package `atheris` (not for Windows). Whatever is neither a case nor findings that can be told is
a defect: it ends the target, and the input that did it is kept. Prints the table of docs/trust.md.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = Path(__file__).resolve().parents[1] / "tests"
TARGETS = {
    "book": "bytes of a workbook",
    "sheet": "bytes of one part of a workbook",
    "csv": "bytes of a CSV file",
    "frames": "tables, steered by coverage",
    "random": "tables, at random",
}
SLOW, LARGE = 30, 3000
"""Seconds and megabytes of one input beyond which it counts as a defect."""
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")


def seeds(target: str, folder: Path) -> None:
    """Write the inputs to begin with: the clean case and small hostile files."""
    import hostile_content
    import hostile_files
    from case_frames import sheets, write_folder
    from hostile_books import KINDS, book

    assert hostile_content
    assert hostile_files
    if target == "csv":
        write_folder(folder / "case", sheets())
        for file in sorted((folder / "case").iterdir()):
            file.rename(folder / file.name)
        (folder / "case").rmdir()
        return
    with TemporaryDirectory() as place:
        clean = book(Path(place)).read_bytes()
        if target == "sheet":
            with zipfile.ZipFile(BytesIO(clean)) as parts:
                for number, name in enumerate(sorted(parts.namelist())):
                    (folder / f"{number}").write_bytes(bytes([number]) + parts.read(name))
            return
        (folder / "clean").write_bytes(clean)
        for number, kind in enumerate(KINDS.values()):
            if not kind.heavy:
                within = Path(place) / str(number)
                within.mkdir()
                made = kind(within)
                if made.is_file() and made.stat().st_size < 60_000:
                    (folder / f"{number}").write_bytes(made.read_bytes())


def attempt(path: Path) -> None:
    """Read a case; anything but a case or findings that can be told is raised."""
    from fuzzing import told

    import scopt
    from scopt.errors import CaseError, UsageError

    findings = None
    try:
        told(scopt.read_case(path).warnings)
    except CaseError as error:
        findings = error.findings
    except UsageError as error:
        if not str(error).replace("\n", "").isprintable():
            raise
    if findings is not None:
        assert findings.errors
        told(findings)


def reader(target: str, folder: Path) -> Callable[[bytes], None]:
    """Return the function that is given the bytes of one input."""
    from case_frames import sheets, write_folder
    from hostile_books import book

    path = folder / "case.xlsx"
    if target == "csv":
        write_folder(folder / "case", sheets())
        names = sorted(file.name for file in (folder / "case").iterdir())

        def csv(data: bytes) -> None:
            # The first byte says which file it is; seeds begin with letters of a header.
            file = folder / "case" / names[(data[0] if data else 0) % len(names)]
            before = file.read_bytes()
            file.write_bytes(data)
            try:
                attempt(folder / "case")
            finally:
                file.write_bytes(before)

        return csv
    (folder / "clean").mkdir()
    with zipfile.ZipFile(book(folder / "clean")) as parts:
        clean = {name: parts.read(name) for name in sorted(parts.namelist())}

    def part(data: bytes) -> None:
        changed = sorted(clean)[(data[0] if data else 0) % len(clean)]
        with zipfile.ZipFile(path, "w") as parts:
            for name, content in clean.items():
                parts.writestr(name, data[1:] if name == changed else content)
        attempt(path)

    def whole(data: bytes) -> None:
        path.write_bytes(data)
        attempt(path)

    return part if target == "sheet" else whole


def steered(target: str, argv: list[str]) -> None:
    """Run one target within atheris; does not return."""
    import atheris

    with atheris.instrument_imports(include=["scopt"]):
        import scopt
    assert scopt
    with TemporaryDirectory() as place:
        if target == "frames":
            from test_fuzz import test_any_frames_are_a_case_or_findings as test

            one: Any = test.hypothesis.fuzz_one_input
        else:
            one = reader(target, Path(place))
        atheris.Setup([sys.argv[0], *argv], one)
        atheris.Fuzz()


def measure(target: str, seconds: int, keep: Path) -> str:
    """Fuzz one target for a time; one row of the table."""
    keep.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    if target == "random":
        import fuzzing
        from hypothesis import HealthCheck, given, settings

        tried = 0

        @settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(fuzzing.CASES, fuzzing.SHEETS_OF_ROWS)
        def some(frames: Any, sheet: Any) -> None:
            nonlocal tried
            tried += 2
            fuzzing.build(frames)
            fuzzing.convert(*sheet)

        while time.perf_counter() - begin < seconds:
            some()
        return f"| {TARGETS[target]} | hypothesis | {tried:,} | {time.perf_counter() - begin:.0f} | 0 |"
    with TemporaryDirectory() as corpus:
        seeds(target, Path(corpus))
        options = [f"-max_total_time={seconds}", f"-timeout={SLOW}", f"-rss_limit_mb={LARGE}"]
        options += [f"-artifact_prefix={keep}/{target}-", "-seed=1", "-max_len=65536", "-verbosity=1", corpus]
        done = subprocess.run(
            [sys.executable, __file__, "--within", target, *options],
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
    found = _DONE.search(done.stderr)
    if found is None or done.returncode:
        (keep / f"{target}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
        return f"| {TARGETS[target]} | atheris | ended by a defect, see {keep} | | 1 |"
    return f"| {TARGETS[target]} | atheris | {int(found[1]):,} | {found[2]} | 0 |"


def main() -> int:
    """Fuzz the targets asked for and print the table."""
    sys.path.insert(0, str(TESTS))
    if sys.argv[1:2] == ["--within"]:
        steered(sys.argv[2], sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--keep", type=Path, default=Path("fuzzed"))
    options = parser.parse_args()
    print("| what is fuzzed | by | inputs tried | seconds | defects |\n|---|---|---:|---:|---:|")
    failed = 0
    for target in options.targets or TARGETS:
        row = measure(target, options.seconds, options.keep)
        failed |= row.endswith("1 |")
        print(row, flush=True)
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
