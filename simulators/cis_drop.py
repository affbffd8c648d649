"""Reads one part of a billing drop as the CIS does: counts, totals and hashes are checked before anything is loaded."""

import gzip
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from simulators.cis_files import hash_of


class BadPartError(Exception):
    """The part must be refused whole; the text says why."""


@dataclass(slots=True)
class Answered:
    """One SVC with what hangs below it."""

    fields: list[str]
    determinants: list[list[str]] = field(default_factory=list)
    demands: list[list[str]] = field(default_factory=list)
    remarks: list[list[str]] = field(default_factory=list)
    multipliers: list[str] = field(default_factory=list)

    @property
    def determinant_id(self) -> str:
        """The idempotency key."""
        return self.fields[1]

    @property
    def version(self) -> int:
        """Version of the determinant."""
        return int(self.fields[2])

    @property
    def request_id(self) -> str:
        """Our own id of the request."""
        return self.fields[11]

    @property
    def account(self) -> str:
        """Account."""
        return self.fields[4]

    @property
    def status(self) -> str:
        """ACTUAL, ESTIMATED, ..., NO_READ, HELD, REJECTED."""
        return self.fields[17]

    @property
    def total(self) -> tuple[str, str]:
        """(quantity, unit) of the delivered total, or two empty texts."""
        for det in self.determinants:
            if det[1] in ("KWH_TOTAL", "M3_TOTAL"):
                return det[6], det[2]
        return "", ""

    @property
    def code(self) -> str:
        """Code of the first remark, or empty."""
        return self.remarks[0][2] if self.remarks else ""


@dataclass(frozen=True, slots=True)
class Part:
    """A whole, checked part file."""

    name: str
    sha256: str
    header: list[str]
    answers: list[Answered]
    closing: list[list[str]]

    @property
    def interface(self) -> str:
        """Our interface's code: the receiver."""
        return self.header[5]

    @property
    def business_date(self) -> str:
        """Business date, ISO."""
        return self.header[8]

    @property
    def run_type(self) -> str:
        """ON, OFF, COR or CAN."""
        return self.header[11]

    @property
    def number(self) -> int:
        """Part number."""
        return int(self.header[13])


def read_part(path: Path, control: Path) -> Part:
    """Return the part that lies at `path`.

    Raises:
        BadPartError: bytes, hash, counts, totals or structure are not what file and control file say.
    """
    manifest = json.loads(control.read_text())
    body = path.read_bytes()
    sha256 = hashlib.sha256(body).hexdigest()
    if manifest["bytes"] != len(body) or manifest["sha256"] != sha256 or manifest["name"] != path.name:
        raise BadPartError("control file names other bytes")
    if path.name.endswith(".gz"):
        body = gzip.decompress(body)
    text = body.decode("utf-8")
    if not text.endswith("\n") or "\r" in text or text.startswith("\ufeff"):
        raise BadPartError("not UTF-8 lines with LF ends")
    rows = [line.split("|") for line in text[:-1].split("\n")]
    if rows[0][:3] != ["HDR", "billing_drop", "1"] or rows[-1][0] != "TRL":
        raise BadPartError("no header of billing_drop/1, or no trailer")
    part = Part(path.name, sha256, rows[0], *_nested(rows))
    _check_counts(rows, manifest)
    return part


def _nested(rows: list[list[str]]) -> tuple[list[Answered], list[list[str]]]:
    """Return the answers with their records below them, and the closing account."""
    answers: list[Answered] = []
    closing: list[list[str]] = []
    for number, row in enumerate(rows[1:-1], 2):
        kind = row[0]
        if kind == "SVC":
            answers.append(Answered(row))
        elif kind == "CLS":
            closing.append(row)
        elif not answers:
            raise BadPartError(f"line {number}: {kind} before any SVC")
        elif kind == "DET":
            answers[-1].determinants.append(row)
        elif kind == "DEM":
            answers[-1].demands.append(row)
        elif kind == "EXC":
            answers[-1].remarks.append(row)
        elif kind == "MTR":
            answers[-1].multipliers.append(row[8])
        elif kind != "REG":
            raise BadPartError(f"line {number}: unknown record {kind}")
    return answers, closing


def totals_of(rows: list[list[str]]) -> tuple[dict[str, Decimal], Decimal]:
    """Return the sum of DET quantities by `code.unit`, and the sum of REG quantities."""
    sums: dict[str, Decimal] = {}
    registers = Decimal(0)
    try:
        for row in rows:
            if row[0] == "DET":
                key = f"{row[1]}.{row[2]}"
                sums[key] = sums.get(key, Decimal(0)) + Decimal(row[6])
            elif row[0] == "REG":
                registers += Decimal(row[15])
    except InvalidOperation as error:
        raise BadPartError(f"not a number in {'|'.join(row)}") from error
    return sums, registers


_COUNTED = ("SVC", "MTR", "REG", "DET", "DEM", "EXC", "CLS")


def _check_counts(rows: list[list[str]], manifest: dict[str, object]) -> None:
    """Compare counts, totals and hash of trailer and control file with the lines.

    Raises:
        BadPartError: one of them differs.
    """
    trailer = rows[-1]
    counts = Counter(row[0] for row in rows)
    if [str(counts[kind]) for kind in _COUNTED] != trailer[1:8]:
        raise BadPartError(f"trailer counts {trailer[1:8]}, lines {[counts[kind] for kind in _COUNTED]}")
    sums, registers = totals_of(rows)
    stated = dict(pair.split("=") for pair in trailer[8].split(";") if pair)
    if {key: Decimal(value) for key, value in stated.items()} != sums or Decimal(trailer[9] or "0") != registers:
        raise BadPartError("trailer totals differ from the lines")
    if trailer[10] != hash_of(row[1] for row in rows if row[0] == "SVC"):
        raise BadPartError("hash of determinant ids differs")
    records = manifest["records"]
    if isinstance(records, dict) and {k: int(v) for k, v in records.items() if int(v)} != dict(counts):
        raise BadPartError("control file counts other records")
    totals = manifest["totals"]
    if isinstance(totals, dict):
        expected = {f"DET.{key}": value for key, value in sums.items()} | {"REG": registers}
        given = {key: Decimal(str(value)) for key, value in totals.items()}
        if any(given.get(key, Decimal(0)) != value for key, value in expected.items()):
            raise BadPartError("control file totals differ from the lines")
