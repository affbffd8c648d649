"""What belongs together: a meter and a usage point, an agreement and a usage point, a premise and a usage point.

I1: at any instant a usage point has at most one meter of a commodity, and a meter hangs at one usage point.
"""

from dataclasses import replace
from datetime import datetime

from canonical.codes.linkage import (
    ALREADY_ENDED,
    ALREADY_LINKED,
    NOT_LINKED_THEN,
    NOT_VALID_THEN,
    PERIODS_INTERSECT,
)
from canonical.customers import CustomerAgreement
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.master_data import Link
from canonical.metering import FAR_FUTURE
from canonical.names import normal_serial
from flows.master_data_sync import identity, installations, matching, not_owned, record
from flows.master_data_sync.masters import MASTERS, PREMISE
from flows.master_data_sync.matching import EXACT, Clocks, Step
from flows.master_data_sync.outcome import Disposition, Outcome, waits
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.said import Said
from store import master_origins
from store.master_changes import Provenance
from store.rows import Row
from store.session import Session


def link(session: Session, said: Said, thing: Link, *, policy: Policy, now: datetime) -> Outcome:
    """Apply one link, or its end, and return what became of it; unknown things are waited for.

    Raises:
        RejectedError: ALREADY_LINKED, NOT_LINKED_THEN, PERIODS_INTERSECT, ALREADY_ENDED, NOT_VALID_THEN,
            FIELD_NOT_OWNED or OBJECT_AMBIGUOUS.
    """
    not_owned.check_link(said, *_field_of(thing), policy)
    meter_word, label = thing.meter or thing.serial, thing.usage_point or thing.usage_point_name
    spoken = (label, meter_word, normal_serial(meter_word), thing.agreement, thing.location)
    point = identity.usage_point(session, thing.usage_point, thing.usage_point_name, source=said.source)
    if point is None:
        return waits(label, "UsagePoint", label, *spoken)
    if thing.agreement:
        return _agreement(session, said, replace(thing, usage_point=point), now=now)
    if thing.location:
        return _premise(session, said, replace(thing, usage_point=point), now=now)
    meter = identity.meter(session, thing.meter, thing.serial, source=said.source)
    if meter is None:
        return waits(label, "UsagePoint", meter_word, point, *spoken)
    if said.verb == "delete" and said.spans:
        done = _never_hung(session, meter, point, by=said.provenance, now=now)
    else:
        until = said.until if said.spans else None
        clocks = Clocks(policy.grains)
        done = change(
            session,
            meter,
            point,
            said.verb,
            said.effective_at,
            by=said.provenance,
            now=now,
            until=until,
            clocks=clocks,
        )
    meant = replace(thing, usage_point=point, meter=meter)
    said_before = not master_origins.note(
        session, "link", mint("link", meter, point, said.verb, said.effective_at), said.source
    )
    first = done == "DUPLICATE" and not said_before
    return Outcome(done, point, "UsagePoint", meant, frozenset({point, meter}), is_first=first)


def _field_of(thing: Link) -> tuple[str, str]:
    """Return the kind and field that a link states."""
    if thing.agreement:
        return "agreement", "usage_point"
    return ("usage_point", "location") if thing.location else ("installation", "meter")


def change(
    session: Session,
    meter: str,
    point: str,
    verb: str,
    at: datetime,
    *,
    by: Provenance,
    now: datetime,
    until: datetime | None = None,
    clocks: Clocks = EXACT,
) -> Disposition:
    """Hang a meter at a usage point, take it away, or take the link back; what is so already is a repeat.

    `until` is the end of a stay that is hung, where it is told with its beginning. What a system of another clock told
    already is the same by `clocks`; the finer instant of both stands.

    Raises:
        RejectedError: as `link` does.
    """
    step: Step = "close" if verb == "close" else "create"
    told = matching.same(session, meter, point, step, at, source=by.source, clocks=clocks) if verb != "delete" else None
    if told is not None and not told[1]:
        return "DUPLICATE"
    if told is not None:
        matching.refine(session, told[0], step, at, by=by, now=now)
        matching.note(session, meter, point, step, at, by.source)
        return "APPLIED"
    if step == "create" and clocks.grains:
        at = matching.after_the_other(session, meter, point, at, source=by.source, clocks=clocks)
    done = _changed(session, meter, point, verb, at, until, by=by, now=now)
    if clocks.grains and done == "APPLIED" and verb != "delete":
        matching.note(session, meter, point, step, at, by.source)
        if until is not None:
            matching.note(session, meter, point, "close", until, by.source)
    return done


def _changed(
    session: Session,
    meter: str,
    point: str,
    verb: str,
    at: datetime,
    until: datetime | None,
    *,
    by: Provenance,
    now: datetime,
) -> Disposition:
    """Do what a step says at exactly that instant."""
    if verb == "close":
        return _unlink(session, meter, point, at, by=by, now=now)
    if verb == "delete":
        row = _standing(session, meter, point, at)
        if row is None:
            raise RejectedError(f"meter {meter} is not at {point} then", code=NOT_LINKED_THEN)
        installations.forget(session, row, by=by, now=now)
        return "APPLIED"
    return _hang(session, meter, point, at, until, by=by, now=now)


