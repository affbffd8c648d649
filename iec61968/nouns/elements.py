"""Classes that several profiles share, each element by element in document order (IEC 61968-9:2013)."""

from datetime import date, datetime

from iec61968.nouns import kinds
from iec61968.nouns.shape import Attribute, compound, part


@part
class NameTypeAuthority:
    """Who gives a type of names."""

    description: str | None = None
    name: str


@part
class NameType:
    """What kind of name it is."""

    description: str | None = None
    name: str
    name_type_authority: NameTypeAuthority | None = None


@part
class Name:
    """A name that something has somewhere, such as a serial number."""

    name: str
    name_type: NameType | None = None


@part
class Identified:
    """A thing by its mRID or names, and nothing else of it."""

    mrid: str | None = None
    names: tuple[Name, ...] = ()


@part
class Reference:
    """A thing elsewhere in the message, or a code: by attribute."""

    ref: Attribute = None


@compound
class Status:
    """A state, and since when."""

    date_time: datetime | None = None
    reason: str | None = None
    remark: str | None = None
    value: str | None = None


@compound
class DateTimeInterval:
    """A span of time; its end stands first."""

    end: datetime | None = None
    start: datetime | None = None


@compound
class RationalNumber:
    """A fraction."""

    denominator: int
    numerator: int


@compound
class ElectronicAddress:
    """How something is reached."""

    email1: str | None = None
    email2: str | None = None
    lan: str | None = None
    mac: str | None = None
    password: str | None = None
    radio: str | None = None
    user_id: str | None = None
    web: str | None = None


@part
class ConfigurationEvent:
    """When, by whom and why something was set up or changed."""

    mrid: str | None = None
    created_date_time: datetime | None = None
    effective_date_time: datetime | None = None
    modified_by: str | None = None
    reason: str | None = None
    remark: str | None = None
    severity: str | None = None
    type: str | None = None
    names: tuple[Name, ...] = ()
    status: Status | None = None


@part
class ActivityRecord:
    """What happened to an asset."""

    created_date_time: datetime | None = None
    reason: str | None = None
    severity: str | None = None
    type: str | None = None
    status: Status | None = None


@part
class ReadingType:
    """What a reading measures, in the eighteen attributes of its code; a name bears the code itself."""

    mrid: str | None = None
    accumulation: str | None = None
    aggregate: str | None = None
    commodity: str | None = None
    consumption_tier: int | None = None
    cpp: int | None = None
    currency: str | None = None
    flow_direction: str | None = None
    macro_period: str | None = None
    measurement_kind: str | None = None
    measuring_period: str | None = None
    multiplier: str | None = None
    phases: str | None = None
    tou: int | None = None
    unit: str | None = None
    argument: RationalNumber | None = None
    interharmonic: RationalNumber | None = None
    names: tuple[Name, ...]


@part
class ReadingQualityType:
    """What a reading's quality says."""

    mrid: str | None = None
    category: str | None = None
    sub_category: str | None = None
    system_id: str | None = None
    names: tuple[Name, ...]


@part
class EndDeviceEventDetail:
    """One more thing that an event says."""

    name: str
    value: kinds.StringQuantity | None = None


@part
class EndDeviceEvent:
    """What happened at a device; its type bears the code, though some senders put it in the mRID."""

    mrid: str | None = None
    created_date_time: datetime
    issuer_id: str | None = None
    issuer_tracking_id: str | None = None
    reason: str | None = None
    severity: str | None = None
    user_id: str | None = None
    assets: Identified | None = None
    end_device_event_details: tuple[EndDeviceEventDetail, ...] = ()
    end_device_event_type: Reference
    names: tuple[Name, ...] = ()
    status: Status | None = None
    usage_point: Identified | None = None


@part
class EndDeviceEventType:
    """A code of events, taken apart."""

    mrid: str | None = None
    domain: str | None = None
    event_or_action: str | None = None
    sub_domain: str | None = None
    type: str | None = None
    names: tuple[Name, ...]


@part
class CustomerReference:
    """A customer by mRID, kind or names."""

    mrid: str | None = None
    kind: kinds.CustomerKind | None = None
    names: tuple[Name, ...] = ()


@part
class ServiceCategoryReference:
    """A kind of service."""

    mrid: str | None = None
    kind: kinds.ServiceKind | None = None
    names: tuple[Name, ...] = ()


@part
class TimeSchedule:
    """A span that is asked for."""

    schedule_interval: DateTimeInterval


@compound
class LifecycleDate:
    """Days in the life of an asset."""

    installation_date: date | None = None
    manufactured_date: date | None = None
    purchase_date: date | None = None
    received_date: date | None = None
    removal_date: date | None = None
    retired_date: date | None = None
