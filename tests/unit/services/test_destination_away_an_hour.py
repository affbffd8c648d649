"""A destination that is away for an hour, on the clock of the machine: nobody else waits, and nobody needs to act."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from canonical.codes.messaging import BROKER_AWAY
from canonical.errors import UnavailableError
from canonical.messages import Header, Message, Outcome, Parcel
from flows import inquiry
from flows.delivery import relay_once, waiting_for
from services.delivery_policy import delivery_policy
from services.role_section import DeliverySection
from store import deliveries
from store.session import Transaction

pytestmark = pytest.mark.slow

BEGIN = datetime(2026, 3, 2, 6, tzinfo=UTC)
HOUR, STEP = timedelta(hours=1), timedelta(seconds=15)
POLICY = delivery_policy(DeliverySection())
"""What a site has that says nothing of pace and patience."""


class Partner:
    """A destination that is away until an instant, and counts what it is brought."""

    def __init__(self, *, back_at: datetime = BEGIN) -> None:
        self.back_at, self.clock = back_at, BEGIN
        self.asked: list[datetime] = []
        self.brought: Counter[str] = Counter()

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        return _parcel(message.header.message_id)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        self.asked.append(self.clock)
        if self.clock < self.back_at:
            raise UnavailableError("no answer", code=BROKER_AWAY)
        self.brought.update(one.name for one in parcels)
        return [Outcome("confirmed")] * len(parcels)


def _parcel(name: str) -> Parcel:
    return Parcel(name, "text/plain", sha256(b"42 kWh").hexdigest(), 6, b"42 kWh", key=name)


@pytest.mark.parametrize("count", [1, 3, 300])
def test_after_an_hour_away_everything_arrives_once_and_nobody_had_to_act(
    transaction: Transaction, tmp_path: Path, count: int
) -> None:
    away, other = Partner(back_at=BEGIN + HOUR), Partner()
    names = [f"delivery-{number}" for number in range(count)]
    with transaction() as session:
        for name in names:
            for destination in ("head_end", "mdms"):
                header = Header(f"{destination}-{name}", "hub", "created", "MeterConfig", created_at=BEGIN)
                deliveries.enqueue(session, header=header, parcel=_parcel(name), destination=destination, now=BEGIN)

    clock, other_done_at, parked = BEGIN, None, 0
    while waiting_for(transaction=transaction, machine_now=clock + timedelta(days=1)):
        away.clock = other.clock = clock
        report = relay_once(
            {"head_end": away, "mdms": other},
            transaction=transaction,
            spool=tmp_path,
            now=clock,
            machine_now=clock,
            policies={"head_end": POLICY, "mdms": POLICY},
        )
        parked += report.parked
        if other_done_at is None and len(other.brought) == count:
            other_done_at = clock
        clock += STEP
        assert clock < BEGIN + 3 * HOUR

    assert (parked, len(inquiry.parked(transaction=transaction))) == (0, 0)
    assert away.brought == other.brought == Counter(names)
    assert other_done_at is not None
    assert other_done_at <= BEGIN + timedelta(minutes=5)
    # It is asked now and then, not hammered: by a batch or two a minute at first, then every quarter of an hour.
    assert len([at for at in away.asked if at < BEGIN + HOUR]) <= 15


def test_the_shortest_patience_of_any_delivery_is_longer_than_an_hour() -> None:
    waits = [POLICY.wait_s(f"delivery-{n}", failures) for n in range(50) for failures in range(1, POLICY.attempts)]

    assert min(sum(waits[n : n + POLICY.attempts - 1]) for n in range(0, len(waits), POLICY.attempts - 1)) > 3600
