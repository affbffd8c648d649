"""What systems say of meters that they were told of: taken, or refused meter by meter; noted at each shipped meter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from canonical.codes.message import PARTNER_TOOK_PART
from canonical.codes.shipments import METER_NOT_TAKEN
from canonical.refusals import refused_in, shown
from flows.routing import deliver
from store import shipments
from store.rows import Row
from store.session import Session, Transaction

BATCH = 20
"""Messages, of a hundred meters each, whose answers are noted in one transaction."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What one pass found answered."""

    messages: int = 0
    refused: int = 0
    """Meters that a system did not take."""


def follow(*, queue: str, transaction: Transaction, now: datetime) -> Followed:
    """Note every answer since the last pass, each meter by itself, and return how many there were."""
    messages = refused = 0
    while True:
        with transaction() as session:
            rows = shipments.answered(session, limit=BATCH)
            for row in rows:
                refused += _note(session, row, queue=queue, now=now)
        messages += len(rows)
        if len(rows) < BATCH:
            return Followed(messages, refused)


def _note(session: Session, row: Row, *, queue: str, now: datetime) -> int:
    """Note one answer, and return how many meters were not taken."""
    known = shipments.of_meters(session, row["meters"])
    states = verdicts(row, known)
    shipments.keep_told(session, {name: {**known[name]["told"], row["role"]: states[name]} for name in known})
    bad = [name for name in known if states[name] != "CONFIRMED"]
    shipments.settle(session, {row["delivery_id"]}, "CONFIRMED" if row["became"] == "confirmed" else "REFUSED")
    if bad:
        words = f"{row['role']} did not take {len(bad)} of {len(known)} meters: {shown(row['reason'])}"
        deliver.tell(session, METER_NOT_TAKEN, row["delivery_id"], words, queue=queue, now=now)
    else:
        work = deliver.work_id(METER_NOT_TAKEN, row["delivery_id"])
        deliver.resolve(session, work, reason=f"{row['role']} took them all", now=now)
    return len(bad)


def verdicts(row: Row, known: Mapping[str, Row]) -> dict[str, str]:
    """Return CONFIRMED or the code of the refusal for each meter of a message.

    A partner that took a part names what it refused. Where a refusal names no meter of the message, or there are more
    than its answer has room for, nobody knows of the others, and they bear the code of the whole message.
    """
    if row["became"] == "confirmed":
        return dict.fromkeys(known, "CONFIRMED")
    if row["code"] != str(PARTNER_TOOK_PART):
        return dict.fromkeys(known, str(row["code"] or "CANCELLED"))
    refused = refused_in(row["reason"], {name: (known[name]["serial"],) for name in known})
    others = "CONFIRMED" if refused.is_whole else str(row["code"])
    codes = {name: said.split(" ")[0] or str(METER_NOT_TAKEN) for name, said in refused.named.items()}
    return {name: codes.get(name, others) for name in known}
