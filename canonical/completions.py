"""What the field reports, from the master data as which it came: exchanges become completions, nothing is lost."""

from collections.abc import Iterable
from typing import Literal

from canonical.field_reports import FieldReport
from canonical.master_data import MasterData, Meter, MeterExchange
from canonical.messages import Message
from canonical.metering import RegisterReading
from canonical.rollout import Completion, MeterSeen, RegisterValue

_NOTHING = FieldReport()


def completions_from(message: Message[MasterData]) -> tuple[Completion, ...]:
    """Return the completions of a message of MeterServiceRequests, in its order; things of other kinds tell none.

    A `delete` says that the exchange never was: it takes it back (REVERSED), by the same key. Who told it and under
    which id stands in the message's header; what could not be understood is in `MasterData.refused`.
    """
    payload = message.payload
    outcome: Literal["DONE", "REVERSED"] = "REVERSED" if payload.verb == "delete" else "DONE"
    return tuple(
        completion_of(one, outcome) if isinstance(one, MeterExchange) else one
        for one in payload.things
        if isinstance(one, MeterExchange | Completion)
    )


def completion_of(one: MeterExchange, outcome: Literal["DONE", "REVERSED"] = "DONE") -> Completion:
    """Return what the field reports by an exchange.

    The multiplier seen is the one that is said to be seen, else that of the installed meter unless it is 1: nobody
    states that one.
    """
    report = one.report or _NOTHING
    installed = one.installed
    implied = installed.multiplier if installed is not None and installed.multiplier != 1 else None
    return Completion(
        order=one.order,
        usage_point=one.usage_point,
        outcome=outcome,
        effective_at=one.installed_at if installed is not None else one.removed_at,
        usage_point_name=one.usage_point_name,
        removed=_seen(one.removed),
        removed_at=one.removed_at if one.removed is not None else None,
        final_readings=_values(one.final_readings),
        installed=_seen(installed),
        installed_at=one.installed_at if installed is not None else None,
        first_readings=_values(one.first_readings),
        multiplier_seen=report.multiplier_seen if report.multiplier_seen is not None else implied,
        comms_ok=report.comms_ok,
        installer=one.installer,
        seal=report.seal,
        latitude=report.latitude,
        longitude=report.longitude,
        address=report.address,
        photos=report.photos,
        remarks=one.remarks,
        reported_at=report.reported_at,
    )


def _seen(meter: Meter | None) -> MeterSeen | None:
    return MeterSeen(meter.serial, meter.manufacturer, meter.meter) if meter is not None else None


def _values(readings: Iterable[RegisterReading]) -> tuple[RegisterValue, ...]:
    return tuple(RegisterValue("", one.value, one.reading_type) for one in readings)
