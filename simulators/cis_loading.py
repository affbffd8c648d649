"""Loads determinants into the CIS's books: each (determinant id, version) once, each refusal named."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from simulators.cis_books import CisBooks
from simulators.cis_drop import Answered, Part

NOTICE = "6030"
"""Remark by which the hub says: you billed this, better reads exist since."""

WITHOUT_ENERGY = ("NO_READ", "HELD", "REJECTED")


def load(books: CisBooks, part: Part, *, now: datetime) -> tuple[list[dict[str, object]], list[Answered]]:
    """Load a part and return (item verdicts for the acknowledgement, correction notices in it)."""
    known = _known(books, (answer.request_id for answer in part.answers))
    verdicts: list[dict[str, object]] = []
    notices: list[Answered] = []
    with books.db:
        for answer in part.answers:
            if part.run_type == "COR" and any(NOTICE in remark[2] for remark in answer.remarks):
                if _write_notice(books, part, answer, now):
                    notices.append(answer)
                verdicts.append(_verdict(answer, "ACCEPTED"))
                continue
            refusal = _refusal(answer, known)
            if refusal:
                verdicts.append(_verdict(answer, "REJECTED", *refusal))
            elif _write(books, part, answer, now):
                verdicts.append(_verdict(answer, "ACCEPTED"))
            else:
                verdicts.append(_verdict(answer, "DUPLICATE"))
        books.db.executemany(
            "INSERT INTO closing VALUES (?,?,?,?)", [(part.name, row[1], row[2], int(row[3])) for row in part.closing]
        )
    return verdicts, notices


def _known(books: CisBooks, request_ids: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for request_id in request_ids:
        if books.db.execute("SELECT 1 FROM request WHERE request_id = ?", (request_id,)).fetchone():
            found.add(request_id)
    return found


def _refusal(answer: Answered, known: set[str]) -> tuple[str, str] | None:
    """Return (code, reason) when the CIS cannot take an item."""
    if answer.request_id not in known:
        return "C001", "no such request"
    if answer.status in WITHOUT_ENERGY:
        return ("C002", "energy on an unanswered item") if answer.determinants else None
    if not answer.total[0]:
        return "C003", "no total determinant"
    buckets = [Decimal(det[6]) for det in answer.determinants if det[1] in ("KWH_ON", "KWH_MID", "KWH_OFF", "KWH_CRIT")]
    if buckets and sum(buckets) != Decimal(answer.total[0]):
        return "C004", "time-of-use buckets do not add up to the total"
    return None


def _write(books: CisBooks, part: Part, answer: Answered, now: datetime) -> bool:
    """Write one answer and return whether it is new."""
    total, unit = answer.total
    cursor = books.db.execute(
        "INSERT OR IGNORE INTO answer VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            answer.determinant_id, answer.version, answer.request_id, answer.account, answer.fields[6], answer.status,
            answer.code, answer.fields[3], unit, total, part.name, now.isoformat(timespec="seconds"),
        ),
    )  # fmt: skip
    if cursor.rowcount == 0:
        return False
    key = (answer.determinant_id, answer.version)
    books.db.executemany(
        "INSERT INTO quantity VALUES (?,?,?,?,?,?)",
        [(*key, det[1], det[2], det[3], det[6]) for det in answer.determinants],
    )
    books.db.executemany(
        "INSERT INTO demand VALUES (?,?,?,?,?)", [(*key, dem[1], dem[2], dem[3]) for dem in answer.demands]
    )
    return True


def _write_notice(books: CisBooks, part: Part, answer: Answered, now: datetime) -> bool:
    """Write one correction notice and return whether its determinant had none before."""
    seen = books.db.execute("SELECT 1 FROM notice WHERE request_id = ?", (answer.request_id,)).fetchone()
    books.db.execute(
        "INSERT OR IGNORE INTO notice VALUES (?,?,?,?,?,?,?)",
        (
            answer.determinant_id, answer.version, answer.request_id, answer.account, answer.total[0], part.name,
            now.isoformat(timespec="seconds"),
        ),
    )  # fmt: skip
    return seen is None


def _verdict(answer: Answered, verdict: str, code: str = "", reason: str = "") -> dict[str, object]:
    return {"key": answer.determinant_id, "verdict": verdict, "code": code, "reason": reason, "line": 0}
