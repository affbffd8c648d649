"""A lot that failed its test is released: by a person, or because a later shipment says that it passed."""

from collections.abc import Collection
from datetime import datetime

from canonical.codes.rollout import KEYS_MISSING
from canonical.codes.shipments import LOT_FAILED, LOT_UNKNOWN, METER_FAILED
from canonical.errors import RejectedError
from canonical.names import normal_serial
from flows.routing import deliver
from flows.routing.deliver import Sending
from flows.shipments.policy import ShipmentPolicy
from flows.shipments.telling import tell
from store import shipments
from store.session import Session, Transaction

BATCH = 2000
"""Meters of one transaction."""


def release(
    lot: str,
    *,
    manufacturer: str = "",
    by: str,
    reason: str,
    policy: ShipmentPolicy,
    sending: Sending,
    transaction: Transaction,
) -> int:
    """Release a failed lot for a person, tell the systems of its meters, and return how many are free now.

    Meters that failed their own test, or whose keys nobody holds, stay blocked.

    Raises:
        RejectedError: no lot has that name, or those of several manufacturers do (LOT_UNKNOWN).
    """
    with transaction() as session:
        maker = _maker(session, lot, manufacturer)
        shipments.release_lot(session, maker, lot, by=by, reason=reason, now=sending.now)
    freed = 0
    while True:
        with transaction() as session:
            looked, free = unblock(session, maker, lot, cause=f"release/{maker}/{lot}", policy=policy, sending=sending)
        freed += free
        if looked < BATCH:
            return freed


def unblock_all(
    session: Session, manufacturer: str, lot: str, *, cause: str, policy: ShipmentPolicy, sending: Sending
) -> None:
    """Free whatever a lot blocked, within one transaction."""
    while unblock(session, manufacturer, lot, cause=cause, policy=policy, sending=sending)[0] == BATCH:
        pass


def unblock(
    session: Session, manufacturer: str, lot: str, *, cause: str, policy: ShipmentPolicy, sending: Sending
) -> tuple[int, int]:
    """Look at up to `BATCH` meters that their lot blocked, and return how many there were and how many are free.

    One that failed by itself, or whose keys nobody holds, stays blocked for that.
    """
    rows = shipments.blocked(session, manufacturer, lot, code=str(LOT_FAILED), limit=BATCH)
    failed = {row["meter"] for row in rows if row["facts"].get("test_result") == "FAIL"}
    keyless = {row["meter"] for row in rows if not row["has_keys"]} - failed
    shipments.move(session, failed, "BLOCKED", now=sending.now, code=str(METER_FAILED))
    shipments.move(session, keyless, "BLOCKED", now=sending.now, code=str(KEYS_MISSING))
    free = [row for row in rows if row["meter"] not in failed | keyless]
    shipments.move(session, {row["meter"] for row in free}, "STOCK", now=sending.now)
    for at in sorted({row["shipped_at"] for row in free}):
        own = [row for row in free if row["shipped_at"] == at]
        tell(session, own, verb="create", cause=cause, effective_at=at, policy=policy, sending=sending)
    if len(rows) < BATCH:
        work = deliver.work_id(LOT_FAILED, f"{manufacturer}/{lot}")
        deliver.resolve(session, work, reason="the lot is released", now=sending.now)
        _open_work(session, f"{manufacturer}/{lot}", failed, keyless, policy=policy, sending=sending)
    return len(rows), len(free)


def end_key_work(session: Session, lots: Collection[tuple[str, str]], *, now: datetime) -> None:
    """End the work about missing keys of lots (manufacturer, lot) of which no meter lacks any more."""
    for maker, lot in sorted(lots):
        if not shipments.blocked(session, maker, lot, code=str(KEYS_MISSING), limit=1):
            work = deliver.work_id(KEYS_MISSING, f"{maker}/{lot}")
            deliver.resolve(session, work, reason="the keys have come", now=now)


def _open_work(
    session: Session, lot: str, failed: set[str], keyless: set[str], *, policy: ShipmentPolicy, sending: Sending
) -> None:
    """Open work for what stays blocked for its own sake."""
    for name in sorted(failed):
        deliver.tell(session, METER_FAILED, name, METER_FAILED.meaning, queue=policy.queue, now=sending.now)
    if keyless:
        words = f"{lot}: {len(keyless)} meters are blocked: {KEYS_MISSING.meaning}"
        deliver.tell(session, KEYS_MISSING, lot, words, queue=policy.queue, now=sending.now)


def _maker(session: Session, lot: str, manufacturer: str) -> str:
    """Return the normalized manufacturer of a lot.

    Raises:
        RejectedError: LOT_UNKNOWN.
    """
    makers = [maker for maker, _ in shipments.lots(session, {lot})]
    wanted = [maker for maker in makers if not manufacturer or maker == normal_serial(manufacturer)]
    if len(wanted) != 1:
        reason = f"{len(wanted)} manufacturers have a lot {lot!r}" if wanted else f"no shipment has a lot {lot!r}"
        raise RejectedError(reason, code=LOT_UNKNOWN)
    return wanted[0]
