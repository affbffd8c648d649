"""A message that is only passed on can be split by objects and joined again: nothing is lost or told twice."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from iec61968.wire import WireHeader, WireMessage, WirePayload
from services.cim_documents import parts_from_wire

UP = "http://iec.ch/TC57/2011/EndDeviceControls#"


def message(points: list[str]) -> WireMessage:
    """Return controls of usage points; the type behind them is shared by all."""
    controls = "".join(
        f"<EndDeviceControl><reason>r{n}</reason><EndDeviceControlType ref='3.31.0.23'/>"
        f"<EndDevices><Names><name>serial-{n}</name></Names></EndDevices>"
        f"<UsagePoints><mRID>{point}</mRID><Names><name>other</name></Names></UsagePoints></EndDeviceControl>"
        for n, point in enumerate(points)
    )
    kind = "<EndDeviceControlType><mRID>3.31.0.23</mRID><Names><name>t</name></Names></EndDeviceControlType>"
    root = etree.fromstring(f"<EndDeviceControls xmlns='{UP}'>{controls}{kind}</EndDeviceControls>")
    header = WireHeader("create", "EndDeviceControls", "m-1", "c-1", datetime(2026, 3, 1, tzinfo=UTC))
    return WireMessage("request", header, "CreateEndDeviceControls", payload=WirePayload((root,)))


def reasons(body: bytes) -> list[str]:
    return [str(one.text) for one in etree.fromstring(body).iter("{*}reason")]


def test_an_object_is_known_by_its_mrid_else_by_its_name() -> None:
    parts = parts_from_wire(message(["U1", "U2"]), source="cis").payload

    assert parts.whole.usage_points == ("U1", "U2")
    assert [(one.usage_points, one.meters) for one in parts.parts] == [
        (("U1",), ("serial-0",)),
        (("U2",), ("serial-1",)),
    ]


@given(points=st.lists(st.sampled_from(["U1", "U2", "U3"]), min_size=1, max_size=6), seed=st.integers(0, 63))
def test_parts_together_say_what_the_whole_says_each_object_once(points: list[str], seed: int) -> None:
    parts = parts_from_wire(message(points), source="cis").payload
    one = [part for n, part in enumerate(parts.parts) if seed >> n & 1]
    other = [part for n, part in enumerate(parts.parts) if not seed >> n & 1]

    joined = [parts.join(chosen) for chosen in (one, other) if chosen]

    assert sorted(reason for each in joined for reason in reasons(each.body)) == sorted(reasons(parts.whole.body))
    assert all(b"<mRID>3.31.0.23</mRID>" in each.body for each in joined)
    assert parts.join(parts.parts) == parts.whole
