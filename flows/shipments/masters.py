"""Shipped meters that nobody has told of become masters; what waited for them is applied and told on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from canonical.holdings import FIELDS, Holding
from canonical.names import normal_serial
from flows.master_data_sync import intake, waking
from flows.master_data_sync.held import said_of
from flows.master_data_sync.intake import Taken
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.records import Records
from flows.routing.deliver import Sending
from flows.shipments.stock import IN_STOCK, Arrived
from store import master_loads, reference, reference_bulk
from store.master_changes import Provenance
from store.reference_masters import METER
from store.session import Session


def know(
    session: Session,
    meters: Sequence[Arrived],
    *,
    by: Provenance,
    policy: Policy,
    sending: Sending,
) -> None:
    """Make masters of those meters that have none, as the manufacturer states them; the caller holds the lock.

    What a master says of a meter already stays. Nobody else can know a meter before its maker tells of it: so the
    maker's word counts for every field until its master speaks. Subscribers find the meters in the change log.
    """
    found = reference_bulk.known(session, METER, "meter", {one.mrid for one in meters})
    fresh = [one for one in meters if one.mrid not in found]
    if not fresh:
        return
    reference.record(session, METER, [_row(one) for one in fresh], now=sending.now, by=by)
    names = {one.mrid for one in fresh}
    marks = reference_bulk.origins(session, "meter", names)
    reference_bulk.note_origins(session, "meter", {name: by.source for name in sorted(names - marks.keys())})
    reference_bulk.stand_again(session, "meter", {name for name, mark in marks.items() if mark})
    if not master_loads.is_open(session):
        _wake(session, fresh, policy=policy, sending=sending)


def restate(session: Session, meters: Sequence[Arrived], *, by: Provenance, policy: Policy, sending: Sending) -> None:
    """State meters again that were shipped before and differ now, as a file of changes would; few ever are.

    Their makers' word counts as far as the site has it count: whoever is the master of a field keeps it.
    """
    taken = Taken()
    for one in meters:
        facts = {name: text for name, text in one.row["facts"].items() if name in FIELDS["meter"]}
        facts |= {"model": one.meter.model, "firmware": one.meter.firmware, "status": IN_STOCK}
        held = Holding("meter", one.mrid, one.row["shipped_at"], None, facts)
        said_at = by.said_at or sending.now
        said = said_of(held, source=by.source, file_id=f"{by.message_id}/{one.mrid}", said_at=said_at, line=0)
        taken += intake.judge(session, said, policy=policy, now=sending.now)
    # Whom meters are told to is the shipment's to say: here only what waited goes on.
    taken.told = []
    intake.conclude(session, taken, policy=policy, sending=sending, how="file")


def _wake(session: Session, fresh: Sequence[Arrived], *, policy: Policy, sending: Sending) -> None:
    """Apply what waited for meters, by mRID or by serial, and tell it on."""
    touched = {word for one in fresh for word in (one.mrid, normal_serial(one.meter.serial))}
    woken = waking.wake(session, touched, policy=policy, now=sending.now)
    intake.conclude(session, Taken(woken=woken), policy=policy, sending=sending, how="file")


def anybody(policy: Policy) -> Policy:
    """Return a policy by which the hub may state what it did itself, whoever the master of it is."""
    return replace(policy, records=Records())


def _row(one: Arrived) -> dict[str, Any]:
    """Return the row of a meter's master, valid from when it was shipped."""
    facts = one.row["facts"]
    since: datetime = one.row["shipped_at"]
    return {
        "meter": one.mrid,
        "manufacturer": one.meter.manufacturer,
        "serial": one.meter.serial,
        "serial_normal": one.row["serial"],
        "commodity": facts["commodity"],
        "multiplier": facts["multiplier"],
        "registers": facts["registers"],
        "model": one.meter.model,
        "firmware": one.meter.firmware,
        "status": IN_STOCK,
        "valid_from": since,
        "valid_to": None,
        "said": None,
        "stated_at": since,
    }
