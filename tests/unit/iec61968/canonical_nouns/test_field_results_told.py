"""Work that exchanged nothing is read as it was told, and exchanges become completions without losing anything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from canonical.codes.message import NOT_SUPPORTED_HERE
from canonical.completions import completions_from
from canonical.field_reports import FieldReport
from canonical.ids import meter_mrid
from canonical.master_data import MasterData, Meter, MeterExchange
from canonical.messages import Header, Message
from canonical.metering import RegisterReading
from canonical.quality import Quality
from canonical.reading_types import register_code
from canonical.rollout import Completion, MeterSeen, RegisterValue
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.field_work import REASON_WORDS
from iec61968.canonical_nouns.master_data import master_data_from_wire
from iec61968.canonical_nouns.outgoing import Speech, outgoing
from iec61968.editions import EDITIONS
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.validation import require_valid

OWN = MasterDataReading(zone="America/Toronto")
AT = datetime(2026, 11, 21, 15, 5, tzinfo=UTC)
KWH = register_code("ELECTRICITY")
SERIALS = st.from_regex(r"\A[A-Z]{2}-[0-9]{4,7}\Z")
TEXTS = st.one_of(st.just(""), st.from_regex(r"\A[a-z][a-z ]{0,10}[a-z]\Z"))
INSTANTS = st.integers(0, 10**6).map(lambda n: AT + timedelta(minutes=n))
VALUES = st.lists(st.builds(RegisterValue, st.just(""), st.decimals(0, 10**6, places=2), st.just(KWH)), max_size=2).map(
    tuple
)


def seen(serial: str, manufacturer: str = "Acme") -> MeterSeen:
    return MeterSeen(serial, manufacturer, meter_mrid(manufacturer, serial))


@st.composite
def results(draw: st.DrawFn) -> Completion:
    """Return work that could not be done, or was taken back."""
    is_unable = draw(st.booleans())
    reason = draw(st.sampled_from(tuple(REASON_WORDS))) if is_unable else None
    old, new = (seen(one) for one in draw(st.lists(SERIALS, min_size=2, max_size=2, unique=True)))
    installed = draw(st.one_of(st.none(), st.just(new)))
    return Completion(
        order=draw(TEXTS), usage_point=draw(st.uuids().map(str)), outcome="UNABLE" if is_unable else "REVERSED",
        effective_at=draw(INSTANTS), removed=old, removed_at=draw(st.one_of(st.none(), INSTANTS)),
        final_readings=draw(VALUES), installed=installed, installed_at=draw(st.one_of(st.none(), INSTANTS)),
        first_readings=draw(VALUES) if installed else (), comms_ok=draw(st.one_of(st.none(), st.booleans())),
        unable_reason=reason, source_reason=REASON_WORDS[reason] if reason else "", installer=draw(TEXTS),
        seal=draw(TEXTS), remarks=draw(TEXTS), address=draw(TEXTS),
        photos=tuple(dict.fromkeys(filter(None, draw(st.lists(TEXTS, max_size=2))))),
    )  # fmt: skip


def data_of(*things: Any, verb: Any = "change") -> MasterData:
    stated = tuple(frozenset[str]() for _ in things) if verb != "create" else ()
    return MasterData(verb, "MeterServiceRequests", AT, things, stated=stated)


def there_and_back(data: MasterData, own: MasterDataReading = OWN) -> Message[MasterData]:
    header = Header("m-1", "WAMS", f"{data.verb}d", data.noun, "c-1", created_at=AT)
    edition = EDITIONS["2011"]
    root = message_to_xml(outgoing(Message(header, data), Speech(edition, "WAMS", own)), edition=edition)
    require_valid(root, edition)
    parsed = message_from_xml(etree.fromstring(etree.tostring(root)))
    return master_data_from_wire(parsed, source="wams", conventions=own)


@given(results())
def test_work_that_exchanged_nothing_is_read_back_as_it_was_told(one: Completion) -> None:
    assert completions_from(there_and_back(data_of(one))) == (one,)


def meter(serial: str, multiplier: str = "1") -> Meter:
    return Meter(meter_mrid("Acme", serial), "Acme", serial, "ELECTRICITY", Decimal(multiplier))


def reading(serial: str, value: str) -> RegisterReading:
    return RegisterReading("up-1", meter_mrid("Acme", serial), KWH, AT, Decimal(value), Quality.VALIDATED, "", "wams")


EXCHANGE = MeterExchange(
    "up-1", meter("OLD-1"), meter("NEW-1", "40"), AT, AT + timedelta(minutes=20), (reading("OLD-1", "48211.7"),),
    (reading("NEW-1", "0.4"),), "EO-17", "crew 7", "gate code changed",
    report=FieldReport(
        Decimal(1), True, "S-99", Decimal("43.65107"), Decimal("-79.34702"), "12 Elm", ("p/1", "p/2"), AT
    ),
)  # fmt: skip


def test_an_exchange_over_the_wire_is_a_completion_with_all_that_the_crew_told() -> None:
    (one,) = completions_from(there_and_back(data_of(EXCHANGE)))

    assert one == Completion(
        "EO-17", "up-1", "DONE", AT + timedelta(minutes=20), removed=seen("OLD-1"), removed_at=AT,
        final_readings=(RegisterValue("", Decimal("48211.7"), KWH),), installed=seen("NEW-1"),
        installed_at=AT + timedelta(minutes=20), first_readings=(RegisterValue("", Decimal("0.4"), KWH),),
        multiplier_seen=Decimal(1), comms_ok=True, installer="crew 7", seal="S-99", latitude=Decimal("43.65107"),
        longitude=Decimal("-79.34702"), address="12 Elm", photos=("p/1", "p/2"), remarks="gate code changed",
        reported_at=AT,
    )  # fmt: skip


def test_the_multiplier_of_the_installed_meter_counts_as_seen_where_nothing_else_is_told() -> None:
    message = Message(Header("m", "wams", "created", "MeterServiceRequests"), data_of(replace(EXCHANGE, report=None)))

    assert [one.multiplier_seen for one in completions_from(message)] == [Decimal(40)]


def test_an_exchange_that_never_was_is_taken_back_by_its_own_key() -> None:
    message = Message(
        Header("m", "wams", "deleted", "MeterServiceRequests"), data_of(EXCHANGE, meter("OLD-1"), verb="delete")
    )

    (one,) = completions_from(message)

    assert (one.outcome, one.effective_at) == ("REVERSED", EXCHANGE.installed_at)
    assert one.removed == seen("OLD-1")
    assert one.installed == seen("NEW-1")


WORK = """
<ChangedMeterServiceRequests xmlns="http://iec.ch/TC57/2011/MeterServiceRequestsMessage"><Header
 xmlns:e="http://iec.ch/TC57/2011/schema/message"><e:Verb>changed</e:Verb><e:Noun>MeterServiceRequests</e:Noun>
 <e:Timestamp>2026-11-21T15:30:00Z</e:Timestamp><e:MessageID>f63d0f10-02aa-5960-ae64-6739e304dcbf</e:MessageID>
 <e:CorrelationID>f63d0f10-02aa-5960-ae64-6739e304dcbf</e:CorrelationID></Header><Payload>
 <MeterServiceRequests xmlns="http://iec.ch/TC57/2011/MeterServiceRequests#"><MeterServiceWork><kind>meter</kind>
 <lastModifiedDateTime>2026-11-21T15:05:00Z</lastModifiedDateTime><Meter><serialNumber>0071234</serialNumber>
 <MeterReadings><UsagePoint><mRID>c645fdd3-4c82-5493-8f5c-5f46b8cd8ae6</mRID></UsagePoint></MeterReadings></Meter>
 <status><reason>{reason}</reason><value>{state}</value></status>
 </MeterServiceWork></MeterServiceRequests></Payload></ChangedMeterServiceRequests>"""


def read(state: str, reason: str, own: MasterDataReading = OWN) -> MasterData:
    wire = message_from_xml(etree.fromstring(WORK.format(state=state, reason=reason)))
    return master_data_from_wire(wire, source="wams", conventions=own).payload


@pytest.mark.parametrize(
    ("state", "reason", "meant"),
    [("unable", "noAccess", "NO_ACCESS"), ("Unable to complete", "Customer refused", "REFUSED"),
     ("UTC", "dog", "UNSAFE"), ("unable", "it rained", "OTHER")],
)  # fmt: skip
def test_a_systems_own_words_for_why_not_are_understood_and_kept(state: str, reason: str, meant: str) -> None:
    own = replace(OWN, work_states={"UTC": "unable"}, unable_reasons={"dog": "UNSAFE"})

    (one,) = read(state, reason, own).things

    assert isinstance(one, Completion)
    assert (one.outcome, one.unable_reason, one.source_reason) == ("UNABLE", meant, reason)
    assert (one.removed, one.effective_at) == (MeterSeen("0071234"), AT)


@pytest.mark.parametrize("state", ["planned", "Dispatched", "en route", "in progress"])
def test_work_that_is_only_under_way_is_no_exchange(state: str) -> None:
    found = read(state, "")

    assert found.things == ()
    assert [(one.disposition, one.code) for one in found.refused] == [("REJECTED", str(NOT_SUPPORTED_HERE))]
