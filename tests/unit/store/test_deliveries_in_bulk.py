"""Many deliveries in one go are what one by one would be, on both databases' rules for keys that come again."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from sqlmodel import select

from canonical.codes.message import DELIVERY_KEY_REUSED
from canonical.errors import RejectedError
from canonical.messages import Header, Parcel
from store.deliveries import Delivery, DeliveryPayload, Outgoing, enqueue, enqueue_many
from store.session import Transaction

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def outgoing(number: int, body: bytes = b"", destination: str = "mdms") -> Outgoing:
    body = body or f"<body>{number}</body>".encode()
    parcel = Parcel("changed", "application/xml", sha256(body).hexdigest(), len(body), body, key=f"k{number}")
    return Outgoing(Header(f"m{number}", "hub", "changed", "MeterConfig", lane=f"up{number % 3}"), parcel, destination)


def test_they_go_in_the_order_given_each_with_its_bytes(transaction: Transaction) -> None:
    many = [outgoing(number) for number in (5, 1, 9, 3)]
    with transaction() as session:
        names = enqueue_many(session, many, now=NOW)
        rows = session.exec(select(Delivery).order_by(Delivery.sequence)).all()  # type: ignore[arg-type]
        bodies = {row.delivery_id: row.body for row in session.exec(select(DeliveryPayload)).all()}
    assert [row.delivery_id for row in rows] == names
    assert [row.key for row in rows] == ["k5", "k1", "k9", "k3"]
    assert [bodies[name] for name in names] == [one.parcel.body for one in many]
    assert {row.state for row in rows} == {"pending"}


def test_what_stands_there_already_is_the_same_delivery(transaction: Transaction) -> None:
    one = outgoing(1)
    with transaction() as session:
        alone = enqueue(session, header=one.header, parcel=one.parcel, destination=one.destination, now=NOW)
    with transaction() as session:
        names = enqueue_many(session, [outgoing(0), outgoing(1), outgoing(1), outgoing(2)], now=NOW)
        assert len(session.exec(select(Delivery)).all()) == 3
        assert len(session.exec(select(DeliveryPayload)).all()) == 3
    assert names[1] == names[2] == alone


@pytest.mark.parametrize("where", ["before", "beside"])
def test_a_key_with_other_bytes_refuses_all(transaction: Transaction, where: str) -> None:
    other = outgoing(1, b"<other/>")
    if where == "before":
        with transaction() as session:
            enqueue_many(session, [other], now=NOW)
    many = [outgoing(0), outgoing(1)] + ([other] if where == "beside" else [])
    with pytest.raises(RejectedError) as refused, transaction() as session:
        enqueue_many(session, many, now=NOW)
    assert refused.value.code == DELIVERY_KEY_REUSED
    with transaction() as session:
        kept = [row.key for row in session.exec(select(Delivery)).all()]
    assert kept == (["k1"] if where == "before" else [])


def test_more_than_one_question_holds(transaction: Transaction) -> None:
    many = [outgoing(number) for number in range(1201)]
    with transaction() as session:
        first = enqueue_many(session, many, now=NOW)
    with transaction() as session:
        assert enqueue_many(session, many, now=NOW) == first
        assert len(session.exec(select(Delivery)).all()) == 1201
