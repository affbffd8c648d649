"""Meters that are no more: disposed of by a person, ended in the masters, and told to every system that held them."""

from collections.abc import Collection

from canonical.codes.shipments import METER_FAILED, STOCK_STATE
from canonical.errors import RejectedError
from canonical.ids import mint
from flows.master_data_sync import intake
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.said import Said
from flows.routing import deliver
from flows.routing.deliver import Sending
from flows.shipments import masters
from flows.shipments.policy import ShipmentPolicy
from flows.shipments.stock import meter_of
from flows.shipments.telling import DISPOSED, tell
from store import reference, shipments
from store.rows import Row
from store.session import Transaction


def dispose(
    meters: Collection[str],
    *,
    by: str,
    policy: ShipmentPolicy,
    masters_policy: Policy,
    sending: Sending,
    transaction: Transaction,
) -> int:
    """Dispose of meters (mRIDs) that came back or are blocked, all or none, and return how many.

    Raises:
        RejectedError: one of them is unknown, in use or gone already (STOCK_STATE), or the masters do not let it end.
    """
    with transaction() as session:
        reference.lock(session)
        known = shipments.of_meters(session, meters)
        for name in sorted(meters):
            state = known[name]["state"] if name in known else "unknown"
            if state not in ("RETURNED", "BLOCKED"):
                raise RejectedError(f"meter {name} is {state}", code=STOCK_STATE)
        rows = [known[name] for name in sorted(known)]
        taken = intake.judge(
            session, [_end(row, by, sending) for row in rows], policy=masters.anybody(masters_policy), now=sending.now
        )
        for one in taken.judged:
            if one.verdict.disposition == "REJECTED":
                reason = f"meter {one.verdict.object_id}: {one.verdict.code} {one.verdict.reason}"
                raise RejectedError(reason, code=STOCK_STATE)
        intake.conclude(session, taken, policy=masters_policy, sending=sending)
        shipments.move(session, known, "DISPOSED", now=sending.now)
        for name in sorted(known):
            work = deliver.work_id(METER_FAILED, name)
            deliver.resolve(session, work, reason=f"disposed of by {by}", now=sending.now)
        cause = mint("disposal", by, sending.now, ",".join(sorted(known)))
        tell(
            session, rows, verb="close", cause=cause, effective_at=sending.now, policy=policy, sending=sending
        )  # fmt: skip
    return len(rows)


def _end(row: Row, by: str, sending: Sending) -> Said:
    """Return what ends the meter's master."""
    own = mint("disposed", row["meter"], sending.now)
    return Said(
        "hub", own, own, sending.now, "close", "close", "MeterConfig", sending.now, 0,
        meter_of(row, status=DISPOSED), reason=f"disposed of by {by}",
    )  # fmt: skip
