"""MeterServiceRequests (IEC 61968-9:2013, early draft's structure): work at meters, exchanges among it."""

from datetime import datetime

from iec61968.nouns import kinds
from iec61968.nouns.elements import ActivityRecord, Identified, Name, ReadingQualityType, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair
from iec61968.nouns.whole_meter_readings import MeterReading


@part
class Customer:
    """Who is served."""

    mrid: str | None = None
    kind: kinds.CustomerKind | None = None
    puc_number: str | None = None
    special_need: str | None = None
    vip: bool | None = None
    customer_agreements: tuple[Identified, ...] = ()
    names: tuple[Name, ...] = ()
    status: Status | None = None


@part
class WorkMeter:
    """A meter that is worked at, with its last or first readings."""

    mrid: str | None = None
    amr_system: str | None = None
    form_number: str | None = None
    serial_number: str | None = None
    meter_readings: tuple[MeterReading, ...] = ()
    names: tuple[Name, ...] = ()


@part
class WorkLocation:
    """How the place is reached."""

    access_method: str | None = None
    needs_inspection: bool | None = None
    site_access_problem: str | None = None


@part
class WorkUsagePoint:
    """Where the work is done."""

    check_billing: bool | None = None
    grounded: bool | None = None
    is_virtual: bool | None = None
    nominal_service_voltage: kinds.Voltage | None = None
    phase_code: kinds.PhaseCode | None = None
    rated_current: kinds.CurrentFlow | None = None
    rated_power: kinds.ActivePower | None = None
    service_delivery_remark: str | None = None
    service_priority: str | None = None
    service_location: WorkLocation | None = None


@part
class MeterServiceWork:
    """One piece of work; with an old meter it is an exchange."""

    kind: kinds.WorkKind | None = None
    last_modified_date_time: datetime | None = None
    priority: str | None = None
    request_date_time: datetime | None = None
    type: str | None = None
    activity_records: tuple[ActivityRecord, ...] = ()
    customers: tuple[Customer, ...] = ()
    meter: WorkMeter
    old_meter: WorkMeter | None = None
    status: Status | None = None
    usage_point: WorkUsagePoint | None = None


@part
class MeterServiceRequests:
    """Work at meters."""

    meter_service_work: tuple[MeterServiceWork, ...] = ()
    reading_quality_type: tuple[ReadingQualityType, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(MeterServiceRequests)
