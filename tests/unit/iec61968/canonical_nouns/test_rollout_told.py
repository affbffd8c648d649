"""What a rollout tells systems: orders come back as they went, meters without keys in clear, exchanges in one piece."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from canonical.commissioning import Commissioning
from canonical.errors import RejectedError
from canonical.ids import meter_mrid
from canonical.master_data import Link, MasterData, Meter, MeterExchange
from canonical.messages import Header, Message, Several
from canonical.metering import Register
from canonical.reading_types import register_code
from canonical.rollout import FieldOrder, ShippedMeter
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.field_orders import order_from_object
from iec61968.canonical_nouns.master_data import master_data_from_wire
from iec61968.canonical_nouns.outgoing import Speech, outgoing
from iec61968.canonical_nouns.saying import Inbound
from iec61968.editions import EDITIONS
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.nouns import meter_service_requests
from iec61968.validation import require_valid
from iec61968.wire import WireMessage

OWN = MasterDataReading(zone="America/Toronto")
AT = datetime(2026, 11, 21, 3, 5, tzinfo=UTC)
POINT = "c645fdd3-4c82-5493-8f5c-5f46b8cd8ae6"
TEXTS = st.one_of(st.just(""), st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9 ]{0,8}[a-z0-9]\Z"))
KWH = register_code("ELECTRICITY")


def sent(payload: Any, verb: str = "create", noun: str = "X", own: MasterDataReading = OWN, **header: Any) -> Any:
    """Return the message that goes out, through bytes and its schema, and those bytes."""
    edition = EDITIONS["2011"]
    about = Header("m-1", "AMIHUB", verb, noun, created_at=AT, **header)
    root = message_to_xml(outgoing(Message(about, payload), Speech(edition, "AMIHUB", own)), edition=edition)
    require_valid(root, edition)
    raw = etree.tostring(root)
    return message_from_xml(etree.fromstring(raw)), raw


def read(wire: WireMessage) -> MasterData:
    return master_data_from_wire(wire, source="hub", conventions=OWN).payload


@st.composite
def orders(draw: st.DrawFn) -> FieldOrder:
    maker, serial = draw(st.one_of(st.just(("", "")), st.just(("Acme", "AC-0071234"))))
    begins = AT + timedelta(minutes=draw(st.integers(0, 10**5)))
    return FieldOrder(
        order=draw(st.uuids().map(str)), wave=draw(TEXTS), verb=draw(st.sampled_from(("create", "change", "cancel"))),
        usage_point=POINT, usage_point_name=draw(TEXTS), commodity=draw(st.sampled_from(("ELECTRICITY", "GAS"))),
        planned_day=draw(st.dates(date(2026, 1, 1), date(2030, 1, 1))), window_from=begins,
        window_until=begins + timedelta(hours=2), old_meter=meter_mrid(maker, serial) if serial else "",
        old_manufacturer=maker, old_serial=serial, new_model=draw(TEXTS), district=draw(TEXTS), route=draw(TEXTS),
        location=draw(TEXTS), contractor=draw(TEXTS), attempt=draw(st.integers(1, 9)), remarks=draw(TEXTS),
    )  # fmt: skip


@given(orders())
def test_an_order_is_read_back_as_it_was_told(one: FieldOrder) -> None:
    wire, _ = sent((one,), one.verb, "MeterServiceRequests")

    (work,) = meter_service_requests.from_xml(wire.payload.parts[0]).meter_service_work
    assert order_from_object(work, Inbound(one.verb, OWN, "hub", AT), "work") == one
    assert (wire.header.verb, wire.header.noun) == (one.verb, "MeterServiceRequests")


def test_an_order_that_comes_back_as_it_was_planned_is_no_exchange() -> None:
    order = FieldOrder("EO-1", "W1", "create", POINT, "NMI-1", "ELECTRICITY", date(2026, 12, 1), AT, AT, "")
    wire, _ = sent(order, "create", "MeterServiceRequests")

    assert [one.disposition for one in read(wire).refused] == ["REJECTED"]


SHIPPED = ShippedMeter(
    "Borealis", "E-99120", "ELECTRICITY", "B200", "7.2", "CFG-15", Decimal(40),
    (Register("T0", KWH, "kWh", "DELIVERED", 6, 1),), "LOT-17", "PASS", module="CM-1", module_kind="NB-IoT",
    key_reference="vault:lot-17/0001", wrapped_key="c2VjcmV0LWJsb2I=", wrapped_by="kek-3",
)  # fmt: skip


def test_a_shipped_meter_is_told_with_lot_configuration_module_and_the_day_on_which_it_came() -> None:
    wire, raw = sent((SHIPPED,), noun="MeterConfig")

    (thing,) = read(wire).things
    assert thing == Meter(
        meter_mrid("Borealis", "E-99120"), "Borealis", "E-99120", "ELECTRICITY", Decimal(40), SHIPPED.registers,
        model="B200", firmware="7.2", status="In stock",
    )  # fmt: skip
    for text in ("<lotNumber>LOT-17<", "<configID>CFG-15<", "<receivedDate>2026-11-20<", "<technology>cellular<"):
        assert text.encode() in raw
    assert raw.count(b"CM-1") == 2


def test_keys_go_as_the_place_where_they_are_and_wrapped_only_where_the_partner_takes_them() -> None:
    _, plain = sent((SHIPPED,), noun="MeterConfig")
    _, wrapped = sent((SHIPPED,), noun="MeterConfig", own=replace(OWN, wrapped_keys=True))

    assert b"vault:lot-17/0001" in plain
    assert b"c2VjcmV0" not in plain
    assert b"c2VjcmV0" in wrapped
    assert b"kek-3" in wrapped


def test_modules_of_shipped_meters_are_told_as_such_where_they_are_asked_for() -> None:
    wire, raw = sent((SHIPPED, replace(SHIPPED, serial="E-2", module="")), noun="ComModuleConfig")

    assert (wire.header.verb, wire.header.noun) == ("create", "ComModuleConfig")
    assert raw.count(b"<ComModule>") == 1
    assert b"E-99120" in raw


COMMISSION = Commissioning("COMMISSION", meter_mrid("Borealis", "E-99120"), "Borealis", "E-99120", POINT, AT)


def test_a_head_end_is_told_of_a_commissioning_as_a_change_of_status() -> None:
    own = replace(OWN, commissioned="Commissioned")
    later = replace(COMMISSION, act="DECOMMISSION", at=AT + timedelta(minutes=5))
    wire, raw = sent((COMMISSION, later), "change", "MeterConfig", own)

    found = read(wire)
    assert (found.verb, found.noun, found.effective_at, found.reason) == ("change", "MeterConfig", AT, "changeStatus")
    assert [one.status for one in found.things if isinstance(one, Meter)] == ["Commissioned", "Decommissioned"]
    assert [one.valid_from for one in found.things if isinstance(one, Meter)] == [None, AT + timedelta(minutes=5)]
    assert found.stated[0] == {"meter", "manufacturer", "serial", "status"}
    assert b"<effectiveDateTime>2026-11-21T03:05:00Z<" in raw


@pytest.mark.parametrize(("act", "verb"), [("COMMISSION", "create"), ("DECOMMISSION", "close")])
def test_or_as_a_link_to_its_usage_point(act: Any, verb: str) -> None:
    wire, _ = sent(replace(COMMISSION, act=act), "change", "MeterConfig", replace(OWN, commission_as="linkage"))

    found = read(wire)
    assert (found.verb, found.noun, found.effective_at) == (verb, "MasterDataLinkageConfig", AT)
    assert found.things == (Link(POINT, meter=COMMISSION.meter),)


OLD, NEW = (Meter(meter_mrid("Acme", one), "Acme", one, "ELECTRICITY", Decimal(1)) for one in ("OLD-1", "NEW-1"))
EXCHANGE = MeterExchange(POINT, OLD, NEW, AT, AT + timedelta(minutes=20), order="EO-1", remarks="gate")


@pytest.mark.parametrize(("verb", "first"), [("create", "removed"), ("deleted", "installed")])
def test_a_partner_that_takes_sets_gets_removal_and_installation_as_one_all_or_nothing(verb: str, first: str) -> None:
    imperative: Any = verb.removesuffix("d") if verb != "create" else verb
    data = MasterData(imperative, "MeterServiceRequests", AT, (EXCHANGE,))
    wire, _ = sent(data, verb, "MeterServiceRequests", replace(OWN, exchange_as="operation_set"))

    found = wire.payload.operation_set
    assert (wire.header.verb, wire.header.noun, wire.kind) == ("execute", "OperationSet", "request")
    assert (found.in_sequence, found.all_or_nothing) == (True, True)
    assert [(one.operation_id, one.verb) for one in found.operations] == [(1, verb), (2, verb)]
    kinds = [one.body.findtext(".//{*}MeterServiceWork/{*}type") for one in found.operations]
    assert kinds == (["removed", "installed"] if first == "removed" else ["installed", "removed"])


def several(*payloads: MasterData) -> Several:
    return Several(tuple(Message(Header(f"m-{n}", "hub", one.verb, one.noun), one) for n, one in enumerate(payloads)))


def test_several_messages_go_as_a_set_of_which_each_is_done_by_itself() -> None:
    links = [MasterData("close", "MasterDataLinkageConfig", AT + timedelta(hours=n), (Link(POINT, OLD.meter),))
             for n in range(3)]  # fmt: skip
    wire, _ = sent(several(*links), "close", "MasterDataLinkageConfig")

    found = wire.payload.operation_set
    assert (wire.header.verb, wire.header.noun, wire.kind) == ("execute", "OperationSet", "request")
    assert (found.in_sequence, found.all_or_nothing) == (False, False)
    assert [(one.operation_id, one.verb, one.noun) for one in found.operations] == [
        (n, "close", "MasterDataLinkageConfig") for n in (1, 2, 3)
    ]
    alone = [sent(one, "close", "MasterDataLinkageConfig")[0].payload.parts[0] for one in links]
    assert [etree.tostring(one.body) for one in found.operations] == [etree.tostring(one) for one in alone]


def test_a_set_does_not_go_into_another_one() -> None:
    pair = MasterData("create", "MeterServiceRequests", AT, (EXCHANGE,))
    with pytest.raises(RejectedError, match="operation 1"):
        sent(several(pair, pair), own=replace(OWN, exchange_as="operation_set"))


@pytest.mark.parametrize(
    "payload",
    [
        (SHIPPED, COMMISSION),
        (FieldOrder("EO-1", "W1", "create", "", "", "ELECTRICITY", date(2026, 12, 1), AT, AT, ""),),
    ],
    ids=["mixed", "no usage point"],
)
def test_what_cannot_be_told_is_refused(payload: Any) -> None:
    with pytest.raises(RejectedError):
        sent(payload)


def test_links_of_different_instants_go_in_messages_apart() -> None:
    with pytest.raises(RejectedError):
        sent((COMMISSION, replace(COMMISSION, at=AT + timedelta(hours=1))), own=replace(OWN, commission_as="linkage"))
