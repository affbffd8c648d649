"""Recording what a master says of one thing as versions, effective-dated; nothing is overwritten (domain 2.6)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from canonical.codes.linkage import FIELD_NOT_OWNED, NOT_VALID_THEN
from canonical.errors import RejectedError
from canonical.ids import meter_mrid
from canonical.master_data import Meter
from canonical.metering import UsagePoint
from canonical.names import normal_serial
from flows.master_data_sync import identity, installations, not_owned, timeline
from flows.master_data_sync.guards import check_end
from flows.master_data_sync.masters import MASTERS, Master, begins_at
from flows.master_data_sync.outcome import Disposition, Outcome, waits
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.records import EXISTENCE
from flows.master_data_sync.said import Said
from flows.master_data_sync.stored import versions_of, whole
from flows.master_data_sync.timeline import Version
from store import master_origins, reference
from store.master_changes import Provenance
from store.rows import Row
from store.session import Session


def record(session: Session, said: Said, *, policy: Policy, now: datetime) -> Outcome:
    """Record one thing that is no link, and return what became of it.

    Raises:
        RejectedError: it does not exist then (NOT_VALID_THEN), or a name stands for two (OBJECT_AMBIGUOUS).
    """
    master = MASTERS[type(said.thing)]
    object_id, said = _identified(session, said, master)
    rows = reference.current(session, master.table, master.key, {object_id})
    not_owned.check_end_by(said, master, policy)
    if said.verb == "delete":
        return _delete(session, said, master, object_id, rows, now=now)
    if said.stamp <= master_origins.deleted(session, master.table.name, object_id):
        return Outcome("SUPERSEDED", object_id, master.object_type)
    if not rows and said.verb != "create":
        return waits(object_id, master.object_type, object_id)
    missing = _missing(session, said)
    if missing:
        return waits(object_id, master.object_type, missing, object_id)
    if not rows and not policy.records.owns(said.source, not_owned.kind_of(master.table.name), EXISTENCE):
        return waits(object_id, master.object_type, object_id)
    own, remark = not_owned.without(session, said, master, object_id, rows, policy=policy, now=now)
    if own is None:
        end: Disposition = "SUPERSEDED" if remark else "DUPLICATE"
        return _remarked(Outcome(end, object_id, master.object_type), remark)
    return _remarked(_apply(session, own, master, object_id, rows, policy=policy, now=now), remark)


def _remarked(outcome: Outcome, remark: str) -> Outcome:
    """Return an outcome with what is remarked of fields that were not applied."""
    return replace(outcome, code=str(FIELD_NOT_OWNED), reason=remark) if remark else outcome


def state_fields(
    session: Session,
    master: Master,
    object_id: str,
    facts: dict[str, Any],
    *,
    at: datetime,
    stamp: str,
    by: Provenance,
    now: datetime,
    begins: bool = True,
    defaults: dict[str, Any] | None = None,
    ends: datetime | None = None,
) -> timeline.Effect:
    """State fields of one thing from `at` on, and return what that did (see `timeline.state`)."""
    rows = reference.current(session, master.table, master.key, {object_id})
    filled = {**master.defaults, **(defaults or {})}
    versions, effect = timeline.state(
        versions_of(rows), at, facts, stamp=stamp, begins=begins, ends=ends, defaults=filled
    )
    _keep(session, master, object_id, rows, versions, by=by, now=now)
    return effect


def state_span(
    session: Session, said: Said, master: Master, object_id: str, *, defaults: dict[str, Any], now: datetime
) -> timeline.Effect:
    """State a whole version of one thing with its span, and return what that did (see `timeline.span`)."""
    rows = reference.current(session, master.table, master.key, {object_id})
    versions, effect = timeline.span(
        versions_of(rows),
        begins_at(said),
        said.until,
        master.stated(said),
        stamp=said.stamp,
        defaults={**master.defaults, **defaults},
    )
    _keep(session, master, object_id, rows, versions, by=said.provenance, now=now)
    return effect


def end_thing(
    session: Session,
    master: Master,
    object_id: str,
    *,
    at: datetime,
    by: Provenance,
    now: datetime,
    stamp: str = "",
) -> timeline.Effect:
    """End one thing at an instant, and return what that did (see `timeline.end`)."""
    rows = reference.current(session, master.table, master.key, {object_id})
    versions, effect = timeline.end(versions_of(rows), at, stamp=stamp)
    _keep(session, master, object_id, rows, versions, by=by, now=now)
    return effect


def _apply(
    session: Session, said: Said, master: Master, object_id: str, rows: list[Row], *, policy: Policy, now: datetime
) -> Outcome:
    """Bring the versions of a thing to what a statement says."""
    if said.verb == "close":
        check_end(session, said.thing, object_id, said.effective_at)
        effect = end_thing(
            session, master, object_id, at=said.effective_at, by=said.provenance, now=now, stamp=said.stamp
        )
    elif said.spans:
        if said.until is not None and not _goes_on(rows, said.until):
            check_end(session, said.thing, object_id, said.until)
        effect = state_span(session, said, master, object_id, defaults=_site_defaults(said, policy), now=now)
    else:
        effect = state_fields(
            session,
            master,
            object_id,
            master.stated(said),
            at=begins_at(said),
            stamp=said.stamp,
            begins=said.verb == "create",
            ends=getattr(said.thing, "valid_to", None),
            defaults=_site_defaults(said, policy),
            by=said.provenance,
            now=now,
        )
    if effect == "NOT_THERE":
        raise RejectedError(f"{object_id} does not exist at {begins_at(said).isoformat()}", code=NOT_VALID_THEN)
    master_origins.note(session, master.table.name, object_id, said.source)
    if said.verb == "create":
        master_origins.mark_deleted(session, master.table.name, object_id, "")
    if isinstance(said.thing, Meter) and effect == "APPLIED":
        installations.follow_configuration(session, object_id, by=said.provenance, now=now)
    touched = _names(said, object_id) if effect == "APPLIED" else frozenset()
    return Outcome(effect, object_id, master.object_type, said.thing, touched)


def _goes_on(rows: list[Row], at: datetime) -> bool:
    """Return whether a thing has a version that begins at an instant: its life does not end there."""
    return any(row["valid_from"] == at for row in rows)


def _site_defaults(said: Said, policy: Policy) -> dict[str, Any]:
    """Return what holds at this site of fields that nobody has stated."""
    return {"zone": policy.zone} if isinstance(said.thing, UsagePoint) else {}


def _delete(session: Session, said: Said, master: Master, object_id: str, rows: list[Row], *, now: datetime) -> Outcome:
    """Take a thing back as a mistake: it is known no more, and what was said before stays looked up by known time."""
    if said.stamp <= master_origins.deleted(session, master.table.name, object_id):
        return Outcome("DUPLICATE", object_id, master.object_type)
    if any(row["stated_at"] is not None and said.stamp < whole(row) for row in rows):
        return Outcome("SUPERSEDED", object_id, master.object_type)  # a whole file has told since that it is there
    if rows:
        check_end(session, said.thing, object_id, None)
    master_origins.note(session, master.table.name, object_id, said.source)
    master_origins.mark_deleted(session, master.table.name, object_id, said.stamp)
    reference.replace(session, master.table, rows, [], by=said.provenance, now=now)
    return Outcome("APPLIED" if rows else "DUPLICATE", object_id, master.object_type, said.thing)


def _identified(session: Session, said: Said, master: Master) -> tuple[str, Said]:
    """Return the id of the thing that is meant, and the statement about that id."""
    thing, given = said.thing, str(getattr(said.thing, master.key))
    if isinstance(thing, UsagePoint):
        found = identity.usage_point(session, given, thing.name if not given else "", source=said.source)
        own = found or given or thing.name
    elif isinstance(thing, Meter):
        found = identity.meter(session, given, thing.serial, source=said.source, manufacturer=thing.manufacturer)
        own = found or given or meter_mrid(thing.manufacturer, thing.serial)
    else:
        own = given
    return own, said if own == given else replace(said, thing=replace(thing, **{master.key: own}))  # type: ignore[arg-type]


def _missing(session: Session, said: Said) -> str:
    """Return the usage point that a thing names and nobody has told of, or an empty string."""
    point = str(getattr(said.thing, "usage_point", ""))
    if isinstance(said.thing, UsagePoint) or not point or said.verb == "close":
        return ""
    return "" if identity.usage_point(session, point, "", source=said.source) else point


def _names(said: Said, object_id: str) -> frozenset[str]:
    """Return the words by which others may wait for a thing."""
    thing = said.thing
    serial = normal_serial(thing.serial) if isinstance(thing, Meter) else ""
    name = thing.name if isinstance(thing, UsagePoint) else ""
    return frozenset(one for one in (object_id, serial, name) if one)


def _keep(
    session: Session,
    master: Master,
    object_id: str,
    rows: list[Row],
    versions: tuple[Version, ...],
    *,
    by: Provenance,
    now: datetime,
) -> None:
    """Bring the rows of a thing to its versions."""
    wanted = [
        {**one.fields, master.key: object_id, "valid_from": one.valid_from, "valid_to": one.valid_to,
         "said": dict(one.said)}
        for one in versions
    ]  # fmt: skip
    reference.replace(session, master.table, rows, wanted, by=by, now=now)
