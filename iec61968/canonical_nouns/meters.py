"""Meters and how they are configured: an object of MeterConfig to canonical words and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod
from typing import Any, cast

from canonical.codes import identity as codes
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.master_data import KnownAs, Meter
from canonical.metering import Register
from canonical.names import Name as ForeignName
from canonical.reading_types import Commodity, reading_type_from_text
from iec61968.canonical_nouns.identities import MeterIdentity, identified, meter_identity, meter_names
from iec61968.canonical_nouns.registers import (
    ReadingTypes,
    object_from_register,
    register_from_object,
)
from iec61968.canonical_nouns.saying import Inbound, Outbound, Said, Told, filled
from iec61968.nouns import kinds, meter_config
from iec61968.nouns.device_functions import (
    EndDeviceInfo,
    ProductAssetModel,
    SimpleEndDeviceFunctionReference,
)
from iec61968.nouns.elements import Identified, Status

_FUNCTION_KINDS: dict[str, Commodity] = {
    "electricMetering": "ELECTRICITY",
    "gasMetering": "GAS",
    "waterMetering": "WATER",
}
_KIND_OF = {commodity: kind for kind, commodity in _FUNCTION_KINDS.items()}
_RATIO = "transformerRatio"
_CURRENT, _POTENTIAL = "ctRatio", "ptRatio"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a MeterConfig says beside its meters, for their references."""

    functions: tuple[meter_config.SimpleEndDeviceFunction, ...] = ()
    reading_types: ReadingTypes | None = None
    is_alone: bool = True
    """Whether the message has one meter, to which functions without a reference belong."""


def meter_from_object(wire: meter_config.Meter, around: Surroundings, inbound: Inbound, where: str) -> tuple[Said, ...]:
    """Return the meter with its registers; an mRID of the sender's own beside minted ones is told as such.

    Raises:
        RejectedError: nothing names it, its serial is mangled, its multipliers contradict each other, a register
            has no reading type, or its instant cannot be told.
    """
    identity = identity_from_object(wire, inbound, where)
    functions = _functions_of(wire, around)
    registers = _registers(functions, around, inbound, where)
    model = _model(wire)
    thing, stated = filled(
        Meter,
        {
            **{"manufacturer": "", "serial": "", "multiplier": Decimal(1)},
            "commodity": inbound.conventions.commodity,
        },
        {
            "meter": identity.meter,
            "manufacturer": identity.manufacturer or None,
            "serial": identity.serial or None,
            "commodity": _commodity(wire, functions, registers),
            "multiplier": _multiplier(wire, inbound, where),
            "registers": registers or None,
            "model": model.model_number,
            "firmware": model.model_version,
            "status": wire.status.value if wire.status is not None else None,
        },
    )
    event = wire.configuration_events
    at = inbound.at(event, where=where)
    reason = (event.reason or "") if event is not None else ""
    return (Said(thing, stated, at, reason, known_as(identity, inbound.source)),)


def identity_from_object(wire: meter_config.Meter, inbound: Inbound, where: str) -> MeterIdentity:
    """Return what a meter is; its manufacturer is that of its asset model, else the authority of its serial.

    Raises:
        RejectedError: nothing names it, or its serial is mangled.
    """
    maker = _model(wire).manufacturer
    own = (maker.names[0].name if maker.names else maker.mrid or "") if maker is not None else ""
    return meter_identity(
        wire.mrid,
        wire.names,
        inbound.conventions,
        serial=wire.serial_number or "",
        manufacturer=own,
        where=where,
    )


def known_as(identity: MeterIdentity, source: str) -> tuple[KnownAs, ...]:
    """Return the sender's own mRID of a meter, where it has one."""
    if not identity.sender_mrid:
        return ()
    return (KnownAs(identity.meter, "Meter", ForeignName(source, identity.sender_mrid)),)


def objects_from_meter(
    told: Told, outbound: Outbound, number: int
) -> tuple[meter_config.Meter, tuple[meter_config.SimpleEndDeviceFunction, ...]]:
    """Return the MeterConfig object that says this of a meter, and the function that bears its registers.

    `number` is the meter's place in the message; the function is known by it there, and nowhere else.
    """
    thing, conventions = told.thing, outbound.conventions
    says_kind, says_registers = told.has("commodity"), told.has("registers")
    function_id = mint("meter-function", thing.meter, thing.serial, number)
    function = meter_config.SimpleEndDeviceFunction(
        mrid=function_id,
        kind=cast("kinds.EndDeviceFunctionKind", _KIND_OF[thing.commodity]) if says_kind else None,
        registers=tuple(object_from_register(one, conventions) for one in thing.registers) if says_registers else (),
    )
    has_function = says_kind or (says_registers and thing.registers)
    status = told.text("status")
    meter = meter_config.Meter(
        mrid=thing.meter or None,
        serial_number=thing.serial or None,
        configuration_events=outbound.event(thing.valid_from),
        functions=(SimpleEndDeviceFunctionReference(ref=function_id),) if has_function else (),
        end_device_info=_info(told),
        meter_multipliers=_multipliers(told),
        names=meter_names(thing.manufacturer, thing.serial, conventions.names),
        status=Status(value=status) if status is not None else None,
    )
    return meter, (function,) if has_function else ()


