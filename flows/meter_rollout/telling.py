"""Telling systems of the steps that were begun: each alone, or many in one message where a system takes them so.

Alone, a message keeps its place in the lane of its usage point. A message of several has a lane of its own, so it takes
only what nothing goes before: steps of one exchange follow each other by what is confirmed (`progress`), and whatever
else concerns the usage point goes behind what waits for it, alone and in that lane.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from canonical.errors import RejectedError
from canonical.ids import mint_near
from canonical.messages import Header, Message, Several
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.progress import UNDO, Track, definition
from flows.meter_rollout.saying import SOURCE
from flows.routing.deliver import Sending
from store import step_lanes
from store.deliveries import Outgoing
from store.session import Session


@dataclass(frozen=True, slots=True)
class Saying:
    """One step of an order, as its system is to be told."""

    track: Track
    name: str
    message: Message[Any]
    role: str

    @property
    def usage_point(self) -> str:
        """Return the mRID of the usage point."""
        return str(self.track.order["usage_point"])


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery, and what it tells."""

    outgoing: Outgoing
    sayings: tuple[Saying, ...]


def told(session: Session, sayings: Sequence[Saying], *, policy: Policy, sending: Sending) -> Iterator[Told]:
    """Yield the deliveries that tell of steps, and note with each step by which it goes, or that it has no words.

    What cannot be said in one message goes alone, so that only that is refused which cannot be said at all.
    """
    for part in _parts(session, sayings, policy):
        several = _together(part, policy, sending) if len(part) > 1 else None
        if several is not None:
            yield several
        else:
            yield from (found for one in part if (found := _alone(one, policy, sending)))


def _alone(one: Saying, policy: Policy, sending: Sending) -> Told | None:
    """Return the delivery of one step; None where its system's adapter has no words for it."""
    try:
        parcel = sending.encode(one.role, one.message)
    except RejectedError as error:
        one.track.put(one.name, state="REFUSED", code=str(error.code), reason=error.reason, ended_at=sending.now)
        return None
    outgoing = Outgoing(
        one.message.header, parcel, one.role, sending.now + policy.confirm_time(definition(one.name).name)
    )
    one.track.put(one.name, delivery_id=outgoing.delivery_id, operation=0)
    return Told(outgoing, (one,))


def _together(part: Sequence[Saying], policy: Policy, sending: Sending) -> Told | None:
    """Return the one delivery of several steps; None where not all of them can be said in one message."""
    first = part[0].message.header
    own = mint_near(first.message_id, "rollout-steps", part[0].role, *(one.message.header.message_id for one in part))
    begins = [one.message.header.effective_at for one in part if one.message.header.effective_at is not None]
    header = Header(
        own, SOURCE, first.verb, first.noun, own, created_at=sending.now, effective_at=min(begins, default=None),
        lane=own,
    )  # fmt: skip
    try:
        parcel = sending.encode(part[0].role, Message(header, Several(tuple(one.message for one in part))))
    except RejectedError:
        return None
    outgoing = Outgoing(header, parcel, part[0].role, sending.now + policy.confirm_time(part[0].name))
    for number, one in enumerate(part, 1):
        one.track.put(one.name, delivery_id=outgoing.delivery_id, operation=number)
    return Told(outgoing, tuple(part))


def _parts(session: Session, sayings: Sequence[Saying], policy: Policy) -> Iterator[Sequence[Saying]]:
    """Yield steps as they go: alike ones of one role together as many as it takes, and before them those alone."""
    alike: dict[tuple[str, ...], list[Saying]] = {}
    places = _places(session, sayings, policy)
    for one in sayings:
        place = places.get((one.role, one.usage_point), _Place())
        lane = place.lane_for(one)
        if one.role not in policy.several or lane is not None:
            yield (_in_lane(one, lane or one.message.header.lane),)
            continue
        header = one.message.header
        alike.setdefault((one.role, one.name, header.verb, header.noun), []).append(one)
    for (role, *_), found in alike.items():
        size = policy.several[role]
        yield from (found[at : at + size] for at in range(0, len(found), size))


@dataclass(slots=True)
class _Place:
    """A usage point at one role, as far as several messages about it must keep their order."""

    orders: set[str] = field(default_factory=set)
    """Orders of which something is told now."""

    is_busy: bool = False
    """Whether something waits in its own lane."""

    joined: Mapping[str, str] = field(default_factory=dict)
    """Lane of a message of several that waits, by order."""

    def lane_for(self, one: Saying) -> str | None:
        """Return the lane in which a step has to go alone; None where nothing goes before it."""
        own = one.message.header.lane
        undone = (one.track.rows[one.name]["facts"] or {}).get("lane", "") if one.name.startswith(UNDO) else ""
        if one.name.startswith(UNDO):
            return undone or own
        others = [lane for order, lane in self.joined.items() if order != one.track.order["order_id"]]
        if others:
            return others[-1]
        return own if self.is_busy or len(self.orders) > 1 else None


def _places(session: Session, sayings: Sequence[Saying], policy: Policy) -> dict[tuple[str, str], _Place]:
    """Return what stands in the way of telling several at once: two queries for each role that takes them so."""
    found: dict[tuple[str, str], _Place] = {}
    for one in sayings:
        place = found.setdefault((one.role, one.usage_point), _Place())
        place.orders.add(one.track.order["order_id"])
    for role in {one.role for one in sayings} & policy.several.keys():
        points = {point for known, point in found if known == role}
        busy, joined = step_lanes.busy(session, role, points), step_lanes.joined(session, role, points)
        for point in points:
            place = found[role, point]
            place.is_busy, place.joined = point in busy, joined.get(point, {})
    return found


def _in_lane(one: Saying, lane: str) -> Saying:
    """Return a step whose message goes in a lane."""
    message = one.message
    return (
        one
        if message.header.lane == lane
        else replace(one, message=replace(message, header=replace(message.header, lane=lane)))
    )
