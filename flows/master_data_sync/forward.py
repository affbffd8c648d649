"""Telling the others what was applied: each thing to the roles that the routes name, once its territory is known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from canonical.customers import CustomerAgreement
from canonical.errors import ErrorCode
from canonical.ids import mint
from canonical.master_data import Link, Meter, MeterExchange, Verb, usage_point_of
from canonical.metering import UsagePoint
from flows.master_data_sync import statements
from flows.master_data_sync.masters import MASTERS
from flows.master_data_sync.outcome import Outcome
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.said import Said, facts_of, said_from
from flows.routing import deliver
from flows.routing.deliver import Sending
from flows.routing.routes import Facts
from flows.routing.territories import Atlas, Subject, Trouble, open_atlas
from flows.routing.territories import facts_of as facts_of_subject
from store import master_waiting, reference
from store.master_waiting import MasterWaiting
from store.rows import Row
from store.session import Session

LANE = "master_data"
"""One lane for each destination: a link never overtakes the meter or the usage point that it speaks of."""


def tell(session: Session, told: Sequence[Said], *, sending: Sending, retry_in: timedelta, late: bool = False) -> None:
    """Send applied things on, a message for each destination with its things only, in the order in which they came.

    `late`: they go after the rest of their message, so that their own message needs an id of its own.
    """
    for _, group in groupby(told, key=lambda said: (said.source, said.message_id)):
        things = tuple(group)
        goes: dict[str, list[Said]] = {}
        atlas = _atlas(session, things)
        for said in things:
            roles = _destinations(session, said, sending, atlas)
            if isinstance(roles, Trouble):
                _hold(session, said, roles, sending, retry_in)
                continue
            for role in roles:
                goes.setdefault(role, []).append(said)
        for role, own in goes.items():
            part = ",".join(str(one.place) for one in own) if late else ""
            sent = deliver.send(session, own[0].message(tuple(own)), role, sending=sending, lane=LANE, part=part)
            statements.told(session, own, destination=role, delivery_id=sent, now=sending.now)


def news(said: Said, outcome: Outcome, policy: Policy) -> list[Said]:
    """Return what others are to be told of a thing, with the hub's own ids.

    Where links begin at the hub (ruling 8), an exchange is also told as the links that it ends and begins, at the
    instants of the work.
    """
    if outcome.thing is None:
        return []
    own = replace(said, thing=outcome.thing)
    if not isinstance(own.thing, MeterExchange) or policy.origins.get("link") != "hub":
        return [own]
    work, found = own.thing, [own]
    if work.removed is not None:
        found.append(_step(own, "close", Link(work.usage_point, work.removed.meter), work.removed_at))
    if work.installed is not None:
        found.append(_step(own, "create", Link(work.usage_point, work.installed.meter), work.installed_at))
    return found


def _step(said: Said, verb: Verb, thing: Link, at: datetime) -> Said:
    """Return one link as a message of its own that the exchange causes."""
    own = mint("exchange-link", said.source, said.message_id, said.place, verb)
    return replace(
        said, message_id=own, wire_verb=verb, verb=verb, noun="MasterDataLinkageConfig", effective_at=at, thing=thing,
        stated=None, place=0,
    )  # fmt: skip


def retry(session: Session, row: Row, *, sending: Sending) -> bool:
    """Try to send a held thing again, and return whether it went."""
    said = said_from(row["said"])
    roles = _destinations(session, said, sending, None)
    if isinstance(roles, Trouble):
        return False
    for role in roles:
        sent = deliver.send(session, said.message((said,)), role, sending=sending, lane=LANE, part=str(said.place))
        statements.told(session, (said,), destination=role, delivery_id=sent, now=sending.now)
    master_waiting.settle(session, row["waiting_id"], state="done", now=sending.now)
    if row["said"].get("work"):
        deliver.resolve(session, row["said"]["work"], reason="it was passed on", now=sending.now)
    return True


def _atlas(session: Session, things: Sequence[Said]) -> Atlas:
    """Return what is known of the usage points that things name themselves."""
    return open_atlas(session, {point for one in things if (point := usage_point_of(one.thing))})


def _destinations(session: Session, said: Said, sending: Sending, atlas: Atlas | None) -> tuple[str, ...] | Trouble:
    """Return the roles that get a thing, or why nobody can say."""
    routes = sending.routes.of(said.noun, said.wire_verb, said.source)
    if not routes:
        return ()
    subject = _subject(session, said.thing)
    found = facts_of_subject(
        session, subject, routes=sending.routes, source=said.source, at=said.effective_at, atlas=atlas
    )
    if isinstance(found, Trouble):
        if any(route.needs_territory for route in routes):
            return found
        found = Facts()
    return sending.routes.destinations(said.noun, said.wire_verb, said.source, found)


def _subject(session: Session, thing: object) -> Subject:
    """Return what routing looks at: a usage point where there is one, else who created the thing."""
    if isinstance(thing, UsagePoint | Link | MeterExchange):
        return Subject((thing.usage_point,))
    if isinstance(thing, Meter):
        return Subject((), (thing.meter,), "meter", thing.meter)
    if isinstance(thing, CustomerAgreement):
        rows = reference.current(session, reference.AGREEMENT, "agreement", {thing.agreement})
        points = dict.fromkeys(row["usage_point"] for row in rows if row["usage_point"])
        return Subject(tuple(points), (), "agreement", thing.agreement)
    master = MASTERS[type(thing)]
    return Subject((), (), master.table.name, str(getattr(thing, master.key)))


def _hold(session: Session, said: Said, trouble: Trouble, sending: Sending, retry_in: timedelta) -> None:
    """Let a recorded thing wait for its territory; what lies at a usage point is a person's work at once."""
    subject = _subject(session, said.thing)
    facts = facts_of(said)
    if trouble.is_work:
        facts["work"] = deliver.work_id(trouble.code, subject.label)
    row = MasterWaiting(
        waiting_id=mint("waiting", "route", said.source, said.message_id, said.place),
        stage="route",
        source=said.source,
        message_id=said.message_id,
        place=said.place,
        said=facts,
        effective_at=said.effective_at,
        order_in_instant=said.order[1],
        said_at=said.stamp,
        due_at=sending.now + retry_in,
        first_at=sending.now,
        code=str(trouble.code),
        reason=trouble.reason,
    )
    master_waiting.add(session, row, awaited=_names(subject))
    if trouble.is_work:
        _work(session, trouble.code, subject, f"{said.wire_verb} {said.noun} waits: {trouble.reason}", sending)


def _work(session: Session, code: ErrorCode, subject: Subject, summary: str, sending: Sending) -> None:
    point = next(iter(subject.usage_points), "")
    queue = sending.routes.queue
    deliver.tell(session, code, subject.label, summary, queue=queue, now=sending.now, usage_point=point)


def _names(subject: Subject) -> tuple[str, ...]:
    """Return the ids by which a held thing is found again when something changes about them."""
    return tuple(one for one in (*subject.usage_points, *subject.meters, subject.object_id) if one)
