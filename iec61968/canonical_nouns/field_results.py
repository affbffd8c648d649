"""Work that exchanged nothing, because it could not be done or was taken back: MeterServiceWork to Completion and back.

`status/value` says which, `status/reason` why in the source's own word; ActivityRecords of type `visited` and
`reversed` say when. OldMeter is the meter that hangs there, or hung there again; Meter the one that was to come.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from canonical.codes import identity
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.field_reports import FieldReport
from canonical.metering import RegisterReading
from canonical.quality import Quality
from canonical.rollout import Completion, MeterSeen, RegisterValue
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.field_work import (
    REASON_WORDS,
    names_from_report,
    records_from_report,
    report_from_object,
    unable_reason,
)
from iec61968.canonical_nouns.identities import MeterIdentity, named
from iec61968.canonical_nouns.instants import on_grid, said_at
from iec61968.canonical_nouns.meters import known_as
from iec61968.canonical_nouns.saying import Inbound, Outbound, Said
from iec61968.canonical_nouns.work_parts import (
    INSTALLED,
    REMOVED,
    Reason,
    identity_of,
    is_named,
    names_from,
    names_of,
    readings_of,
    recorded,
    stated_of,
    usage_point_of,
    work_meter,
)
from iec61968.nouns.elements import ActivityRecord, Status
from iec61968.nouns.meter_service_requests import MeterServiceWork, WorkMeter

Outcome = Literal["UNABLE", "REVERSED"]

RECORDS = {"UNABLE": "visited", "REVERSED": "reversed", "DONE": INSTALLED}
"""Type of the ActivityRecord that says when, by outcome."""

WORDS = {"UNABLE": "unable", "REVERSED": "reversed", "DONE": "completed"}
"""Word of `status/value` by outcome."""


def result_from_object(wire: MeterServiceWork, outcome: Outcome, inbound: Inbound, where: str) -> tuple[Said, ...]:
    """Return the Completion that a work of such an outcome tells.

    Raises:
        RejectedError: no usage point or no instant can be told, or a reading or a number cannot be read.
    """
    conventions, names = inbound.conventions, names_of(wire)
    usage_point, point_name = usage_point_of(wire, inbound, where)
    old, new = _meters(wire, outcome, conventions)
    removed, final, gone = _seen(old, "removal", usage_point, inbound, f"{where}/OldMeter")
    installed, first, come = _seen(new, "installation", usage_point, inbound, f"{where}/Meter")
    reason, word = unable_reason(wire.status, conventions) if outcome == "UNABLE" else (None, "")
    report = report_from_object(wire, names, conventions, where) or FieldReport()
    completion = Completion(
        order=named(names, conventions.names.work_order) or "",
        usage_point=usage_point,
        outcome=outcome,
        effective_at=_instant(wire, outcome, inbound, where),
        usage_point_name="" if usage_point else point_name,
        removed=removed,
        removed_at=_recorded(wire, REMOVED, conventions),
        final_readings=final,
        installed=installed,
        installed_at=_recorded(wire, INSTALLED, conventions),
        first_readings=first,
        multiplier_seen=report.multiplier_seen,
        comms_ok=report.comms_ok,
        unable_reason=reason,
        source_reason=word,
        installer=named(names, conventions.names.installer) or "",
        seal=report.seal,
        latitude=report.latitude,
        longitude=report.longitude,
        address=report.address,
        photos=report.photos,
        remarks=(wire.status.remark or "") if wire.status is not None else "",
        reported_at=report.reported_at,
    )
    aliases = tuple(one for found in (gone, come) if found for one in known_as(found, inbound.source))
    return (Said(completion, stated_of(completion), completion.effective_at, "", aliases),)


def object_from_result(one: Completion, outbound: Outbound) -> MeterServiceWork:
    """Return the MeterServiceWork that says a Completion.

    Raises:
        RejectedError: it has no usage point, or a reading cannot be said.
    """
    if not (one.usage_point or one.usage_point_name):
        raise RejectedError("a completion without usage point", code=codes.EXPORT_IMPOSSIBLE)
    conventions = outbound.conventions
    times = ((REMOVED, one.removed_at), (INSTALLED, one.installed_at), (RECORDS[one.outcome], one.effective_at))
    records = [
        ActivityRecord(created_date_time=said_at(at, conventions), type=kind) for kind, at in times if at is not None
    ]
    report = FieldReport(
        one.multiplier_seen, one.comms_ok, one.seal, one.latitude, one.longitude, one.address, one.photos,
        one.reported_at,
    )  # fmt: skip
    types = conventions.names
    own = names_from(((one.order, types.work_order), (one.installer, types.installer)))
    point = (one.usage_point, one.usage_point_name)
    final, first = (_readings(one, values) for values in (one.final_readings, one.first_readings))
    reason = one.source_reason or (REASON_WORDS[one.unable_reason] if one.unable_reason is not None else "")
    return MeterServiceWork(
        kind="meter",
        type="exchange",
        activity_records=(*records, *records_from_report(report, one.effective_at, conventions)),
        meter=work_meter(
            _named(one.installed), first, "installation", point, (*own, *names_from_report(report, types)), types
        ),
        old_meter=work_meter(_named(one.removed), final, "removal", point, (), types) if one.removed else None,
        status=Status(reason=reason or None, remark=one.remarks or None, value=WORDS[one.outcome]),
    )


def _meters(
    wire: MeterServiceWork, outcome: Outcome, conventions: MasterDataReading
) -> tuple[WorkMeter | None, WorkMeter | None]:
    """Return the meter that hangs there and the one that was to come; a model alone is no meter."""
    old = wire.old_meter if wire.old_meter is not None and is_named(wire.old_meter, conventions.names) else None
    new = wire.meter if is_named(wire.meter, conventions.names) else None
    # Who could not exchange a meter and names one alone names the one at which it stood.
    return (new, None) if outcome == "UNABLE" and old is None else (old, new)


def _seen(
    wire: WorkMeter | None, reason: Reason, usage_point: str, inbound: Inbound, where: str
) -> tuple[MeterSeen | None, tuple[RegisterValue, ...], MeterIdentity | None]:
    """Return a meter as it was seen, its values, and what it is."""
    if wire is None:
        return None, (), None
    found = identity_of(wire, inbound, where)
    readings = readings_of(wire, reason, usage_point, found.meter, inbound, where)
    values = tuple(RegisterValue("", one.value, one.reading_type) for one in readings)
    return MeterSeen(found.serial, found.manufacturer, found.meter), values, found


def _instant(wire: MeterServiceWork, outcome: Outcome, inbound: Inbound, where: str) -> datetime:
    """Return when it was: its ActivityRecord, else the state or the last change of the work."""
    state = wire.status.date_time if wire.status is not None else None
    candidates = (recorded(wire, RECORDS[outcome]), state, wire.last_modified_date_time)
    found = next((one for one in candidates if one is not None), None)
    if found is None:
        raise RejectedError("no instant of the work", code=identity.LINKAGE_TIME_MISSING, where=where)
    return on_grid(found, inbound.conventions)


def _recorded(wire: MeterServiceWork, kind: str, conventions: MasterDataReading) -> datetime | None:
    found = recorded(wire, kind)
    return on_grid(found, conventions) if found is not None else None


def _named(meter: MeterSeen | None) -> tuple[str, str, str]:
    return (meter.meter, meter.manufacturer, meter.serial) if meter is not None else ("", "", "")


def _readings(one: Completion, values: Iterable[RegisterValue]) -> tuple[RegisterReading, ...]:
    """Return values as readings of the instant at which the meters changed."""
    at = one.installed_at or one.removed_at or one.effective_at
    return tuple(
        RegisterReading("", "", value.reading_type, at, value.value, Quality.VALIDATED, "", "") for value in values
    )
