"""What may not end silently: a usage point, a meter or an account that something open still needs."""

from collections.abc import Iterable
from datetime import datetime

from canonical.codes.linkage import STILL_IN_USE
from canonical.errors import RejectedError
from canonical.master_data import CustomerAccount, MasterThing, Meter
from canonical.metering import UsagePoint
from flows.master_data_sync import installations
from store import reference
from store.rows import Row
from store.session import Session


def check_end(session: Session, thing: MasterThing, object_id: str, at: datetime | None) -> None:
    """Check that nothing open needs a thing that ends at `at`; None: that it is taken back as a mistake.

    Raises:
        RejectedError: STILL_IN_USE: a meter hangs there, or an agreement is open, at that time or later.
    """
    if isinstance(thing, UsagePoint):
        hung = installations.at_usage_point(session, object_id)
        _refuse((f"meter {row['meter']} hangs there" for row in hung if _lasts(row["removed_at"], at)), object_id)
    if isinstance(thing, Meter):
        hung = installations.of_meter(session, object_id)
        _refuse((f"it hangs at {row['usage_point']}" for row in hung if _lasts(row["removed_at"], at)), object_id)
    column = {UsagePoint: "usage_point", CustomerAccount: "account"}.get(type(thing))
    if column is not None:
        rows = _in_force(reference.current(session, reference.AGREEMENT, column, {object_id}), session)
        _refuse(
            (f"agreement {row['agreement']} is open" for row in rows if row[column] == object_id
             and _lasts(row["valid_to"], at)),
            object_id,
        )  # fmt: skip


def _in_force(rows: Iterable[Row], session: Session) -> list[Row]:
    """Return the last version of each agreement of which some rows are: what it has become."""
    names = {row["agreement"] for row in rows}
    last: dict[str, Row] = {}
    for row in reference.current(session, reference.AGREEMENT, "agreement", names):
        known = last.get(row["agreement"])
        if known is None or known["valid_from"] < row["valid_from"]:
            last[row["agreement"]] = row
    return list(last.values())


def _lasts(end: datetime | None, at: datetime | None) -> bool:
    """Return whether something is open, or ends later than what it needs."""
    return end is None or (at is not None and end > at)


def _refuse(reasons: Iterable[str], object_id: str) -> None:
    reason = next(iter(reasons), "")
    if reason:
        raise RejectedError(f"{object_id} cannot end: {reason}", code=STILL_IN_USE)
