"""What is written of master data is read back the same: every noun, every verb, whole and in part."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from canonical.customers import CustomerAgreement
from canonical.field_reports import FieldReport
from canonical.ids import meter_mrid
from canonical.master_data import (
    Address,
    Customer,
    CustomerAccount,
    Link,
    MasterData,
    Meter,
    MeterExchange,
    ServiceLocation,
    Verb,
)
from canonical.messages import Header, Message
from canonical.metering import Register, RegisterReading, UsagePoint
from canonical.quality import Quality
from canonical.reading_types import demand_code, interval_code, register_code
from canonical.serials import SerialPolicy
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.master_data import MASTER_NOUNS, master_data_from_wire
from iec61968.canonical_nouns.outgoing import PARTICIPLES, Speech, outgoing
from iec61968.editions import EDITIONS
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.validation import require_valid

OWN = MasterDataReading(zone="America/Toronto")
LETTERS = st.text(st.characters(categories=("L", "N", "P"), max_codepoint=0x2FF), min_size=1, max_size=12)
WORDS = LETTERS.filter(lambda text: text.strip() == text and not SerialPolicy().fault("", text))
INSTANTS = st.integers(0, 10**6).map(lambda hours: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=7 * hours))
IDS = st.one_of(st.uuids().map(str), WORDS)
MRIDS = st.uuids().map(str)
VERBS: st.SearchStrategy[Verb] = st.sampled_from(("create", "change", "close", "delete"))
Thing = tuple[Any, frozenset[str]]


@st.composite
def things(
    draw: st.DrawFn,
    kind: type,
    verb: Verb,
    always: Mapping[str, st.SearchStrategy[Any]],
    free: Mapping[str, tuple[st.SearchStrategy[Any], Any]],
) -> Thing:
    """Return a thing with what is stated of it; `free` fields may be left out and hold their default then."""
    own = {name: draw(strategy) for name, strategy in always.items()}
    said = {name for name in free if draw(st.booleans())}
    values = {name: draw(free[name][0]) if name in said else free[name][1] for name in free}
    if verb == "create":
        return kind(**own, **values), frozenset()
    return kind(**own, **values), frozenset(own) | said


def text(default: str = "") -> tuple[st.SearchStrategy[str], str]:
    return WORDS, default


def customers(verb: Verb, _at: datetime) -> st.SearchStrategy[Thing]:
    kind = st.sampled_from(("residential", "commercialIndustrial", "other"))
    free = {"kind": (kind, ""), "name": text(), "telephone": text(), "special_need": text()}
    return things(Customer, verb, {"customer": IDS}, free)


def accounts(verb: Verb, _at: datetime) -> st.SearchStrategy[Thing]:
    return things(CustomerAccount, verb, {"account": IDS}, {"customer": (IDS, ""), "cycle": text()})


def locations(verb: Verb, _at: datetime) -> st.SearchStrategy[Thing]:
    address = st.builds(Address, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS)
    free = {
        "address": (address, Address()),
        "access_method": text(),
        "needs_inspection": (st.booleans(), False),
    }
    return things(ServiceLocation, verb, {"location": IDS}, free)


def agreements(verb: Verb, at: datetime) -> st.SearchStrategy[Thing]:
    ends = {"valid_to": st.just(at)} if verb == "close" else {}
    starts = {} if verb == "close" else {"valid_from": st.just(at)}
    later = st.timedeltas(timedelta(0), timedelta(days=900)).map(lambda span: at + timedelta(days=span.days))
    before = st.integers(1, 900).map(lambda days: at - timedelta(days=days))
    free = {
        "account": (IDS, ""),
        "usage_point": (MRIDS, ""),
        "customer_class": (st.sampled_from(("COMMERCIAL", "INDUSTRIAL")), "RESIDENTIAL"),
        "tariff": (IDS, ""),
        "cycle": text(),
        "tou_calendar": text(),
        "net_metering": (st.booleans(), False),
        **({"valid_from": (before, at)} if verb == "close" else {"valid_to": (later, None)}),
    }
    return things(CustomerAgreement, verb, {"agreement": IDS, **ends, **starts}, free)


def usage_points(verb: Verb, at: datetime) -> st.SearchStrategy[Thing]:
    always: dict[str, st.SearchStrategy[Any]] = {"usage_point": MRIDS, "valid_from": st.just(at)}
    if verb == "close":
        always["valid_to"] = st.just(at)
    free = {
        "name": text(),
        "zone": (st.sampled_from(("Europe/Helsinki", "Australia/Sydney")), OWN.zone),
        "commodity": (st.sampled_from(("GAS", "WATER", "ELECTRICITY")), "ELECTRICITY"),
        "read_source": (st.sampled_from(("MANUAL", "NONE", "AMI")), "AMI"),
        "district": text(),
        "route": text(),
    }
    return things(UsagePoint, verb, always, free)


REGISTERS = st.sampled_from((
    Register("T0", register_code("ELECTRICITY"), "kWh", "DELIVERED", 6, 1),
    Register("T1", register_code("ELECTRICITY", tou=1), "kWh", "DELIVERED", 5, 3, "ON"),
    Register("T9", register_code("ELECTRICITY", tou=9), "kWh", "DELIVERED", 5, 3, "T9"),
    Register("TX", register_code("ELECTRICITY", tou=2), "kWh", "DELIVERED", 5, 3, "NIGHT"),
    Register("R0", register_code("ELECTRICITY", "RECEIVED"), "units of 10 kWh", "RECEIVED", 6, 0),
    Register("D1", demand_code(), "kW", "DELIVERED", 4, 3, is_demand=True),
    Register("E1", interval_code(30), "kWh", "DELIVERED", 0, 3, interval_minutes=30),
))  # fmt: skip


@st.composite
def meters(draw: st.DrawFn, verb: Verb, _at: datetime) -> Thing:
    maker, serial = draw(st.one_of(st.tuples(WORDS, WORDS), st.just(("", "")), st.tuples(st.just(""), WORDS)))
    mrid = meter_mrid(maker, serial) if maker else draw(MRIDS) if not serial else draw(st.sampled_from(("", OWN.zone)))
    registers = draw(st.lists(REGISTERS, min_size=1, max_size=3, unique_by=lambda r: r.register))
    thing, stated = draw(
        things(
            Meter, verb, {"meter": st.just(mrid), "commodity": st.just("ELECTRICITY")},
            {"manufacturer": (st.just(maker), maker), "serial": (st.just(serial), serial),
             "multiplier": (st.sampled_from((Decimal(1), Decimal(40), Decimal("0.5"))), Decimal(1)),
             "registers": (st.just(tuple(registers)), ()), "model": text(), "firmware": text(), "status": text()},
        )
    )  # fmt: skip
    names = {name for name in ("manufacturer", "serial") if getattr(thing, name)}
    return thing, stated if verb == "create" else (stated - {"manufacturer", "serial"}) | names


READINGS = st.builds(
    RegisterReading,
    usage_point=st.just(""),
    meter=st.just(""),
    reading_type=st.sampled_from((register_code("ELECTRICITY"), register_code("ELECTRICITY", tou=2))),
    taken_at=INSTANTS,
    value=st.decimals(0, 10**6, places=3),
    quality=st.just(Quality.VALIDATED),
    source_quality=st.just(""),
    source=st.just("wams"),
)


DEGREES = st.decimals(-90, 90, places=5)
REPORTS = st.builds(
    FieldReport,
    multiplier_seen=st.one_of(st.none(), st.sampled_from((Decimal(1), Decimal("0.5"), Decimal(80)))),
    comms_ok=st.one_of(st.none(), st.booleans()),
    seal=st.one_of(st.just(""), WORDS),
    latitude=st.one_of(st.none(), DEGREES),
    longitude=st.one_of(st.none(), DEGREES),
    address=st.one_of(st.just(""), WORDS),
    photos=st.lists(WORDS, max_size=2, unique=True).map(tuple),
    reported_at=st.one_of(st.none(), INSTANTS),
)


@st.composite
def exchanges(draw: st.DrawFn, verb: Verb, at: datetime) -> Thing:
    point = draw(MRIDS)
    pairs = draw(st.lists(st.tuples(WORDS, WORDS), min_size=2, max_size=2, unique=True))
    old, new = (
        Meter(meter_mrid(*pair), *pair, "ELECTRICITY", draw(st.sampled_from((Decimal(1), Decimal(80)))), model="M1")
        for pair in pairs
    )
    which = draw(st.sampled_from(("exchange", "removal", "installation")))
    final, first = (
        tuple(replace(one, usage_point=point, meter=meter.meter) for one in draw(st.lists(READINGS, max_size=2)))
        for meter in (old, new)
    )
    installed_at = at if which != "exchange" else at + timedelta(minutes=draw(st.integers(0, 90)))
    thing = MeterExchange(
        point, old if which != "installation" else None, new if which != "removal" else None,
        at, installed_at, final if which != "installation" else (), first if which != "removal" else (),
        draw(st.one_of(WORDS, st.just(""))), draw(st.one_of(WORDS, st.just(""))), draw(st.one_of(WORDS, st.just(""))),
        report=draw(st.one_of(st.none(), REPORTS.filter(lambda report: report != FieldReport()))),
    )  # fmt: skip
    if verb == "create":
        return thing, frozenset()
    return thing, frozenset(name for name in MeterExchange.__slots__ if getattr(thing, name) not in (None, "", ()))


@st.composite
def links(draw: st.DrawFn, verb: Verb, _at: datetime, kinds: tuple[str, ...]) -> Thing:
    values = {kind: draw(MRIDS if kind == "meter" else IDS) for kind in kinds}
    thing = Link(draw(MRIDS), **values) if draw(st.booleans()) else Link("", **values, usage_point_name=draw(WORDS))
    stated = frozenset(name for name in Link.__slots__ if getattr(thing, name))
    return thing, frozenset() if verb == "create" else stated


THINGS: dict[str, Any] = {
    "CustomerConfig": customers,
    "CustomerAccountConfig": accounts,
    "CustomerAgreementConfig": agreements,
    "ServiceLocationConfig": locations,
    "UsagePointConfig": usage_points,
    "MeterConfig": meters,
    "MeterServiceRequests": exchanges,
}


@st.composite
def master_data(draw: st.DrawFn, noun: str) -> MasterData:
    verb, at = draw(VERBS), draw(INSTANTS)
    if noun == "MasterDataLinkageConfig":
        kinds = draw(
            st.sampled_from((("meter",), ("agreement",), ("location",), ("agreement", "location"), ("serial",)))
        )
        one = links(verb, at, kinds)
    else:
        one = THINGS[noun](verb, at)
    found = draw(st.lists(one, min_size=1, max_size=3))
    stated = () if verb == "create" else tuple(fields for _, fields in found)
    reason = draw(st.sampled_from(("", "moveIn"))) if noun != "MeterServiceRequests" else ""
    return MasterData(verb, noun, at, tuple(thing for thing, _ in found), reason, stated)


def there_and_back(data: MasterData, edition: str, *, is_event: bool, own: MasterDataReading = OWN) -> MasterData:
    """Return what is read of what is written, through bytes, with its schema asked in between."""
    verb = PARTICIPLES[data.verb] if is_event else data.verb
    header = Header("m-1", "AMIHUB", verb, data.noun, "c-1", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    speech = Speech(EDITIONS[edition], "AMIHUB", own)
    root = message_to_xml(outgoing(Message(header, data), speech), edition=EDITIONS[edition], typed=data.noun)
    parsed = etree.fromstring(etree.tostring(root))
    require_valid(parsed, EDITIONS[edition])
    return master_data_from_wire(message_from_xml(parsed), source="wams", conventions=own).payload


@pytest.mark.slow
@pytest.mark.parametrize("noun", MASTER_NOUNS)
@given(data=st.data(), edition=st.sampled_from(tuple(EDITIONS)), is_event=st.booleans())
def test_what_is_written_is_read_back_the_same(noun: str, data: Any, edition: str, is_event: bool) -> None:
    said = cast("MasterData", data.draw(master_data(noun)))

    assert there_and_back(said, edition, is_event=is_event) == said