def _never_hung(session: Session, meter: str, point: str, *, by: Provenance, now: datetime) -> Disposition:
    """Take back every stay of a meter at a usage point; none is a repeat."""
    done: Disposition = "DUPLICATE"
    while rows := [row for row in installations.of_meter(session, meter) if row["usage_point"] == point]:
        installations.forget(session, rows[-1], by=by, now=now)
        done = "APPLIED"
    return done


def _hang(
    session: Session, meter: str, point: str, at: datetime, until: datetime | None, *, by: Provenance, now: datetime
) -> Disposition:
    mine = installations.of_meter(session, meter)
    if any(row["usage_point"] == point and _stands(row, at) for row in mine):
        return "DUPLICATE"
    commodity = installations.commodity_of(session, meter, at)
    there = [row for row in installations.at_usage_point(session, point) if row["commodity"] == commodity]
    for row in (*mine, *there):
        who = f"meter {row['meter']} at {row['usage_point']}"
        if _stands(row, at):
            raise RejectedError(f"{who} since {row['installed_at'].isoformat()}", code=ALREADY_LINKED)
        if at <= row["installed_at"] < (until or FAR_FUTURE) and row["removed_at"] != row["installed_at"]:
            raise RejectedError(f"{who} from {row['installed_at'].isoformat()} on", code=PERIODS_INTERSECT)
        if row["meter"] == meter and row["usage_point"] == point and row["installed_at"] == at:
            return "DUPLICATE"  # it hung for no time at all, and was told of before
    installations.hang(session, meter, point, at, until, by=by, now=now)
    return "APPLIED"


def _unlink(session: Session, meter: str, point: str, at: datetime, *, by: Provenance, now: datetime) -> Disposition:
    mine = [row for row in installations.of_meter(session, meter) if row["usage_point"] == point]
    if any(row["removed_at"] == at and not _goes_on(row, mine) for row in mine):
        return "DUPLICATE"
    row = _standing(session, meter, point, at)
    if row is None:
        raise RejectedError(f"meter {meter} is not at {point} at {at.isoformat()}", code=NOT_LINKED_THEN)
    end = _end_of_stay(row, mine)
    if end is not None:
        raise RejectedError(f"meter {meter} left {point} at {end.isoformat()}", code=ALREADY_ENDED)
    installations.take_away(session, row, at, by=by, now=now)
    return "APPLIED"


def _standing(session: Session, meter: str, point: str, at: datetime) -> Row | None:
    """Return the installation of a meter at a usage point that stands at an instant, or begins there."""
    mine = [row for row in installations.of_meter(session, meter) if row["usage_point"] == point]
    return next((row for row in mine if _stands(row, at)), None)


def _stands(row: Row, at: datetime) -> bool:
    return bool(row["installed_at"] <= at and (row["removed_at"] is None or at < row["removed_at"]))


def _goes_on(row: Row, mine: list[Row]) -> bool:
    """Return whether a row ends only because the meter's configuration changed."""
    return any(one["split"] and one["installed_at"] == row["removed_at"] for one in mine)


def _end_of_stay(row: Row, mine: list[Row]) -> datetime | None:
    """Return when the stay that a row belongs to ends; None while it lasts."""
    end: datetime | None = row["removed_at"]
    for one in mine:
        if one["split"] and one["installed_at"] == end:
            end = one["removed_at"]
    return end


def _agreement(session: Session, said: Said, thing: Link, *, now: datetime) -> Outcome:
    """Serve an agreement by a usage point from an instant on; where it is unlinked, it ends."""
    agreement, point = thing.agreement, thing.usage_point
    if not identity.agreement_is_known(session, agreement):
        return waits(agreement, "CustomerAgreement", agreement, point)
    master = MASTERS[CustomerAgreement]
    if said.verb in ("close", "delete"):
        effect = record.end_thing(session, master, agreement, at=said.effective_at, by=said.provenance, now=now)
    else:
        served = {"usage_point": point}
        effect = record.state_fields(
            session,
            master,
            agreement,
            served,
            at=said.effective_at,
            stamp=said.stamp,
            begins=False,
            by=said.provenance,
            now=now,
        )
    if effect == "NOT_THERE":
        reason = f"agreement {agreement} does not exist at {said.effective_at.isoformat()}"
        raise RejectedError(reason, code=NOT_VALID_THEN)
    return Outcome(effect, agreement, "CustomerAgreement", thing, frozenset({agreement, point}))


def _premise(session: Session, said: Said, thing: Link, *, now: datetime) -> Outcome:
    """Say at which premise a usage point lies."""
    location, point = thing.location, thing.usage_point
    if said.verb in ("close", "delete"):
        effect = record.end_thing(session, PREMISE, point, at=said.effective_at, by=said.provenance, now=now)
    else:
        effect = record.state_fields(
            session,
            PREMISE,
            point,
            {"location": location},
            at=said.effective_at,
            stamp=said.stamp,
            by=said.provenance,
            now=now,
        )
    if effect == "NOT_THERE":
        raise RejectedError(f"usage point {point} is at no premise then", code=NOT_LINKED_THEN)
    return Outcome(effect, point, "UsagePoint", thing, frozenset({point}))
