"""The header of a message as we write them is read from its bytes, and says what its tree says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.errors import RejectedError
from iec61968.bare_parcels import _plain_header, _told_by, _usual_facts, header_of

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="<>&\r\n\t \x00", exclude_categories=("C", "Z")), max_size=20
)
ID = "b3f5b2df-2316-5c7d-83ea-f1b0af56080e"
WHEN = st.integers(0, 10**9).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


def message(source: str, when: datetime, pairs: list[tuple[str, str]], more: str = "") -> bytes:
    properties = "".join(f"<Property><Name>{n}</Name><Value>{v}</Value></Property>" for n, v in pairs)
    return (
        '<EventMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>created</Verb><Noun>MeterConfig</Noun>'
        f"<Timestamp>{when.isoformat()}</Timestamp><Source>{source}</Source><MessageID>{ID}</MessageID>"
        f"<CorrelationID>{ID}</CorrelationID>{more}{properties}</Header><Payload><Header><Verb>get</Verb></Header></Payload>"
        "</EventMessage>"
    ).encode()


@given(TEXT.filter(bool), WHEN, st.lists(st.tuples(TEXT.filter(bool), TEXT.filter(bool)), max_size=3))
def test_bytes_say_what_the_tree_says(source: str, when: datetime, pairs: list[tuple[str, str]]) -> None:
    raw = message(source, when, pairs)
    found = _plain_header(raw)
    assert found is not None
    assert found == header_of(raw)


PARTS = ("Verb", "Noun", "Timestamp", "Source", "MessageID", "CorrelationID")
OTHER = "<Header><Timestamp>1</Timestamp><MessageID>x</MessageID><CorrelationID>y</CorrelationID></Header>"
IDS = st.tuples(st.uuids().map(str), st.booleans()).map(lambda one: one[0].replace("-", "&#45;") if one[1] else one[0])


@given(st.permutations(PARTS), st.lists(st.tuples(IDS, IDS, WHEN), min_size=2, max_size=2))
def test_messages_that_differ_in_their_ids_and_instants_are_told_apart_whatever_the_order(
    order: list[str], messages: list[tuple[str, str, datetime]]
) -> None:
    for message_id, correlation_id, when in messages:
        said = {"Verb": "created", "Noun": "MeterConfig", "Timestamp": when.isoformat(), "Source": "AMIHUB"}
        said |= {"MessageID": message_id, "CorrelationID": correlation_id}
        header = "".join(f"<{name}>{said[name]}</{name}>" for name in order)
        raw = f"<EventMessage><Header>{header}</Header><Payload>{OTHER}</Payload></EventMessage>".encode()

        found = _usual_facts(raw)

        assert found == (_told_by(header_of(raw)) if found is not None else None)
        assert found is not None or "&" in header or order != list(PARTS)


@pytest.mark.parametrize(
    "more",
    [
        "<Comment>words</Comment>",
        "<Verb>change</Verb>",
        '<Source lang="en">X</Source>',
        "<User><UserID>u</UserID></User>",
        "<!-- a comment -->",
        "<Name>alone</Name>",
    ],
)
def test_whatever_is_written_in_another_way_is_left_to_the_parser(more: str) -> None:
    raw = message("AMIHUB", datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=6), [], more)
    assert _plain_header(raw) is None


def test_an_instant_without_offset_is_refused_either_way() -> None:
    raw = message("AMIHUB", datetime(2026, 3, 2, 6, tzinfo=UTC), []).replace(b"+00:00", b"")
    with pytest.raises(RejectedError):
        _plain_header(raw)
    with pytest.raises(RejectedError):
        _usual_facts(raw)
    with pytest.raises(RejectedError):
        header_of(raw)
