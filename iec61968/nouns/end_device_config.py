"""EndDeviceConfig (IEC 61968-9:2013): devices other than meters as they are set up."""

from datetime import datetime

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
class Seal:
    """A seal on a device."""

    applied_date_time: datetime | None = None
    condition: kinds.SealConditionKind | None = None
    kind: kinds.SealKind | None = None
    seal_number: str


@part
class EndDevice:
    """A device."""

    mrid: str | None = None
    amr_system: str | None = None
    initial_condition: str | None = None
    initial_loss_of_life: kinds.PerCent | None = None
    install_code: str | None = None
    is_pan: bool | None = None
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
    names: tuple[Name, ...] = ()
    seals: tuple[Seal, ...] = ()
    status: Status | None = None


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


@part
class EndDeviceConfig:
    """Devices, and the functions and reading types that they refer to."""

    com_function: tuple[ComFunction, ...] = ()
    connect_disconnect_function: tuple[ConnectDisconnectFunction, ...] = ()
    end_device: tuple[EndDevice, ...] = ()
    reading_type: tuple[ReadingType, ...] = ()
    simple_end_device_function: tuple[SimpleEndDeviceFunction, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(EndDeviceConfig)
