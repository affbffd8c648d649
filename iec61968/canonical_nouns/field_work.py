"""What a MeterServiceWork says of work in the field beside its meters: its state, why not, and what the crew saw.

The profile has elements for none of it but the state, so it stands where there is room (docs/adapters/wams.md): the
state in `status`, the communication test in an ActivityRecord, the rest in Names of the work's first meter.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.field_reports import FieldReport
from canonical.rollout import UnableReason
from iec61968.canonical_nouns.conventions import MasterDataReading, NameTypes, WorkState
from iec61968.canonical_nouns.identities import name_of, named, type_of
from iec61968.canonical_nouns.instants import on_grid, said_at
from iec61968.nouns.elements import ActivityRecord, Name, Status
from iec61968.nouns.meter_service_requests import MeterServiceWork
from iec61968.nouns.scalars import decimal_parts

COMMUNICATION_TEST, REPORTED = "communicationTest", "reported"
"""Types of ActivityRecords."""

PASSED, FAILED = "passed", "failed"

STATES: Mapping[str, WorkState] = {
    **dict.fromkeys(("completed", "complete", "done", "closed", "installed", "removed"), "done"),
    **dict.fromkeys(("unable", "unabletocomplete", "notcompleted", "aborted"), "unable"),
    **dict.fromkeys(("reversed", "undone", "putback"), "reversed"),
    **dict.fromkeys(("planned", "scheduled", "assigned", "dispatched", "enroute", "onsite", "inprogress"), "waiting"),
}
"""What `status/value` means, in lower case without anything but letters; other words say nothing."""

REASONS: Mapping[str, UnableReason] = {
    "noaccess": "NO_ACCESS", "refused": "REFUSED", "customerrefused": "REFUSED", "unsafe": "UNSAFE",
    "wrongmeter": "WRONG_METER", "nometer": "NO_METER", "meternotfound": "NO_METER", "roomlocked": "ROOM_LOCKED",
    "nospace": "NO_SPACE", "other": "OTHER",
}  # fmt: skip
"""What `status/reason` of work that could not be done means, likewise; other words are OTHER."""

REASON_WORDS: Mapping[UnableReason, str] = {
    "NO_ACCESS": "noAccess", "REFUSED": "refused", "UNSAFE": "unsafe", "WRONG_METER": "wrongMeter",
    "NO_METER": "noMeter", "ROOM_LOCKED": "roomLocked", "NO_SPACE": "noSpace", "OTHER": "other",
}  # fmt: skip
"""The word that is written where the source's own is not known."""


def state_of(wire: MeterServiceWork, conventions: MasterDataReading) -> WorkState:
    """Return what became of a work; what does not say is done, for it tells when."""
    word = (wire.status.value or "") if wire.status is not None else ""
    return conventions.work_states.get(word) or STATES.get(_letters(word), "done")


def unable_reason(status: Status | None, conventions: MasterDataReading) -> tuple[UnableReason, str]:
    """Return why a work could not be done, and the source's own word for it."""
    word = (status.reason or "") if status is not None else ""
    return conventions.unable_reasons.get(word) or REASONS.get(_letters(word), "OTHER"), word


def report_from_object(
    wire: MeterServiceWork, names: Sequence[Name], conventions: MasterDataReading, where: str
) -> FieldReport | None:
    """Return what the crew told beside; None where it told nothing. `names` are those of the work's meters.

    Raises:
        RejectedError: a number or the result of the test cannot be read (BAD_XML_VALUE).
    """
    types = conventions.names

    def number(kind: str) -> Decimal | None:
        return _number(named(names, kind), kind, where)

    reported = next((one.created_date_time for one in wire.activity_records if one.type == REPORTED), None)
    found = FieldReport(
        multiplier_seen=number(types.multiplier_seen),
        comms_ok=_test(wire, where),
        seal=named(names, types.seal) or "",
        latitude=number(types.latitude),
        longitude=number(types.longitude),
        address=named(names, types.work_address) or "",
        photos=tuple(dict.fromkeys(one.name for one in names if type_of(one).lower() == types.photo.lower())),
        reported_at=on_grid(reported, conventions) if reported is not None else None,
    )
    return found if found != FieldReport() else None


def names_from_report(report: FieldReport, types: NameTypes) -> tuple[Name, ...]:
    """Return the Names that say what a crew told beside."""
    texts = (
        (_text(report.multiplier_seen), types.multiplier_seen),
        (report.seal, types.seal),
        (_text(report.latitude), types.latitude),
        (_text(report.longitude), types.longitude),
        (report.address, types.work_address),
        *((photo, types.photo) for photo in report.photos),
    )
    return tuple(name_of(text, kind) for text, kind in texts if text)


def records_from_report(
    report: FieldReport, at: datetime, conventions: MasterDataReading
) -> tuple[ActivityRecord, ...]:
    """Return the ActivityRecords that say what a crew told beside; the test was made `at`."""
    found = []
    if report.comms_ok is not None:
        result = Status(value=PASSED if report.comms_ok else FAILED)
        found.append(ActivityRecord(created_date_time=said_at(at, conventions), type=COMMUNICATION_TEST, status=result))
    if report.reported_at is not None:
        found.append(ActivityRecord(created_date_time=said_at(report.reported_at, conventions), type=REPORTED))
    return tuple(found)


def _test(wire: MeterServiceWork, where: str) -> bool | None:
    """Return whether the communication test passed, None where none is told."""
    for one in wire.activity_records:
        if one.type == COMMUNICATION_TEST:
            word = ((one.status.value if one.status is not None else one.reason) or "").lower()
            if word not in (PASSED, FAILED):
                raise RejectedError(f"communication test {word!r}", code=codes.BAD_XML_VALUE, where=where)
            return word == PASSED
    return None


def _number(text: str | None, kind: str, where: str) -> Decimal | None:
    """Return the number that a Name states."""
    if not text:
        return None
    try:
        decimal_parts(text)
    except ValueError as error:
        raise RejectedError(f"{kind} {text[:60]!r} is no number", code=codes.BAD_XML_VALUE, where=where) from error
    return Decimal(text.strip())


def _text(number: Decimal | None) -> str:
    return format(number, "f") if number is not None else ""


def _letters(word: str) -> str:
    return re.sub(r"[^a-z]", "", word.lower())