def _model(wire: meter_config.Meter) -> ProductAssetModel:
    info = wire.end_device_info
    return (info.asset_model if info is not None else None) or ProductAssetModel()


def _info(told: Told) -> EndDeviceInfo | None:
    """Return the asset model: manufacturer, model and firmware (modelVersion)."""
    thing = told.thing
    maker = identified(thing.manufacturer, "manufacturer") if thing.manufacturer else None
    model = ProductAssetModel(
        model_number=told.text("model"),
        model_version=told.text("firmware"),
        manufacturer=Identified(mrid=maker[0], names=maker[1]) if maker is not None else None,
    )
    return EndDeviceInfo(asset_model=model) if model != ProductAssetModel() else None


def _functions_of(wire: meter_config.Meter, around: Surroundings) -> tuple[meter_config.SimpleEndDeviceFunction, ...]:
    """Return the functions of a meter; one that only names a configuration of its own system is not in the message."""
    refs = {one.ref for one in wire.functions if isinstance(one, SimpleEndDeviceFunctionReference)}
    if not refs:
        return around.functions if around.is_alone else ()
    return tuple(
        one for one in around.functions if refs & {one.mrid, one.config_id, *(name.name for name in one.names)}
    )


def _registers(
    functions: Sequence[meter_config.SimpleEndDeviceFunction], around: Surroundings, inbound: Inbound, where: str
) -> tuple[Register, ...]:
    """Return the registers of a meter's functions, in order."""
    found = [one for function in functions for one in function.registers]
    return tuple(
        register_from_object(one, n, around.reading_types or {}, inbound.conventions, f"{where}/Registers[{n}]")
        for n, one in enumerate(found, 1)
    )


def _commodity(
    wire: meter_config.Meter,
    functions: Sequence[meter_config.SimpleEndDeviceFunction],
    registers: Sequence[Register],
) -> Commodity | None:
    """Return what is measured: by a function's kind, the device's capability, else the first register's type."""
    for function in functions:
        if function.kind in _FUNCTION_KINDS:
            return _FUNCTION_KINDS[function.kind]
    capability = wire.end_device_info.capability if wire.end_device_info is not None else None
    if capability is not None:
        flags: tuple[tuple[bool | None, Commodity], ...] = (
            (capability.electric_metering, "ELECTRICITY"),
            (capability.gas_metering, "GAS"),
            (capability.water_metering, "WATER"),
        )
        for flag, commodity in flags:
            if flag:
                return commodity
    return reading_type_from_text(registers[0].reading_type).commodity if registers else None


def _multiplier(wire: meter_config.Meter, inbound: Inbound, where: str) -> Decimal | None:
    """Return the product of a meter's ratios; None where it states none that counts."""
    wanted: dict[str, Any] = {}
    for one in wire.meter_multipliers:
        if one.kind is None or one.kind not in (*inbound.conventions.multiplier_kinds, _RATIO):
            continue
        value = one.value if one.value is not None else Decimal(1)
        if one.kind in wanted or not value.is_finite() or value <= 0:
            raise RejectedError(f"{one.kind} {value}", code=codes.MULTIPLIER_UNCLEAR, where=where)
        wanted[one.kind] = value
    if not wanted:
        return None
    whole = wanted.pop(_RATIO, None)
    parts = [wanted.pop(kind, None) for kind in (_CURRENT, _POTENTIAL)]
    product: Decimal = prod((part for part in parts if part is not None), start=Decimal(1))
    if whole is not None and any(parts) and whole != product:
        raise RejectedError(f"{_RATIO} {whole} is not {product}", code=codes.MULTIPLIER_UNCLEAR, where=where)
    return Decimal(prod(wanted.values(), start=whole if whole is not None else product))


def _multipliers(told: Told) -> tuple[meter_config.MeterMultiplier, ...]:
    """Return the multiplier as one ratio."""
    if not told.has("multiplier"):
        return ()
    return (meter_config.MeterMultiplier(kind="transformerRatio", value=told.thing.multiplier),)
