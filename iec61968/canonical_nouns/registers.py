"""Registers of meters: Register and Channel of a SimpleEndDeviceFunction to canonical words and back."""

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.metering import Register
from canonical.reading_types import ReadingType, reading_type_from_text
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.identities import name_of, named, object_id
from iec61968.dialects.reading_types import reading_type_code
from iec61968.nouns.device_functions import Channel
from iec61968.nouns.device_functions import Register as Wire
from iec61968.nouns.elements import Name, Reference
from iec61968.nouns.elements import ReadingType as WireReadingType

UNITS = {
    (3, 72): "kWh",
    (0, 72): "Wh",
    (6, 72): "MWh",
    (3, 38): "kW",
    (0, 38): "W",
    (3, 73): "kvarh",
    (3, 63): "kvar",
    (3, 71): "kVAh",
    (3, 61): "kVA",
    (0, 42): "m3",
    (0, 134): "l",
    (0, 119): "ft3",
    (0, 169): "therm",
}
"""Unit by power of ten and unit number of a reading type."""

ReadingTypes = dict[str, str]
"""Code of a reading type by what refers to it inside the message."""


def reading_types_of(found: tuple[WireReadingType, ...]) -> ReadingTypes:
    """Return the codes that a message's own ReadingTypes bear, by mRID and by name."""
    codes_of: ReadingTypes = {}
    for one in found:
        own = [one.mrid, *(name.name for name in one.names)]
        code = next((text for text in own if text and reading_type_code(text) == text), None)
        if code is not None:
            codes_of.update((text, code) for text in own if text)
    return codes_of


def unit_of(kind: ReadingType) -> str:
    """Return the unit of a reading type's values; for one without a name here, its power of ten and number."""
    key = (kind.power_of_ten, kind.fields[16])
    return UNITS.get(key, f"10^{key[0]} unit {key[1]}")


def bucket_of(kind: ReadingType, conventions: MasterDataReading) -> str:
    """Return the TOU bucket of a reading type's tier; empty for the total."""
    return conventions.tou_buckets.get(str(kind.tou), f"T{kind.tou}") if kind.tou else ""


def register_from_object(
    wire: Wire, number: int, types: ReadingTypes, conventions: MasterDataReading, where: str
) -> Register:
    """Return a register with what its reading type implies; one without an id is `R` and its number.

    Raises:
        RejectedError: not exactly one channel with a reading type that can be told.
    """
    refs = [one.reading_type.ref for one in wire.channels if one.reading_type is not None and one.reading_type.ref]
    if len(refs) != 1:
        raise RejectedError(f"{len(refs)} reading types", code=codes.BAD_XML_VALUE, where=f"{where}/Channels")
    code = reading_type_code(str(refs[0]), aliases=types)
    if code is None:
        raise RejectedError(f"reading type {refs[0]!r}", code=codes.BAD_XML_VALUE, where=f"{where}/Channels")
    kind = reading_type_from_text(code)
    if min(wire.left_digit_count or 0, wire.right_digit_count or 0) < 0:
        raise RejectedError("fewer digits than none", code=codes.BAD_XML_VALUE, where=where)
    named_unit = named(wire.names, conventions.names.unit)
    names: list[Name] = [name for name in wire.names if name.name != named_unit]
    is_known = bool(wire.mrid or names)
    own = conventions.names.register
    return Register(
        register=object_id(wire.mrid, names, own, where=where) if is_known else f"R{number}",
        reading_type=code,
        unit=named_unit or unit_of(kind),
        flow=kind.flow,
        dials=wire.left_digit_count or 0,
        decimals=wire.right_digit_count or 0,
        tou_bucket=bucket_of(kind, conventions) if wire.tou_tier_name is None else wire.tou_tier_name,
        interval_minutes=kind.interval_minutes if kind.is_interval else 0,
        is_demand=kind.is_demand,
    )


def object_from_register(register: Register, conventions: MasterDataReading) -> Wire:
    """Return a register as the profile has it; its unit only where its reading type means another."""
    names = [name_of(register.register, conventions.names.register)]
    kind = reading_type_from_text(register.reading_type)
    if register.unit != unit_of(kind):
        names.append(name_of(register.unit, conventions.names.unit))
    tier = register.tou_bucket if register.tou_bucket != bucket_of(kind, conventions) else register.tou_bucket or None
    return Wire(
        left_digit_count=register.dials,
        right_digit_count=register.decimals,
        tou_tier_name=tier,
        channels=(Channel(reading_type=Reference(ref=register.reading_type)),),
        names=tuple(names),
    )
