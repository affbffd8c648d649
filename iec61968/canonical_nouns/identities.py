"""What a thing is: mRID first, then Names by their NameType; a meter by manufacturer and serial (domain 0.2)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import fields as fields_of

from canonical.codes import identity as codes
from canonical.errors import RejectedError
from canonical.ids import meter_mrid
from iec61968.canonical_nouns.conventions import MasterDataReading, NameTypes
from iec61968.nouns.elements import Identified, Name, NameType, NameTypeAuthority

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SERIAL_TYPES = ("serial", "serialnumber")
"""NameTypes that mean a serial whatever a partner's settings say."""


@dataclass(frozen=True, slots=True)
class MeterIdentity:
    """What a message says a meter is."""

    meter: str
    """mRID of the hub: minted where manufacturer and serial are known, else the sender's; empty with a serial alone."""

    manufacturer: str
    serial: str
    sender_mrid: str = ""
    """The sender's own mRID, where it is another one."""


def type_of(name: Name) -> str:
    """Return the NameType of a Name, or an empty string."""
    return name.name_type.name if name.name_type is not None else ""


def named(names: Iterable[Name], kind: str) -> str | None:
    """Return the Name of a NameType, in whatever case it is written; None where there is none."""
    return next((name.name for name in names if type_of(name).lower() == kind.lower()), None)


def name_of(value: str, kind: str, authority: str = "") -> Name:
    """Return a Name with its type, and who gives it."""
    giver = NameTypeAuthority(name=authority) if authority else None
    return Name(name=value, name_type=NameType(name=kind, name_type_authority=giver))


def object_id(mrid: str | None, names: Iterable[Name], kind: str, *, where: str) -> str:
    """Return the id that a master gives an object: its mRID, else its Name of that type, else one without a type.

    Raises:
        RejectedError: it has none (UNNAMED_OBJECT).
    """
    names = tuple(names)
    found = mrid or named(names, kind) or named(names, "")
    if not found:
        raise RejectedError(f"no mRID and no Name of type {kind}", code=codes.UNNAMED_OBJECT, where=where)
    return found


def reference_id(reference: Identified | None, kind: str, *, where: str) -> str | None:
    """Return the id of an object that is referred to; None where there is no reference.

    Raises:
        RejectedError: the reference names nothing (UNNAMED_OBJECT).
    """
    return None if reference is None else object_id(reference.mrid, reference.names, kind, where=where)


def identified(value: str, kind: str) -> tuple[str | None, tuple[Name, ...]]:
    """Return the mRID and Names of an object with that id: a UUID is an mRID, anything else a Name of that type."""
    return (value, ()) if _UUID.fullmatch(value) else (None, (name_of(value, kind),))


def reference_to(value: str, kind: str) -> Identified:
    """Return a reference to the object with that id."""
    mrid, names = identified(value, kind)
    return Identified(mrid=mrid, names=names)


def usage_point_id(mrid: str | None, names: Iterable[Name], types: NameTypes, *, where: str) -> tuple[str, str]:
    """Return mRID and name of a usage point; one of them may be empty.

    The name is the Name of the partner's type, else the first whose type means nothing else to the hub.

    Raises:
        RejectedError: both are missing (UNNAMED_OBJECT).
    """
    names = tuple(names)
    own = {str(getattr(types, one.name)).lower() for one in fields_of(types)} | set(_SERIAL_TYPES)
    free = next((name.name for name in names if type_of(name).lower() not in own), "")
    found = mrid or "", named(names, types.usage_point) or free
    if not any(found):
        raise RejectedError("a usage point without mRID and name", code=codes.UNNAMED_OBJECT, where=where)
    return found


def usage_point_reference(usage_point: str, name: str, types: NameTypes) -> Identified:
    """Return a reference to a usage point: by mRID where there is one, else by name."""
    if usage_point:
        return Identified(mrid=usage_point)
    return Identified(names=(name_of(name, types.usage_point),))


def meter_identity(
    mrid: str | None,
    names: Iterable[Name],
    conventions: MasterDataReading,
    *,
    serial: str = "",
    manufacturer: str = "",
    where: str,
) -> MeterIdentity:
    """Return what a meter is; `serial` and `manufacturer` are what other elements than Names say.

    Raises:
        RejectedError: a spreadsheet has mangled the serial (ID_MANGLED), or nothing names the meter (UNNAMED_OBJECT).
    """
    kinds = {conventions.names.serial.lower(), *_SERIAL_TYPES}
    for name in names:
        if type_of(name).lower() in kinds:
            serial = serial or name.name
            giver = name.name_type.name_type_authority if name.name_type is not None else None
            manufacturer = manufacturer or (giver.name if giver is not None else "")
    fault = conventions.serials.fault(manufacturer, serial) if serial else ""
    if fault:
        raise RejectedError(fault, code=codes.ID_MANGLED, where=where)
    if serial and manufacturer:
        minted = meter_mrid(manufacturer, serial)
        return MeterIdentity(minted, manufacturer, serial, mrid if mrid and mrid != minted else "")
    if not (mrid or serial):
        raise RejectedError("a meter without mRID and serial", code=codes.UNNAMED_OBJECT, where=where)
    return MeterIdentity(mrid or "", manufacturer, serial)


def meter_names(manufacturer: str, serial: str, types: NameTypes) -> tuple[Name, ...]:
    """Return the Names by which a meter is known: its serial, with the manufacturer as authority."""
    return (name_of(serial, types.serial, manufacturer),) if serial else ()
