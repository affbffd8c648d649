"""Exchange orders as the work system is told of them: who, where, when, which meter goes and which comes."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Literal, cast
from zoneinfo import ZoneInfo

from canonical.ids import mint
from canonical.messages import Header, Message
from canonical.reading_types import Commodity
from canonical.rollout import FieldOrder
from flows.meter_rollout.rules import WaveRules
from flows.meter_rollout.verdicts import Candidate
from flows.routing.deliver import Telling
from store.rows import Row

SOURCE, NOUN = "hub", "MeterServiceRequests"


def field_order(
    order: Row, found: Candidate, rules: WaveRules, *, verb: Literal["create", "change", "cancel"]
) -> FieldOrder:
    """Return what a crew is asked to do on the planned day of an order, in the hours of the usage point's own zone."""
    day = date.fromisoformat(order["planned_day"])
    begins, ends = (datetime.combine(day, at, tzinfo=ZoneInfo(found.zone)).astimezone(UTC) for at in rules.window)
    hung = rules.hardware_for(found.customer_class, found.commodity)
    return FieldOrder(
        order["order_id"],
        order["wave"],
        verb,
        found.usage_point,
        found.name,
        cast("Commodity", found.commodity),
        day,
        begins,
        ends,
        order["old_meter"],
        found.manufacturer,
        found.serial,
        (hung.configuration or hung.model) if hung is not None else "",
        found.district,
        found.route,
        found.location,
        rules.contractor,
        order["attempts"] + 1,
    )


def tellings(
    told: Iterable[tuple[Row, FieldOrder]], destination: str, *, size: int, now: datetime
) -> Iterator[tuple[Telling, list[Row]]]:
    """Yield the messages that tell a work system of orders, all of one verb in each, with the orders of each.

    One order alone keeps the lane of its usage point. Ids follow from the orders and from what was told of them
    before: the same release made again after a crash says the same.
    """
    for some in _parts(told, size):
        orders = tuple(one for _, one in some)
        verb = orders[0].verb
        names = [f"{row['order_id']}/{row['delivery_id']}" for row, _ in some]
        own = mint("field_order", verb, destination, *names)
        lane = orders[0].usage_point if size == 1 else f"field orders of {orders[0].wave}"
        header = Header(
            own, SOURCE, verb, NOUN, own, created_at=now, effective_at=orders[0].window_from,
            expires_at=_useful_until(orders, now), lane=lane,
        )  # fmt: skip
        payload = orders[0] if size == 1 else orders
        yield Telling(Message(header, payload), destination, lane), [row for row, _ in some]


def _useful_until(orders: Iterable[FieldOrder], now: datetime) -> datetime | None:
    """Return when nobody can go any more; None for a cancellation, and where a person sends crews out after hours."""
    last = max((one.window_until for one in orders if one.verb != "cancel"), default=now)
    return last if last > now else None


def _parts(told: Iterable[tuple[Row, FieldOrder]], size: int) -> Iterator[Sequence[tuple[Row, FieldOrder]]]:
    """Yield orders in parts of one verb and one day, each no larger than allowed."""
    part: list[tuple[Row, FieldOrder]] = []
    for row, one in told:
        if part and (len(part) >= size or (one.verb, one.planned_day) != (part[-1][1].verb, part[-1][1].planned_day)):
            yield part
            part = []
        part.append((row, one))
    if part:
        yield part
