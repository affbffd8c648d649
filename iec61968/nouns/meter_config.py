"""MeterConfig (IEC 61968-9:2013): meters as they are set up."""

from datetime import datetime
from decimal import Decimal

from iec61968.nouns import kinds
from iec61968.nouns.device_functions import (
    ComFunction,
    ConnectDisconnectFunction,
    EndDeviceInfo,
    FunctionReference,
    Register,
)
from iec61968.nouns.elements import (
    ActivityRecord,
    ConfigurationEvent,
    ElectronicAddress,
    LifecycleDate,
    Name,
    ReadingType,
    Status,
)
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class MeterMultiplier:
    """A ratio of a meter."""

    mrid: str | None = None
    kind: kinds.MeterMultiplierKind | None = None
    value: Decimal | None = None
    names: tuple[Name, ...] = ()


@part
class Seal:
    """A seal on a meter."""

    mrid: str | None = None
    applied_date_time: datetime | None = None
    condition: kinds.SealConditionKind | None = None
    kind: kinds.SealKind | None = None
    seal_number: str | None = None
    names: tuple[Name, ...] = ()


@part
class Meter:
    """A meter."""

    mrid: str | None = None
    amr_system: str | None = None
    form_number: str | None = None
    initial_condition: str | None = None
    initial_loss_of_life: kinds.PerCent | None = None
    is_virtual: bool | None = None
    lot_number: str | None = None
    purchase_price: kinds.Money | None = None
    serial_number: str | None = None
    time_zone_offset: kinds.Minutes | None = None
    type: str | None = None
    utc_number: str | None = None
    activity_records: tuple[ActivityRecord, ...] = ()
    configuration_events: ConfigurationEvent | None = None
    electronic_address: ElectronicAddress | None = None
    functions: tuple[FunctionReference, ...] = ()
    end_device_info: EndDeviceInfo | None = None
    lifecycle: LifecycleDate | None = None
    meter_multipliers: tuple[MeterMultiplier, ...] = ()
    names: tuple[Name, ...] = ()
    seals: tuple[Seal, ...] = ()
    status: Status | None = None


@part
class Zone:
    """A zone that a function is for."""

    zone_name: str | None = None
    zone_type: str | None = None


@part
class Zones:
    """The zones of a function."""

    zone: tuple[Zone, ...] = ()


@part
class SimpleEndDeviceFunction:
    """A function such as metrology."""

    mrid: str | None = None
    config_id: str | None = None
    enabled: bool | None = None
    firmware_id: str | None = None
    hardware_id: str | None = None
    kind: kinds.EndDeviceFunctionKind | None = None
    password: str | None = None
    program_id: str | None = None
    names: tuple[Name, ...] = ()
    registers: tuple[Register, ...] = ()
    zones: Zones | None = None


@part
class MeterConfig:
    """Meters, and the functions and reading types that they refer to."""

    com_function: tuple[ComFunction, ...] = ()
    connect_disconnect_function: tuple[ConnectDisconnectFunction, ...] = ()
    meter: tuple[Meter, ...] = ()
    reading_type: tuple[ReadingType, ...] = ()
    simple_end_device_function: tuple[SimpleEndDeviceFunction, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(MeterConfig)
