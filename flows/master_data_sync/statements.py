"""What each message said of each thing, kept as canonical facts: what systems told us, and what we told them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from canonical.holdings import Kind, text_of
from canonical.master_data import Link, MeterExchange, ThingVerdict
from flows.master_data_sync.masters import MASTERS, begins_at
from flows.master_data_sync.outcome import Outcome
from flows.master_data_sync.said import Said
from store import master_statements
from store.session import Session

How = Literal["told_us", "file"]
"""By which road something was said to us."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing that a system told, and what became of it."""

    said: Said
    verdict: ThingVerdict
    outcome: Outcome | None
    """None where it was refused."""


def heard(session: Session, judged: Sequence[Judged], *, now: datetime, how: How = "told_us") -> None:
    """Keep what a message, or a file, told us, whatever became of it; in the transaction that judged it."""
    rows = []
    for one in judged:
        meant = one.outcome.thing if one.outcome is not None and one.outcome.thing is not None else one.said.thing
        end = {
            "disposition": one.verdict.disposition, "code": one.verdict.code, "reason": one.verdict.reason,
        }  # fmt: skip
        common = {"how": "file" if one.said.is_from_file else how, "system": one.said.source, "delivery_id": ""}
        rows += [{**common, **row, **end} for row in _rows(replace(one.said, thing=meant), now=now)]
    master_statements.note(session, rows)


def told(session: Session, things: Sequence[Said], *, destination: str, delivery_id: str, now: datetime) -> None:
    """Keep what a delivery tells a role, in the transaction that enqueues it; nothing where there is no delivery."""
    if not delivery_id:
        return
    common = {"how": "we_told", "system": destination, "delivery_id": delivery_id}
    end = {"disposition": "", "code": "", "reason": ""}
    master_statements.note(session, [{**common, **row, **end} for one in things for row in _rows(one, now=now)])


def told_each(session: Session, told: Sequence[tuple[Said, str, str]], *, now: datetime) -> None:
    """Keep what many deliveries tell: thing, role and delivery of each, in the transaction that enqueues them."""
    rows = [
        {"how": "we_told", "system": role, "delivery_id": delivery, "disposition": "", "code": "", "reason": "", **row}
        for said, role, delivery in told
        for row in _rows(said, now=now)
    ]
    master_statements.note(session, rows)


@dataclass(frozen=True, slots=True)
class _About:
    """What one statement says of one thing."""

    kind: Kind
    object_id: str
    verb: str
    valid_from: datetime
    facts: dict[str, str]
    usage_point: str = ""
    valid_to: datetime | None = None


def _rows(said: Said, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the rows of one thing that was said: one, or two of an exchange."""
    for about in _abouts(said):
        yield {
            "message_id": said.message_id, "place": said.place, "kind": about.kind, "object_id": about.object_id,
            "usage_point": about.usage_point, "verb": about.verb, "valid_from": about.valid_from,
            "valid_to": about.valid_to, "facts": about.facts, "said_at": said.said_at, "noted_at": now,
        }  # fmt: skip


def _abouts(said: Said) -> Iterator[_About]:
    thing = said.thing
    if isinstance(thing, MeterExchange):
        point = thing.usage_point or thing.usage_point_name
        if thing.removed is not None:
            yield _hanging(point, thing.removed.meter or thing.removed.serial, "close", thing.removed_at)
        if thing.installed is not None:
            yield _hanging(point, thing.installed.meter or thing.installed.serial, "create", thing.installed_at)
    elif isinstance(thing, Link):
        yield _linked(said, thing)
    else:
        yield _recorded(said)


def _linked(said: Said, thing: Link) -> _About:
    """Return what a link says: of the meter at its usage point, of the agreement, or of where the usage point lies."""
    point, at = thing.usage_point or thing.usage_point_name, said.effective_at
    ends = said.verb in ("close", "delete")
    if thing.agreement:
        facts = {} if ends else {"usage_point": point}
        return _About("agreement", thing.agreement, "close" if ends else "change", at, facts, point)
    if thing.location:
        # It lies there no more, or elsewhere: the usage point itself goes on.
        return _About("usage_point", point, "change", at, {"location": "" if ends else thing.location}, point)
    end = said.until if said.spans and not ends else None
    return _hanging(point, thing.meter or thing.serial, said.verb, at, end)


def _hanging(point: str, meter: str, verb: str, at: datetime, end: datetime | None = None) -> _About:
    facts = {} if verb in ("close", "delete") else {"usage_point": point, "meter": meter}
    return _About("installation", f"{point}/{meter}", verb, at, facts, point, end)


def _recorded(said: Said) -> _About:
    """Return what a statement says of a thing that has versions of its own."""
    master = MASTERS[type(said.thing)]
    kind = KINDS.get(master.table.name, master.table.name)
    object_id = str(getattr(said.thing, master.key)) or str(getattr(said.thing, "serial", ""))
    if said.verb in ("close", "delete"):
        return _About(kind, object_id, said.verb, said.effective_at, {}, _point_of(said.thing))
    facts = {name: text_of(value) for name, value in master.stated(said).items() if name != "serial_normal"}
    end = said.until if said.spans else getattr(said.thing, "valid_to", None)
    return _About(kind, object_id, said.verb, begins_at(said), facts, _point_of(said.thing), end)


def _point_of(thing: object) -> str:
    return str(getattr(thing, "usage_point", ""))


KINDS: dict[str, Kind] = {"customer_account": "account", "service_location": "location"}
"""Kind of the things of a table, where they are not named alike."""
