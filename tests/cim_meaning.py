"""What the hub understands of messages that the simulators write by hand."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest

from canonical.errors import ErrorCode, RejectedError
from canonical.master_data import MasterData
from iec61968.bindings import unwrap
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.master_data import master_data_from_wire
from iec61968.message_codec import message_from_xml
from simulators.cim_nouns import noun_text
from simulators.cim_wire import event

AT = datetime(2026, 3, 1, 5, 30, 15, tzinfo=UTC)
TEXT = "2026-03-01T05:30:15Z"
LATER = "2026-04-01T04:00:00Z"
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
POINT = str(uuid5(UUID(int=0), "point"))
PLAIN = MasterDataReading()


def meant(noun: str, *objects: dict[str, Any], verb: str = "created", own: MasterDataReading = PLAIN) -> MasterData:
    """Return what the hub understands of objects that a simulator writes."""
    return meant_xml(noun, noun_text(noun, objects), verb=verb, own=own)


def meant_xml(noun: str, xml: str, *, verb: str = "created", own: MasterDataReading = PLAIN) -> MasterData:
    identity = str(uuid5(UUID(int=0), noun))
    raw = event(verb, noun, xml, message_id=identity, correlation_id=identity, source="CIS-A")
    wire = message_from_xml(unwrap(raw).message)
    return master_data_from_wire(wire, source="cis", conventions=own, strict=False).payload


def refused(code: ErrorCode, noun: str, *objects: dict[str, Any], own: MasterDataReading = PLAIN, **more: Any) -> str:
    """Check that a whole message is refused by a code, and return the reason."""
    with pytest.raises(RejectedError) as error:
        meant(noun, *objects, own=own, **more)
    assert error.value.code == code
    return error.value.reason
