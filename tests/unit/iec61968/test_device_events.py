"""Events of devices from the wire: the device, the code and the severity, whatever form the source gives them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from canonical.errors import RejectedError
from canonical.event_kinds import EventKind
from canonical.events import EndDeviceEvent
from canonical.ids import meter_mrid
from iec61968.dialects.device_events import Spoken, events_in
from iec61968.dialects.events import DIALECTS, severity_of

UP = "http://iec.ch/TC57/2011/EndDeviceEvents#"


def told(inner: str, **how: Any) -> list[EndDeviceEvent]:
    text = f'<EndDeviceEvents xmlns="{UP}"><EndDeviceEvent>{inner}</EndDeviceEvent></EndDeviceEvents>'
    return list(events_in(etree.fromstring(text), source="hes", spoken=Spoken(**how)))


AT = "<createdDateTime>2026-03-02T12:58:00+01:00</createdDateTime>"
SERIAL = (
    "<Assets><Names><name>007</name><NameType><name>serial</name><NameTypeAuthority><name>ACME</name>"
    "</NameTypeAuthority></NameType></Names></Assets>"
)


def test_a_serial_with_its_manufacturer_is_the_meter_s_id_and_instants_are_utc() -> None:
    (event,) = told(f'{AT}{SERIAL}<EndDeviceEventType ref="3.26.0.85"/>')

    assert (event.meter, event.serial) == (meter_mrid("ACME", "007"), "007")
    assert event.occurred_at == datetime(2026, 3, 2, 11, 58, tzinfo=UTC)
    assert (event.kind, event.severity) == (EventKind.POWER_LOST, "alarm")


def test_a_code_in_place_of_the_id_is_the_code_and_the_event_has_no_id() -> None:
    (event,) = told(f"<mRID>3.26.9.185</mRID>{AT}{SERIAL}<EndDeviceEventType/>", dialect="legacy")

    assert (event.code, event.mrid, event.kind) == ("3.26.9.185", "", EventKind.POWER_LOST)


def test_the_vendors_serial_number_is_read_where_it_is_let_through() -> None:
    (event,) = told(f'{AT}<Assets><serialNumber>42</serialNumber></Assets><EndDeviceEventType ref="3.26.0.85"/>')

    assert (event.meter, event.serial, event.device) == ("", "42", "42")


@pytest.mark.parametrize("inner", [f"{AT}{SERIAL}<EndDeviceEventType/>", f'{AT}<EndDeviceEventType ref="3.26.0.85"/>'])
def test_an_event_without_code_or_device_is_refused(inner: str) -> None:
    with pytest.raises(RejectedError, match="event"):
        told(inner)


def test_a_source_s_own_words_win_and_severity_follows_the_kind_where_none_is_told() -> None:
    (event,) = told(
        f'{AT}<severity>Minor</severity>{SERIAL}<EndDeviceEventType ref="3.26.0.85"/>',
        own={"3.26.0.85": EventKind.TAMPER},
    )

    assert (event.kind, event.severity) == (EventKind.TAMPER, "minor")
    assert severity_of("", EventKind.OVER_VOLTAGE) == "warning"
    assert severity_of("", None) == "unknown"
    assert severity_of("", EventKind.INSTALLED) == "information"
    assert set(DIALECTS) == {"edition2", "mesh", "firmware", "legacy"}
