"""Whose readings are asked for without a usage point's mRID: meters by mRID or serial, usage points by name."""

from collections.abc import Iterator

from lxml import etree

from canonical.ids import meter_mrid
from canonical.questions import NamedObject
from iec61968.envelope import child_text, local_name

_SERIAL = ("serial", "serialnumber")


def named_in(question: etree._Element) -> Iterator[NamedObject]:
    """Yield the objects of a GetMeterReadings that are not usage points by mRID, each once.

    A serial with its manufacturer is the meter's mRID; `serialNumber` is an extension of some vendors.
    """
    seen: set[NamedObject] = set()
    for element in question.iterchildren(etree.Element):
        found = _meter(element) if local_name(element) == "EndDevice" else _usage_point(element)
        if found is not None and found not in seen:
            seen.add(found)
            yield found


def _meter(element: etree._Element) -> NamedObject | None:
    """Return the meter that an EndDevice names."""
    mrid = child_text(element, "mRID")
    if mrid:
        return NamedObject("meter", mrid)
    names = [name for name in element if local_name(name) == "Names"]
    for name in names:
        kind = next((child for child in name if local_name(child) == "NameType"), None)
        if kind is not None and child_text(kind, "name").lower() in _SERIAL:
            maker = next((child for child in kind if local_name(child) == "NameTypeAuthority"), None)
            serial = child_text(name, "name")
            if maker is not None and child_text(maker, "name"):
                return NamedObject("meter", meter_mrid(child_text(maker, "name"), serial))
            return NamedObject("serial", serial)
    plain = child_text(element, "serialNumber") or next((child_text(name, "name") for name in names), "")
    return NamedObject("serial", plain) if plain else None


def _usage_point(element: etree._Element) -> NamedObject | None:
    """Return the usage point that is named without its mRID."""
    if local_name(element) != "UsagePoint" or child_text(element, "mRID"):
        return None
    name = next((child_text(one, "name") for one in element if local_name(one) == "Names"), "")
    return NamedObject("name", name) if name else None
