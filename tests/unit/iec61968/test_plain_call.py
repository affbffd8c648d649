"""A call that is read from its bytes says what its tree says; a comment in it changes the way, and nothing else."""

from itertools import product
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from canonical.errors import RejectedError
from iec61968 import soap
from iec61968.editions import EDITIONS
from iec61968.samples import sample_message
from iec61968.services_spoken import SERVICES
from iec61968.soap_call import Call, check_call
from iec61968.spoken_nouns import NOUNS

EDITION = EDITIONS["2011"]
SERVICE = SERVICES["GetMeterReadings"]
ASKED = soap.envelope(sample_message(NOUNS["GetMeterReadings"], kind="request", edition=EDITION))
BEGINS, ENDS = b"<e:Verb>get</e:Verb><e:Noun>MeterReadings</e:Noun>", b"</Header>"


def judged(raw: bytes, action: str = "", supported: tuple[str, ...] = SERVICE.operations) -> tuple[object, ...]:
    """Return all that checking a call finds out, and whether it needed its tree."""
    call = Call(SERVICE, EDITION, "partner", action, supported=supported)
    try:
        check_call(raw, call)
    except RejectedError as error:
        return (str(error.code), error.reason, error.where, call.operation), call.plain is None
    return (call.operation, call.binding, call.wire, call.ids, call.reported, call.header), call.plain is None


def commented(raw: bytes) -> bytes:
    """Return the same message with a comment that only a tree can leave out."""
    before, declared, behind = raw.partition(b"?>") if raw.startswith(b"<?xml") else (b"", b"", raw)
    return before + declared + b"<!-- -->" + behind


def headed(*parts: str) -> bytes:
    """Return the question with these parts in its Header."""
    head, _, rest = ASKED.partition(BEGINS)
    return head + "".join(parts).encode() + ENDS + rest.partition(ENDS)[2]


def part(name: str, value: str) -> str:
    node = etree.Element(name)
    node.text = value
    return etree.tostring(node, encoding="unicode").replace("<", "<e:", 1).replace("</", "</e:")


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12) | st.sampled_from(
    ["a&b", "]]>", " padded ", "x > y", "a\r\nb", "\u2028", "ü"]
)
STAMPS = st.builds(
    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{}".format,
    st.sampled_from([1, 999, 1000, 2024, 2026, 2999, 9999]),
    st.integers(1, 13),
    st.integers(1, 32),
    st.integers(0, 24),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from(["", ".5", ".123456", ".1234567"]),
    st.sampled_from(["Z", "+01:00", "-13:59", "+14:00", ""]),
)
FLAGS = st.sampled_from(["true", "false", "1", "0"])


@given(
    st.sampled_from(["get", "created", "GET", " get"]),
    st.sampled_from(["MeterReadings", "GetMeterReadings", "MeterConfig", " MeterReadings"]),
    STAMPS,
    st.lists(st.uuids().map(str) | st.just("A" * 36), min_size=2, max_size=2),
    st.fixed_dictionaries(
        {},
        optional={
            "Revision": TEXTS, "Context": TEXTS, "Source": TEXTS, "AsyncReplyFlag": FLAGS, "ReplyAddress": TEXTS,
            "AckRequired": FLAGS, "Comment": TEXTS, "Property": TEXTS,
        },
    ),
)  # fmt: skip
def test_a_header_reads_the_same_from_its_bytes_and_from_its_tree(
    verb: str, noun: str, stamp: str, ids: list[str], more: dict[str, str]
) -> None:
    said = {"Verb": verb, "Noun": noun, "Timestamp": stamp, "MessageID": ids[0], "CorrelationID": ids[1], **more}
    order = (
        *("Verb", "Noun", "Revision", "Context", "Timestamp", "Source", "AsyncReplyFlag", "ReplyAddress"),
        *("AckRequired", "MessageID", "CorrelationID", "Comment", "Property"),
    )
    raw = headed(*(part(name, said[name]) for name in order if name in said))

    found, _ = judged(raw)

    assert (found, True) == judged(commented(raw))


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_an_instant_whose_offset_leads_out_of_the_calendar_is_refused(stamp: str) -> None:
    found, _ = judged(ASKED.replace(b"2026-03-01T06:00:00Z", stamp.encode()))

    assert found[0] == "1117 BAD_XML_VALUE"  # type: ignore[index]


@pytest.mark.parametrize("action", ["", "http://iec.ch/TC57/2011/GetMeterReadings/GetMeterReadings", "urn:other"])
def test_a_soap_action_is_judged_the_same_way(action: str) -> None:
    found, by_tree = judged(ASKED, action)

    assert (found, True) == judged(commented(ASKED), action)
    assert by_tree == (action == "urn:other")


def test_what_nothing_takes_is_refused_with_its_header_read() -> None:
    found, by_tree = judged(ASKED, supported=())

    assert (found, True) == judged(commented(ASKED), supported=())
    assert (found[0], by_tree) == ("1113 NOT_SUPPORTED_HERE", False)  # type: ignore[index]


