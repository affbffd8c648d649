"""Applying one thing that a master said: to its master, to what is linked, or to the list of what waits."""

from datetime import datetime

from canonical.codes.linkage import ALREADY_LINKED, BACKDATED_TOO_FAR, NOT_THE_ORIGIN, PERIODS_INTERSECT, STILL_IN_USE
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.master_data import Link, MeterExchange
from canonical.names import normal_serial
from flows.master_data_sync import backdating, not_owned
from flows.master_data_sync.exchange import exchange
from flows.master_data_sync.links import link
from flows.master_data_sync.masters import MASTERS
from flows.master_data_sync.matching import Clocks
from flows.master_data_sync.outcome import Outcome
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.record import record
from flows.master_data_sync.said import Said, facts_of, said_from
from flows.routing import deliver
from store import master_waiting
from store.master_waiting import MasterWaiting
from store.session import Session


def apply(session: Session, said: Said, *, policy: Policy, now: datetime) -> Outcome:
    """Apply one thing and return what became of it; a refusal leaves nothing of it behind.

    A link waits behind earlier ones of the same usage point or meter that wait themselves, so that they are applied in
    the order of their times.

    Raises:
        RejectedError: it is refused, with code and reason.
    """
    _check_origin(said, policy)
    before = _behind(session, said)
    if before is not None:
        return before
    try:
        with session.begin_nested() as whole:
            outcome = _applied(session, said, policy=policy, now=now)
            if outcome.disposition != "APPLIED":
                return outcome
            too_far = backdating.reaches_too_far(session, said, outcome, policy=policy, now=now)
            if too_far:
                whole.rollback()
                return _held_for_approval(said, too_far)
            backdating.follow_up(session, said, outcome, now=now)
            return outcome
    except RejectedError as error:
        if not said.spans or error.code not in _IN_THE_WAY:
            raise
        # Lines of a file come in any order: what stands in the way may end by a later line.
        name, kind = object_of(said)
        return Outcome("WAITING", name, kind, awaited=_words(said), code=str(error.code), reason=error.reason)


def _held_for_approval(said: Said, reason: str) -> Outcome:
    name, kind = object_of(said)
    return Outcome("WAITING", name, kind, code=str(BACKDATED_TOO_FAR), reason=reason, needs_approval=True)


def _applied(session: Session, said: Said, *, policy: Policy, now: datetime) -> Outcome:
    """Apply one thing by what it is."""
    if isinstance(said.thing, Link):
        return link(session, said, said.thing, policy=policy, now=now)
    if isinstance(said.thing, MeterExchange):
        not_owned.check_link(said, "installation", "meter", policy)
        return exchange(session, said, said.thing, now=now, clocks=Clocks(policy.grains))
    return record(session, said, policy=policy, now=now)


_IN_THE_WAY = frozenset({ALREADY_LINKED, PERIODS_INTERSECT, STILL_IN_USE})
"""Why an item of a file waits that a message would be refused for."""


def wait(session: Session, said: Said, outcome: Outcome, *, policy: Policy, now: datetime) -> bool:
    """Let a thing wait for what it needs, or for a person's approval, which is work; False: it waits already."""
    row = MasterWaiting(
        waiting_id=waiting_id(said),
        stage="approve" if outcome.needs_approval else "apply",
        state="parked" if outcome.needs_approval else "waiting",
        code=outcome.code,
        source=said.source,
        message_id=said.message_id,
        place=said.place,
        said=facts_of(said),
        effective_at=said.effective_at,
        order_in_instant=said.order[1],
        said_at=said.stamp,
        due_at=now + policy.search_interval,
        first_at=now,
        reason=outcome.reason,
    )
    if outcome.needs_approval:
        name, kind = object_of(said)
        summary = f"{said.wire_verb} {said.noun} of {said.source}, {kind} {name}: {outcome.reason}"
        deliver.tell(session, BACKDATED_TOO_FAR, row.waiting_id, summary, queue=policy.queue, now=now)
    return master_waiting.add(session, row, awaited=outcome.awaited)


def waiting_id(said: Said) -> str:
    """Return the id under which a thing waits to be applied."""
    return mint("waiting", said.source, said.message_id, said.place)


def object_of(said: Said) -> tuple[str, str]:
    """Return id and CIM class of a thing as its sender names it, for who is told that it was refused."""
    thing = said.thing
    kind = type(thing).__name__
    if isinstance(thing, Link | MeterExchange):
        return thing.usage_point or thing.usage_point_name, "UsagePoint"
    own = str(getattr(thing, MASTERS[type(thing)].key))
    return own or str(getattr(thing, "serial", "") or getattr(thing, "name", "")), kind


def _check_origin(said: Said, policy: Policy) -> None:
    """Refuse a link or an exchange from a system that this site does not have begin them (ruling 8).

    Raises:
        RejectedError: NOT_THE_ORIGIN.
    """
    kind = "exchange" if isinstance(said.thing, MeterExchange) else "link" if _is_hanging(said) else ""
    wanted = policy.origins.get(kind)
    if wanted is not None and policy.kinds.get(said.source) != wanted:
        raise RejectedError(f"{kind} messages begin at {wanted} here", code=NOT_THE_ORIGIN)


def _is_hanging(said: Said) -> bool:
    return isinstance(said.thing, Link) and bool(said.thing.meter or said.thing.serial)


def _behind(session: Session, said: Said) -> Outcome | None:
    """Return that a link waits where an earlier one about the same things does; None when it may go on."""
    if not isinstance(said.thing, Link | MeterExchange):
        return None
    words = _words(said)
    for row in master_waiting.about(session, words, stage="apply"):
        other = said_from(row["said"])
        if isinstance(other.thing, Link | MeterExchange) and other.order < said.order:
            name, kind = object_of(said)
            reason = f"message {other.message_id} about the same things waits"
            return Outcome("WAITING", name, kind, awaited=words, reason=reason)
    return None


def _words(said: Said) -> frozenset[str]:
    """Return the ids, names and serials that a link or an exchange speaks of."""
    thing = said.thing
    found: list[str] = []
    if isinstance(thing, Link):
        found = [thing.usage_point, thing.usage_point_name, thing.meter, normal_serial(thing.serial)]
    elif isinstance(thing, MeterExchange):
        found = [thing.usage_point, thing.usage_point_name]
        for meter in (thing.removed, thing.installed):
            if meter is not None:
                found += [meter.meter, normal_serial(meter.serial)]
    else:
        found = [str(getattr(thing, MASTERS[type(thing)].key))]
    return frozenset(one for one in found if one)
