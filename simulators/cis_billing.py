"""Bills what was loaded, cancels what the hub corrected, and writes the billed extract (`billed/1`)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from simulators.cis_books import CisBooks
from simulators.cis_files import body_of, hash_of
from simulators.cis_requests import ENV, HUB, FileHead
from simulators.local_days import ZONE_NAME, local_text

BillRow = tuple[str, int, str, str, str, str, str, str, str]
"""determinant id, version, bill id, period start, period end, quantity, unit, event, at."""


def bill_loaded(books: CisBooks, interface: str, *, now: datetime) -> int:
    """Bill the newest version of everything loaded with energy and not billed yet; return how many bills were made."""
    rows = books.db.execute(
        """
        SELECT a.determinant_id, a.version, a.request_id, a.total, a.unit, r.replaces
        FROM answer a JOIN request r ON r.request_id = a.request_id
        WHERE r.interface = ? AND a.total <> ''
          AND a.version = (SELECT max(version) FROM answer b WHERE b.determinant_id = a.determinant_id)
          AND NOT EXISTS (SELECT 1 FROM bill c WHERE c.determinant_id = a.determinant_id)
        ORDER BY a.rowid
        """,
        (interface,),
    ).fetchall()
    at = local_text(now)
    bills = [
        (f"B-{request}", det, version, request, total, unit, "REBILLED" if replaces else "BILLED", at, "")
        for det, version, request, total, unit, replaces in rows
    ]
    with books.db:
        books.db.executemany("INSERT INTO bill VALUES (?,?,?,?,?,?,?,?,?)", bills)
    return len(bills)


def cancel_bill(books: CisBooks, determinant_id: str, *, now: datetime) -> str | None:
    """Cancel the bill of a determinant and return its request id, or None when it was never billed or is cancelled."""
    row = books.db.execute(
        "SELECT bill_id, version, request_id, quantity, unit FROM bill "
        "WHERE determinant_id = ? AND event <> 'CANCELLED'",
        (determinant_id,),
    ).fetchone()
    gone = books.db.execute(
        "SELECT 1 FROM bill WHERE determinant_id = ? AND event = 'CANCELLED'", (determinant_id,)
    ).fetchone()
    if row is None or gone is not None:
        return None
    bill_id, version, request_id, quantity, unit = row
    with books.db:
        books.db.execute(
            "INSERT INTO bill VALUES (?,?,?,?,?,?,?,?,'')",
            (f"{bill_id}-C", determinant_id, version, request_id, quantity, unit, "CANCELLED", local_text(now)),
        )
    return str(request_id)


def unreported(books: CisBooks, interface: str) -> list[BillRow]:
    """Return bill events of an interface that stand in no extract yet, in order."""
    rows: list[BillRow] = books.db.execute(
        """
        SELECT b.determinant_id, b.version, b.bill_id, r.period_start, r.period_end, b.quantity, b.unit, b.event, b.at
        FROM bill b JOIN request r ON r.request_id = b.request_id
        WHERE b.extract = '' AND r.interface = ? ORDER BY b.rowid
        """,
        (interface,),
    ).fetchall()
    return rows


def extract_body(head: FileHead, rows: Sequence[BillRow]) -> bytes:
    """Return the billed extract of these bill events."""
    file_id = f"{head.sender}-billed-{head.sequence:06d}"
    header = ("HDR", "billed", "1", file_id, head.sender, HUB, ENV, local_text(head.created), head.day.isoformat())
    lines = ["|".join((*header, ZONE_NAME, str(head.sequence)))]
    lines.extend("|".join(("BIL", *map(str, row))) for row in rows)
    total = sum((Decimal(row[5]) for row in rows), Decimal(0))
    lines.append(f"TRL|{len(rows)}|{total}|{hash_of(row[0] for row in rows)}")
    return body_of(lines)


def mark_reported(books: CisBooks, rows: Sequence[BillRow], name: str) -> None:
    """Remember in which extract bill events stand."""
    with books.db:
        books.db.executemany("UPDATE bill SET extract = ? WHERE bill_id = ?", [(name, row[2]) for row in rows])
