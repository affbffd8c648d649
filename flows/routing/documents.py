"""Messages that no flow understands: each object goes where the routes say, in the other side's words, never back."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from canonical.codes.linkage import OBJECT_AMBIGUOUS
from canonical.codes.message import NOT_SUPPORTED_HERE
from canonical.documents import Document
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import Header, Message, Reply
from canonical.replies import of_object
from flows.routing.deliver import Sending, resolve, send, tell, work_id
from flows.routing.routes import Facts
from flows.routing.territories import Subject, Trouble, facts_of
from store import master_waiting, reference_book
from store.master_waiting import MasterWaiting
from store.rows import Row
from store.session import Session

KIND = "document"
"""What the facts of a waiting document say that they are."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A document and the same by single objects, so that it can be split between destinations."""

    whole: Document
    parts: tuple[Document, ...]
    """One for each object; together they say what the whole says."""

    join: Callable[[Sequence[Document]], Document]
    """Makes one document of some of them; pure."""


@dataclass(frozen=True, slots=True)
class _Split:
    """Where the objects of a document go."""

    goes: dict[str, list[int]]
    """Places of the objects by destination."""

    held: dict[int, Trouble]
    lost: tuple[int, ...]
    """Places of the objects that no route fits."""


def pass_on(session: Session, message: Message[Parts], *, sending: Sending, retry_in: timedelta) -> Reply:
    """Send every object of a message on; a handler for `spine.receive`.

    An object that lies in no territory, or in two, waits and is work; it goes by itself once the site says where.

    Raises:
        RejectedError: no route fits any of its objects (NOT_SUPPORTED_HERE).
    """
    header, parts = message.header, message.payload
    at = header.effective_at or sending.now
    split = _split(session, header, parts.parts, sending, at)
    if not split.goes and not split.held:
        raise RejectedError(f"no route for {header.verb} {header.noun}", code=NOT_SUPPORTED_HERE, where="routes")
    for destination, places in split.goes.items():
        whole = len(places) == len(parts.parts)
        document = parts.whole if whole else parts.join([parts.parts[place] for place in places])
        send(session, Message(header, document), destination, sending=sending, lane=_lane(document))
    for place, trouble in split.held.items():
        _hold(session, header, place, parts.parts[place], trouble, sending, at, retry_in)
    failed = dict(
        of_object("", _label(parts.parts[place]), NOT_SUPPORTED_HERE, "no route fits it") for place in split.lost
    )
    if failed:
        return Reply("PARTIAL", header.correlation_id, str(NOT_SUPPORTED_HERE), "no route fits some objects", failed)
    details = {"passed on": str(len(split.goes))} | ({"held": str(len(split.held))} if split.held else {})
    return Reply("OK", header.correlation_id, details=details)


def retry(session: Session, row: Row, *, sending: Sending) -> bool:
    """Try to send a held document again, and return whether it went; its work is resolved then."""
    header, document = _read(row)
    split = _split(session, header, [document], sending, row["effective_at"])
    if split.held:
        return False
    for destination in split.goes:
        part = str(row["place"])
        send(session, Message(header, document), destination, sending=sending, lane=_lane(document), part=part)
    master_waiting.settle(session, row["waiting_id"], state="done", now=sending.now)
    resolve(session, row["said"]["work"], reason="it was passed on", now=sending.now)
    return True


def _split(session: Session, header: Header, parts: Sequence[Document], sending: Sending, at: datetime) -> _Split:
    """Return where each object goes."""
    goes: dict[str, list[int]] = {}
    held: dict[int, Trouble] = {}
    lost: list[int] = []
    for place, part in enumerate(parts):
        found = _facts(session, header, part, sending, at)
        routes = sending.routes.of(header.noun, header.verb, header.source)
        if isinstance(found, Trouble) and any(route.needs_territory for route in routes):
            held[place] = found
            continue
        facts = Facts() if isinstance(found, Trouble) else found
        roles = sending.routes.destinations(header.noun, header.verb, header.source, facts)
        for role in roles:
            goes.setdefault(role, []).append(place)
        if not roles and not any(route.fits(facts) for route in routes):
            lost.append(place)
    return _Split(goes, held, tuple(lost))


def _facts(session: Session, header: Header, part: Document, sending: Sending, at: datetime) -> Facts | Trouble:
    """Return what routes may ask of one object; a usage point may be named as the trade does."""
    named = reference_book.usage_points_named(session, set(part.usage_points))
    twice = next((one for one, found in named.items() if len(found) > 1), "")
    if twice:
        return Trouble(OBJECT_AMBIGUOUS, f"{twice} is the name of several usage points")
    points = tuple(named.get(one, (one,))[0] for one in part.usage_points)
    subject = Subject(points, part.meters, "meter", next(iter(part.meters), ""))
    return facts_of(session, subject, routes=sending.routes, source=header.source, at=at)


def _hold(
    session: Session,
    header: Header,
    place: int,
    part: Document,
    trouble: Trouble,
    sending: Sending,
    at: datetime,
    retry_in: timedelta,
) -> None:
    """Let one object wait for its territory, as a person's work."""
    key = _label(part) or header.message_id
    row = MasterWaiting(
        waiting_id=mint("waiting", "document", header.source, header.message_id, place),
        stage="route",
        source=header.source,
        message_id=header.message_id,
        place=place,
        said=_written(header, part) | {"work": work_id(trouble.code, key)},
        effective_at=at,
        said_at=(header.created_at or sending.now).isoformat(),
        due_at=sending.now + retry_in,
        first_at=sending.now,
        code=str(trouble.code),
        reason=trouble.reason,
    )
    master_waiting.add(session, row, awaited=(*part.usage_points, *part.meters))
    summary = f"{header.verb} {header.noun} of {header.source} waits: {trouble.reason}"
    point = next(iter(part.usage_points), "")
    tell(session, trouble.code, key, summary, queue=sending.routes.queue, now=sending.now, usage_point=point)


def _lane(document: Document) -> str:
    """Return what keeps its order: the one usage point, else the one meter that it is about."""
    for names in (document.usage_points, document.meters):
        if names:
            return names[0] if len(names) == 1 else ""
    return ""


def _label(part: Document) -> str:
    return next((one for one in (*part.usage_points, *part.meters) if one), "")


def _written(header: Header, part: Document) -> dict[str, Any]:
    """Return a document and its header as facts."""
    return {
        "kind": KIND, "message_id": header.message_id, "source": header.source, "verb": header.verb,
        "noun": part.noun, "correlation_id": header.correlation_id,
        "body": base64.b64encode(part.body).decode("ascii"),
        "usage_points": list(part.usage_points), "meters": list(part.meters),
    }  # fmt: skip


def _read(row: Row) -> tuple[Header, Document]:
    """Return header and document of a waiting row."""
    said = row["said"]
    header = Header(
        said["message_id"],
        said["source"],
        said["verb"],
        said["noun"],
        said["correlation_id"],
        created_at=datetime.fromisoformat(row["said_at"]),
        effective_at=row["effective_at"],
    )
    body = base64.b64decode(said["body"])
    return header, Document(said["noun"], body, tuple(said["usage_points"]), tuple(said["meters"]))
