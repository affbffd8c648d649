"""Letters as properties and as rows, and back; what strangers put into headers; what topology follows from a table."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import BasicProperties, frame, spec

from canonical.codes import messaging as codes
from canonical.errors import MisconfiguredError
from messaging.embedded_file import letter_from_text, properties_to_text
from messaging.letter_frames import ENVELOPE, letter_frames
from messaging.letters import LONGEST_NAME, Letter
from messaging.properties import CODE, REASON, count, letter_of, properties_of, why_parked
from messaging.topology import UNROUTED, QueueSet, Topology

NAMES = st.text(max_size=60)
INSTANTS = st.none() | st.integers(0, 10**15).map(
    lambda n: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(microseconds=n)
)
LETTERS = st.builds(
    Letter,
    body=st.binary(max_size=50),
    message_id=NAMES,
    source=NAMES,
    correlation_id=NAMES,
    causation_id=NAMES,
    verb=NAMES,
    noun=NAMES,
    schema_version=NAMES,
    created_at=INSTANTS,
    effective_at=INSTANTS,
    expires_at=INSTANTS,
    priority=st.sampled_from(["high", "normal"]),
    lane=NAMES,
    reply_to=NAMES,
    content_type=NAMES,
    content_encoding=st.sampled_from(["", "gzip"]),
)


@given(LETTERS)
def test_a_letter_reads_back_from_its_properties(letter: Letter) -> None:
    assert letter_of(letter.body, properties_of(letter), priority=letter.priority) == letter


@given(LETTERS, st.integers(1, 60))
def test_a_letter_goes_out_in_the_very_frames_that_pika_would_make_of_it(letter: Letter, room: int) -> None:
    publish = spec.Basic.Publish(exchange="x", routing_key=letter.priority, mandatory=True)
    head = frame.Header(7, len(letter.body), properties_of(letter))
    parts = [frame.Body(7, letter.body[at : at + room]) for at in range(0, len(letter.body), room)]

    frames = letter_frames(7, "x", letter, largest=room + ENVELOPE)

    assert frames == b"".join(one.marshal() for one in (frame.Method(7, publish), head, *parts))


@given(LETTERS)
def test_a_letter_reads_back_from_its_row(letter: Letter) -> None:
    assert letter_from_text(properties_to_text(letter), letter.body) == letter


@given(
    st.dictionaries(
        st.sampled_from(["source", "verb", "created_at", "expires_at", "lane", "amihub_retries", "x-delivery-count"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.binary(max_size=9)
        | st.text(max_size=9)
        | st.lists(st.integers()),
    ),
    st.none() | st.integers(),
    st.none() | st.binary(max_size=9) | st.text(max_size=9),
)
def test_whatever_a_stranger_writes_a_letter_comes_of_it(
    headers: dict[str, object], stamp: object, name: object
) -> None:
    properties = BasicProperties(headers=headers, timestamp=stamp, message_id=name, reply_to=name)

    letter = letter_of(b"x", properties, priority="normal")

    assert letter.body == b"x"
    assert count(properties, "amihub_retries") >= 0
    assert all(at is None or at.utcoffset() == timedelta(0) for at in (letter.created_at, letter.expires_at))


def test_instants_of_others_are_kept_in_utc_and_those_without_offset_are_none() -> None:
    local = datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=-5)))
    properties = BasicProperties(headers={"effective_at": local.isoformat(), "expires_at": "2026-03-02T01:00:00"})

    letter = letter_of(b"", properties, priority="high")

    assert (letter.effective_at, letter.expires_at) == (datetime(2026, 3, 2, 6, tzinfo=UTC), None)


def test_why_a_letter_is_parked_is_told_by_code_whoever_parked_it() -> None:
    ours = BasicProperties(headers={CODE: "1228 DELIVERED_TOO_OFTEN", REASON: "why", "x-first-death-reason": "expired"})
    brokers = [
        BasicProperties(headers={"x-first-death-reason": word}) for word in ("expired", "delivery_limit", "other")
    ]

    assert why_parked(ours) == ("1228 DELIVERED_TOO_OFTEN", "why")
    assert [why_parked(one)[0] for one in brokers] == [
        str(codes.LETTER_EXPIRED),
        str(codes.DELIVERED_TOO_OFTEN),
        "other",
    ]


def test_a_name_that_no_broker_can_hold_is_refused_at_once() -> None:
    Letter(b"", "é" * (LONGEST_NAME // 2))

    with pytest.raises(ValueError, match="message_id"):
        Letter(b"", "é" * (LONGEST_NAME // 2 + 1))


def test_a_letter_waits_for_the_span_between_its_making_and_its_end() -> None:
    made = datetime(2026, 3, 2, tzinfo=UTC)

    spans = [
        Letter(b"", "i", created_at=made, expires_at=at).useful_ms for at in (made + timedelta(seconds=1.5), made, None)
    ]

    assert spans == [1500, 0, None]
    assert Letter(b"", "i", expires_at=made).useful_ms is None


TABLE = Topology((QueueSet("mdms", "in", {"high": 60}), QueueSet("oms", "out", {"normal": 3600})), retry_s=7)


def test_every_queue_is_filled_by_an_exchange_of_the_same_table() -> None:
    exchanges = {one.name for one in TABLE.exchanges()}

    for quorum in (True, False):
        queues = TABLE.queues(quorum=quorum)
        assert {one.exchange for one in queues} == exchanges
        assert len({one.name for one in queues}) == len(queues)
        targets = {value for one in queues for name, value in one.arguments if name == "x-dead-letter-exchange"}
        assert targets <= exchanges


def test_priorities_are_queues_and_usefulness_is_their_own() -> None:
    found = {one.name: dict(one.arguments) for one in TABLE.queues(quorum=True)}

    assert found["amihub.in.mdms.high"]["x-message-ttl"] == 60_000
    assert "x-message-ttl" not in found["amihub.in.mdms.normal"]
    assert found["amihub.in.mdms.retry"]["x-message-ttl"] == 7_000
    assert found["amihub.in.mdms.retry"]["x-dead-letter-exchange"] == "amihub.in.mdms"
    assert found["amihub.out.oms.normal"]["x-dead-letter-exchange"] == "amihub.out.oms.park"
    assert "x-dead-letter-exchange" not in found["amihub.out.oms.park"]


def test_strangers_are_caught_and_our_own_mistakes_come_back() -> None:
    alternates = {one.name: dict(one.arguments).get("alternate-exchange") for one in TABLE.exchanges()}

    assert alternates["amihub.in.mdms"] == UNROUTED
    assert alternates["amihub.out.oms"] is None


def test_classic_queues_are_asked_for_nothing_that_they_cannot_do() -> None:
    asked = {name for one in TABLE.queues(quorum=False) for name, _ in one.arguments}

    assert asked.isdisjoint({"x-delivery-limit", "x-dead-letter-strategy"})


def test_an_unknown_key_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(MisconfiguredError, match=r"in\.mdms, out\.oms"):
        TABLE.find("in.oms")
