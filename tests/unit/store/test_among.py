"""One parameter for many values says what one for each would, on both databases."""

from datetime import UTC, datetime

from sqlmodel import select

from store.among import among
from store.deliveries import DELIVERY, Delivery
from store.session import Transaction

NOW = datetime(2026, 5, 4, tzinfo=UTC)
ODD = ['with "quotes"', "a, comma", "back\\slash", "æøå", "{braces}", ""]


def test_texts_and_numbers_are_found_and_nothing_else(transaction: Transaction) -> None:
    with transaction() as session:
        for number, name in enumerate(ODD):
            session.add(
                Delivery(
                    sequence=number + 1, delivery_id=f"d{number}", destination=name, key=f"k{number}", message_id="m",
                    name="n", content_type="t", sha256="s", size=1, enqueued_at=NOW,
                )
            )  # fmt: skip
    with transaction() as session:
        texts = select(DELIVERY.c.sequence).where(among(session, DELIVERY.c.destination, ODD[1:4]))
        numbers = select(DELIVERY.c.destination).where(among(session, DELIVERY.c.sequence, [1, 6, 99]))
        nobody = select(DELIVERY.c.sequence).where(among(session, DELIVERY.c.sequence, []))
        many = select(DELIVERY.c.sequence).where(
            among(session, DELIVERY.c.delivery_id, [f"d{n}" for n in range(50_000)])
        )
        assert sorted(session.execute(texts).scalars()) == [2, 3, 4]
        assert sorted(session.execute(numbers).scalars()) == ["", 'with "quotes"']
        assert list(session.execute(nobody).scalars()) == []
        assert len(list(session.execute(many).scalars())) == len(ODD)
