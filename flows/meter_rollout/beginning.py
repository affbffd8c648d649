"""Beginning the steps that may begin: told to their systems, given to a person, or waited for; many orders at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from canonical.codes.rollout_steps import STEP_BY_HAND
from canonical.master_data import MasterData
from flows.manual_route.certification import certified
from flows.master_data_sync import statements
from flows.master_data_sync.said import said_in
from flows.meter_rollout import subjects, telling, trouble
from flows.meter_rollout.belief import reads_by
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.progress import UNDO, Track, definition, ready
from flows.meter_rollout.saying import message_of
from flows.meter_rollout.steps import WITH_READINGS, Says
from flows.meter_rollout.subjects import Exchange
from flows.meter_rollout.telling import Saying
from flows.meter_rollout.trouble import Trouble
from flows.routing.deliver import Sending
from store import deliveries
from store.session import Session

NOTHING_HELD: Mapping[str, datetime] = MappingProxyType({})
LOOK_AGAIN_IN = timedelta(minutes=15)
"""Between two looks for what another system has to begin, or for a bill; business time."""


@dataclass(slots=True)
class Begun:
    """What was begun for a batch, before it is written."""

    sayings: list[Saying] = field(default_factory=list)
    """Steps of which systems are to be told."""

    sent: int = 0
    """Messages that tell of them, once they are enqueued."""

    troubles: list[Trouble] = field(default_factory=list)
    reads: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """How usage points are read from when on, by mRID: that the hub itself believes from now on."""

    off_route: list[str] = field(default_factory=list)
    """Usage points that no reader visits any more."""


def begin_ready(session: Session, tracks: Sequence[Track], begun: Begun, *, policy: Policy, sending: Sending) -> None:
    """Begin every step of some orders that may begin, and what becomes possible by it; then tell all that was begun."""
    while wanted := [(track, name) for track in tracks for name in ready(track)]:
        facts = {_key(track, name): track.facts(name) for track, name in wanted}
        read = {_key(track, name) for track, name in wanted if _says(name) in WITH_READINGS}
        spoken = subjects.exchanges(session, facts, read=read)
        for track, name in wanted:
            begin_step(track, name, spoken[_key(track, name)], begun, policy=policy, sending=sending)
    _send(session, begun, policy=policy, sending=sending)


def _send(session: Session, begun: Begun, *, policy: Policy, sending: Sending) -> None:
    """Enqueue what was begun, and let the hub believe what it tells."""
    told = list(telling.told(session, begun.sayings, policy=policy, sending=sending))
    deliveries.enqueue_many(session, [one.outgoing for one in told], now=sending.now)
    begun.sent = len(told)
    stated = [
        (said, saying.role, one.outgoing.delivery_id)
        for one in told
        for saying in one.sayings
        if isinstance(saying.message.payload, MasterData)
        for said in said_in(saying.message, now=sending.now)
    ]
    statements.told_each(session, stated, now=sending.now)
    reads_by(session, begun.reads, now=sending.now)
    certified(session, begun.off_route)


def begin_step(
    track: Track, name: str, one: Exchange, begun: Begun, *, policy: Policy, sending: Sending, passed_on: bool = False
) -> None:
    """Begin one step; `passed_on`: its origin has begun it, so that it only has to be told further."""
    step, now = definition(name), sending.now
    track.put(name, began_at=now, due_at=None)
    if step.system is None:
        track.put(name, state="AWAITED", due_at=_first_look(name, one, policy))
    elif policy.origin_of(name) != "hub" and not passed_on:
        track.put(name, state="AWAITED", due_at=now)
    elif name == "ROUTE":
        begun.off_route.append(one.usage_point)
        track.put(name, state="CONFIRMED", ended_at=now)
    else:
        if step.name == "CIS_AMI":
            by = "MANUAL" if name.startswith(UNDO) else "AMI"
            begun.reads[one.usage_point] = (by, _since(track, now))
        _tell(track, name, one, begun, policy=policy, sending=sending)


def _tell(track: Track, name: str, one: Exchange, begun: Begun, *, policy: Policy, sending: Sending) -> None:
    """Tell the system of a step, or the person who stands in for it; where there is neither, nobody is told."""
    step, row, now = definition(name), track.rows[name], sending.now
    if step.system in policy.manual:
        about = f"{track.order['order_id']}:{name}:{row['attempt']}"
        said = f"for {step.system}: {name.lower().replace('_', ' ')} of usage point {one.usage_point}, order {about}"
        track.put(name, state="MANUAL", work_id=trouble.work_id(STEP_BY_HAND, about))
        begun.troubles.append(Trouble(STEP_BY_HAND, about, said, one.usage_point, track.order["new_meter"]))
        return
    message = message_of(_says(name), name, one, attempt=row["attempt"], now=now, since=_since(track, now))
    role = policy.roles.get(step.system or "", "")
    if message is None or not role:
        state = "CONFIRMED" if step.name == "CIS_AMI" else "NOT_NEEDED"
        track.put(name, state=state, ended_at=now, reason="there is nobody, or nothing, to tell")
        return
    track.put(name, state="SENT", role=role)
    begun.sayings.append(Saying(track, name, message, role))


def _first_look(name: str, one: Exchange, policy: Policy) -> datetime:
    """Return when it is late that a meter is not heard, or when its first days are over."""
    if name == "HEARD":
        return one.installed_at + timedelta(hours=policy.not_heard_hours[0])
    return one.installed_at + timedelta(days=policy.verification_days)


def _since(track: Track, now: datetime) -> datetime:
    """Return from when on the usage point is read by the head-end: from its verification."""
    row = track.rows.get("VERIFIED")
    ended: datetime | None = row["ended_at"] if row is not None else None
    return ended or now


def _says(name: str) -> Says:
    """Return what a step says, or what it says when it is taken back."""
    return definition(name).undo if name.startswith(UNDO) else definition(name).says


def _key(track: Track, name: str) -> tuple[str, bool]:
    return track.order["order_id"], name.startswith(UNDO)
