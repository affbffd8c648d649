"""Meters of a manufacturer's shipment as systems are told of them: ShippedMeter to MeterConfig and ComModuleConfig.

Each meter has a function that bears its registers and names its configuration (`configID`), and one for its module.
Keys never go in clear: where they are kept goes as a Name, the wrapped ones where the partner's settings ask for them.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.ids import meter_mrid, mint
from canonical.rollout import ShippedMeter
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.identities import identified, meter_names, name_of
from iec61968.canonical_nouns.registers import object_from_register
from iec61968.canonical_nouns.saying import Outbound
from iec61968.canonical_nouns.work_parts import names_from
from iec61968.nouns import kinds, meter_config
from iec61968.nouns.com_module_config import ComModule, ComModuleConfig
from iec61968.nouns.device_functions import (
    ComFunction,
    ComFunctionReference,
    EndDeviceInfo,
    ProductAssetModel,
    SimpleEndDeviceFunctionReference,
)
from iec61968.nouns.elements import Identified, LifecycleDate, Name, Status
from iec61968.nouns.meter_config import Meter, MeterConfig, MeterMultiplier, SimpleEndDeviceFunction

IN_STOCK = "In stock"
"""Status of a meter that has come and hangs nowhere."""

TECHNOLOGIES: dict[str, kinds.ComTechnologyKind] = {
    **{"RF_MESH": "rfMesh", "PLC": "plc", "ZIGBEE": "zigbee", "ETHERNET": "ethernet", "PHONE": "phone"},
    **dict.fromkeys(("NBIOT", "NB_IOT", "LTE", "LTE_M", "GPRS", "CELLULAR"), "cellular"),
    **dict.fromkeys(("RF", "WMBUS", "LORA"), "rf"),
}
"""Technology of a module by our word; others are said by the Name `moduleKind` alone."""

_FUNCTIONS: dict[str, kinds.EndDeviceFunctionKind] = {
    "ELECTRICITY": "electricMetering", "GAS": "gasMetering", "WATER": "waterMetering",
}  # fmt: skip


def noun_from_shipped(shipped: Sequence[ShippedMeter], outbound: Outbound, received: date) -> MeterConfig:
    """Return the message that tells of meters that came on a local day.

    Whether a meter may be told of at all, its lot having failed a test, is not decided here.
    """
    return MeterConfig(
        com_function=tuple(_com_function(one, outbound.conventions) for one in shipped if one.module),
        meter=tuple(_meter(one, outbound, received) for one in shipped),
        simple_end_device_function=tuple(_function(one, outbound.conventions) for one in shipped),
    )


def noun_from_modules(shipped: Sequence[ShippedMeter], outbound: Outbound, received: date) -> ComModuleConfig:
    """Return the message that tells of the communication modules of meters.

    Raises:
        RejectedError: none of them has one (EXPORT_IMPOSSIBLE).
    """
    found = tuple(_module(one, outbound, received) for one in shipped if one.module)
    if not found:
        raise RejectedError("no meter has a module", code=codes.EXPORT_IMPOSSIBLE, where="ComModuleConfig")
    return ComModuleConfig(com_module=found)


def _meter(one: ShippedMeter, outbound: Outbound, received: date) -> Meter:
    """Return a meter with references to its functions."""
    types = outbound.conventions.names
    maker = identified(one.manufacturer, "manufacturer")
    model = ProductAssetModel(
        model_number=one.model or None,
        model_version=one.firmware or None,
        manufacturer=Identified(mrid=maker[0], names=maker[1]),
    )
    module = (ComFunctionReference(ref=_id("com", one)),) if one.module else ()
    ratio = MeterMultiplier(kind="transformerRatio", value=one.multiplier)
    return Meter(
        mrid=meter_mrid(one.manufacturer, one.serial),
        lot_number=one.lot or None,
        serial_number=one.serial,
        type=one.model or None,
        configuration_events=outbound.event(),
        functions=(SimpleEndDeviceFunctionReference(ref=_id("metering", one)), *module),
        end_device_info=EndDeviceInfo(asset_model=model),
        lifecycle=LifecycleDate(received_date=received),
        meter_multipliers=(ratio,) if one.multiplier != Decimal(1) else (),
        names=(*meter_names(one.manufacturer, one.serial, types), *_keys(one, outbound.conventions)),
        status=Status(value=IN_STOCK),
    )


def _keys(one: ShippedMeter, conventions: MasterDataReading) -> tuple[Name, ...]:
    """Return where its keys are kept, and the wrapped ones where the partner takes them."""
    found = names_from(((one.key_reference, conventions.names.key_reference),))
    if conventions.wrapped_keys and one.wrapped_key and one.wrapped_by:
        found = (*found, name_of(one.wrapped_key, conventions.names.wrapped_key, one.wrapped_by))
    return found


def _function(one: ShippedMeter, conventions: MasterDataReading) -> SimpleEndDeviceFunction:
    """Return the metering function: configuration and registers."""
    return meter_config.SimpleEndDeviceFunction(
        mrid=_id("metering", one),
        config_id=one.configuration or None,
        firmware_id=one.firmware or None,
        kind=_FUNCTIONS[one.commodity],
        registers=tuple(object_from_register(register, conventions) for register in one.registers),
    )


def _com_function(one: ShippedMeter, conventions: MasterDataReading) -> ComFunction:
    """Return the function of communicating: its module's serial and technology."""
    types = conventions.names
    return ComFunction(
        mrid=_id("com", one),
        amr_address=one.module,
        technology=TECHNOLOGIES.get(one.module_kind.upper().replace("-", "_")),
        names=names_from(((one.module, types.com_module), (one.module_kind, types.module_kind))),
    )


def _module(one: ShippedMeter, outbound: Outbound, received: date) -> ComModule:
    """Return a module, which a Name says belongs to its meter."""
    types = outbound.conventions.names
    names = names_from(((one.module, types.com_module), (one.module_kind, types.module_kind)))
    return ComModule(
        mrid=mint("com-module", one.manufacturer, one.module),
        lot_number=one.lot or None,
        serial_number=one.module,
        type=one.module_kind or None,
        configuration_events=outbound.event(),
        lifecycle=LifecycleDate(received_date=received),
        names=(*names, *meter_names(one.manufacturer, one.serial, types)),
        status=Status(value=IN_STOCK),
    )


def _id(kind: str, one: ShippedMeter) -> str:
    """Return the id of a function of a meter, by which the message refers to it."""
    return mint("meter-function", kind, meter_mrid(one.manufacturer, one.serial))
