"""The objects of a payload one by one, so that one that cannot be read does not end the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from canonical.errors import RejectedError
from iec61968.envelope import child_text, local_name
from iec61968.nouns.shape import Scalar, slots
from iec61968.nouns.tree import read_part


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """One child of a noun's element: its object, or why it has none."""

    name: str
    """Local name of its element, such as `Customer`."""

    place: str
    """Where it stands: noun, element and number."""

    value: Any
    """Instance of its class in the profile; None where it cannot be read."""

    error: RejectedError | None = None
    wire_id: str = ""
    """How the sender names it: mRID, else serial, else its first Name; empty where it does not."""


def objects_of(element: etree._Element, noun: type, *, strict: bool) -> Iterator[ObjectRead]:
    """Yield the children of a payload element that belong to its profile, in order; vendors' own are passed over."""
    classes = {one.element: one.type for slot in slots(noun) for one in slot.choices}
    namespace = etree.QName(element).namespace
    counts: dict[str, int] = {}
    for child in element.iterchildren(etree.Element):
        name = local_name(child)
        kind = classes.get(name)
        if kind is None or isinstance(kind, Scalar) or etree.QName(child).namespace != namespace:
            continue
        counts[name] = counts.get(name, 0) + 1
        place = f"{noun.__name__}/{name}[{counts[name]}]"
        try:
            value = read_part(kind, child, strict=strict)
        except RejectedError as error:
            yield ObjectRead(name, place, None, error, _id_of(child))
        else:
            yield ObjectRead(name, place, value, None, _id_of(child))


def _id_of(element: etree._Element) -> str:
    """Return the identifier that an object's element bears."""
    found = child_text(element, "mRID") or child_text(element, "serialNumber")
    names = (child_text(one, "name") for one in element if local_name(one) == "Names")
    return found or next(names, "")