HEADER = b"<Header" + ASKED.partition(b"<Header")[2].partition(ENDS)[0] + ENDS
MESSAGE = ASKED.partition(b"<soap:Body>")[2].partition(b"</soap:Body>")[0]
STRANGE = HEADER.replace(b"<e:MessageID>8f726530", b"<e:MessageID>00000000")
PREFIX = b'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
VARIANTS = {
    "as it is": (ASKED, False),
    "blanks between all tags": (ASKED.replace(b"><", b">\r\n\t <"), False),
    "without a declaration": (ASKED.partition(b"?>\n")[2], False),
    "declared to stand alone": (ASKED.replace(b"'UTF-8'?", b"'UTF-8' standalone='yes'?"), False),
    "a declaration with many blanks": (ASKED.replace(b" encoding", b"  encoding"), True),
    "another prefix": (ASKED.replace(b"soap:", b"S-1.x:").replace(b"xmlns:soap", b"xmlns:S-1.x"), False),
    "blanks inside the tags": (ASKED.replace(b"</e:Verb>", b"</e:Verb >").replace(b"<Header ", b"<Header\n "), False),
    "a namespace on a part": (ASKED.replace(b"<e:Verb>", b'<e:Verb xmlns:x="urn:x">'), False),
    "a greater sign in an attribute": (ASKED.replace(PREFIX, PREFIX + b' xmlns:x="urn:x" x:y="a>b"'), True),
    "a reference": (ASKED.replace(b">get<", b">g&#101;t<"), True),
    "CDATA": (ASKED.replace(b">get<", b"><![CDATA[get]]><"), True),
    "an instruction": (ASKED.replace(b"<soap:Body", b"<?x y?><soap:Body"), True),
    "a mark of the byte order": (b"\xef\xbb\xbf" + ASKED, True),
    "another edition": (ASKED.replace(b"2011/GetMeterReadingsMessage", b"2017/GetMeterReadingsMessage"), True),
    "its like in the SOAP header": (
        ASKED.replace(b"<soap:Body", b"<soap:Header>" + STRANGE + b"</soap:Header><soap:Body"),
        True,
    ),
    "an empty SOAP header": (ASKED.replace(b"<soap:Body", b"<soap:Header/><soap:Body"), True),
}


def test_the_strange_header_is_another_one() -> None:
    assert STRANGE != HEADER


@pytest.mark.parametrize("name", VARIANTS)
def test_however_a_message_is_written_it_is_taken_and_says_the_same(name: str) -> None:
    raw, needs_tree = VARIANTS[name]

    found, by_tree = judged(raw)

    assert found == judged(ASKED)[0]
    assert by_tree == needs_tree


DISGUISES = {
    "two headers": ASKED.replace(HEADER, HEADER * 2),
    "a header of its own name space": ASKED.replace(b"<Header ", b'<Header xmlns="urn:x" '),
    "two messages": ASKED.replace(MESSAGE, MESSAGE * 2),
    "two bodies": ASKED.replace(b"</soap:Body>", b"</soap:Body><soap:Body>" + MESSAGE + b"</soap:Body>"),
    "something behind the body": ASKED.replace(b"</soap:Body>", b"</soap:Body><x/>"),
    "an envelope that is none": ASKED.replace(b"schemas.xmlsoap.org/soap", b"schemas.xmlsoap.org/soup"),
    "an empty body before it": ASKED.replace(b"<soap:Body>", b"<soap:Body/><soap:Body>"),
    "the noun in place of its message": ASKED.replace(b"GetMeterReadingsMessage", b"GetMeterReadings#"),
    "an attribute that nobody knows": ASKED.replace(b"<e:Verb>", b'<e:Verb a="b">'),
    "a part twice": ASKED.replace(b"<e:Noun>MeterReadings</e:Noun>", b"<e:Noun>MeterReadings</e:Noun>" * 2),
    "a set of operations": ASKED.replace(b"<Request", b"<Payload><e:OperationSet/></Payload><Request"),
    "cut short": ASKED[:-9],
    "another encoding": ASKED.replace(b"encoding='UTF-8'", b"encoding='ISO-8859-1'"),
    "a document type": ASKED.replace(b"?>", b"?><!DOCTYPE x>"),
}


@pytest.mark.parametrize("name", DISGUISES)
def test_what_only_looks_like_a_call_is_refused_as_its_tree_is(name: str) -> None:
    found, by_tree = judged(DISGUISES[name])

    assert by_tree
    assert (found, by_tree) == judged(commented(DISGUISES[name]))
    assert found[0] != SERVICE.name  # type: ignore[index]


@pytest.mark.parametrize(("service", "edition"), list(product(SERVICES, EDITIONS)))
def test_samples_of_every_service_need_no_tree_and_say_the_same(service: str, edition: str) -> None:
    own, spoken = SERVICES[service], EDITIONS[edition]
    kind: Literal["request", "event"] = "request" if own.kind in ("Get", "Execute") else "event"
    noun = NOUNS[own.name] if own.name in NOUNS else NOUNS[own.noun]
    raw = soap.envelope(sample_message(noun, kind=kind, edition=spoken))
    calls = [Call(own, spoken, "partner", "", supported=own.known_operations) for _ in range(2)]

    outcomes: list[tuple[object, ...]] = []
    for call, form in zip(calls, (raw, commented(raw)), strict=True):
        try:
            check_call(form, call)
            outcomes.append((call.operation, call.wire, call.ids))
        except RejectedError as error:
            outcomes.append((error.code, error.reason, error.where))

    assert outcomes[0] == outcomes[1]
    assert calls[1].plain is None
    if calls[0].plain is not None:
        assert str(UUID(calls[0].ids[0])) == calls[0].ids[0]
