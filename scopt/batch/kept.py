"""Finished searches kept in a folder, one file each, so that what is done is never done again.

A file is written aside, synced and renamed, and tells its own length and checksum: whatever is cut short, by
a kill or a full disk, is not there or reads as not there. Files hold plain text (JSON, compressed), no code.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import uuid
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from scopt.case import digest_of
from scopt.diagnosis.diagnose import Diagnosis
from scopt.errors import UsageError
from scopt.search.hints import Start
from scopt.search.root import Root
from scopt.solved import Solved, chain_of

if TYPE_CHECKING:
    from scopt.case import Case, Strategy
    from scopt.search.method import Options

__all__ = ["RunFolder", "content_key"]

_NOT_READ = ("strategies", "changes", "actuals")  # by a search; the changes are applied before
_SETTINGS_NOT_READ = ("mip_gap", "time_limit_s", "discount_rate", "horizon_years")  # or are in the options


def content_key(case: Case, strategy: Strategy, options: Options) -> str:
    """Return the SHA-256 of everything that a search depends on.

    That is the case with the changes of the strategy, the levers and what is decided already, the options
    (gap, time limit, seed, threads), and the code of scopt and the version of the solver. Not the names: a
    strategy called otherwise, or described otherwise, is the same search.
    """
    return hashlib.sha256(
        "\x1f".join(
            [
                data_digest(chain_of(case, strategy).case),
                *(repr(getattr(strategy, one.name)) for one in fields(strategy) if one.name not in _NAMES),
                repr(_sorted(strategy)),
                repr(options),
                _code_digest(),
                version("highspy"),
            ]
        ).encode()
    ).hexdigest()


_NAMES = ("name", "description", "against", "decided")


def _sorted(strategy: Strategy) -> list[tuple[str, list[Any]]]:
    """Return the decisions taken already in an order that is the same in every process."""
    decided = strategy.decided
    if decided is None:
        return []
    return [(one.name, sorted(getattr(decided, one.name))) for one in fields(decided)]


def data_digest(case: Case) -> str:
    """Return the SHA-256 of the data that a search reads."""
    tables = {name: table for name, table in case.tables.items() if name not in _NOT_READ}
    settings = tables["settings"]
    tables["settings"] = settings[~settings["key"].isin(_SETTINGS_NOT_READ)]
    return digest_of(tables)


@cache
def _code_digest() -> str:
    """Return the SHA-256 of the code that makes a result: results of other code are searched again."""
    import scopt.models

    digest = hashlib.sha256(version("scopt").encode())
    for home in (Path(scopt.__file__).parent, Path(scopt.models.__file__).parent):
        for path in sorted(home.rglob("*.py")):
            if path.parent.name not in ("cli", "report"):
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class RunFolder:
    """A folder of finished searches by key.

    Parameters
    ----------
    path
        The folder; it is made when the first search is kept.
    """

    path: Path

    def check(self) -> None:
        """Make sure that searches can be kept there.

        Raises
        ------
        UsageError
            The folder cannot be made or written to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / f".{uuid.uuid4().hex}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise UsageError(
                f"{self.path}: finished strategies cannot be kept there ({error.strerror or error}); choose "
                "another folder with --run-folder"
            ) from error

    def load(self, key: str) -> Solved | None:
        """Return a finished search; None where it is not there, or not whole."""
        try:
            head, body = self._file(key).read_bytes().split(b"\n", 1)
            if json.loads(head) != _head(key, body):
                return None
            return _solved(json.loads(gzip.decompress(body)))
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            return None

    def save(self, key: str, solved: Solved) -> None:
        """Keep a finished search; one that was interrupted is not finished and is left out."""
        if solved.interrupted:
            return
        body = gzip.compress(json.dumps(_plain(solved)).encode(), compresslevel=3)
        target = self._file(key)
        part = target.with_name(f".{uuid.uuid4().hex}.part")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(json.dumps(_head(key, body)).encode() + b"\n" + body)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
            self._sync()
        except OSError as error:
            raise UsageError(f"{target}: cannot be written ({error.strerror or error})") from error
        finally:
            part.unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self.path / f"{key}.solved"

    def _sync(self) -> None:
        """Sync the folder, so that the new name outlives a loss of power where the system can do that."""
        with contextlib.suppress(OSError):
            number = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def _head(key: str, body: bytes) -> dict[str, Any]:
    return {
        "scopt": "solved strategy", "key": key, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()
    }  # fmt: skip


# -- as plain values -----------------------------------------------------------------------------------------


def _plain(solved: Solved) -> dict[str, Any]:
    start = solved.start
    own = {one.name: getattr(solved, one.name) for one in fields(solved)}
    return own | {
        "tables": {name: _plain_table(table) for name, table in solved.tables.items()},
        "start": None
        if start is None
        else [start.values, [[*key, at] for key, at in start.variance.items()]],
        "diagnosis": None if solved.diagnosis is None else solved.diagnosis.plain(),
        "root": None if solved.root is None else solved.root.plain(),
    }


def _solved(plain: dict[str, Any]) -> Solved:
    start = plain["start"]
    return Solved(
        **plain
        | {
            "tables": {name: _table(table) for name, table in plain["tables"].items()},
            "messages": tuple(plain["messages"]),
            "start": None
            if start is None
            else Start(start[0], {tuple(cell[:3]): cell[3] for cell in start[1]}),
            "diagnosis": None if (why := plain["diagnosis"]) is None else Diagnosis.of(why),
            "root": None if (root := plain["root"]) is None else Root.from_plain(root),
        }
    )


def _plain_table(table: pd.DataFrame) -> list[list[Any]]:
    """Columns as name, type and values; numbers come back as they were, to the last digit."""
    return [[str(name), str(column.dtype), column.tolist()] for name, column in table.items()]


def _table(columns: list[list[Any]]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype=kind) for name, kind, values in columns})
