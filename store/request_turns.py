"""Whose turn it is: requests taken up under a lease, children settled one by one, what is overdue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, bindparam, or_, select, update
from sqlmodel import Session

from canonical.messages import Header
from canonical.metering import ReadingQuestion
from canonical.periods import Period
from store.request_states import FINAL, TO_ONGOING, State, outcome_of, walk
from store.requests import SERVICE_REQUEST, below, child_id, move
from store.rows import Row, first_of, rows_of

_T = SERVICE_REQUEST.c
_WAITING: tuple[State, ...] = ("SCHEDULED", "PENDING", "PAUSED", "WAITING")


@dataclass(frozen=True, slots=True)
class AskedPart:
    """One span and purpose of a request, with the usage points that still have no answer."""

    sub_id: str
    questions: tuple[ReadingQuestion, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """A request whose turn it is, as its worker needs it."""

    request_id: str
    header: Header
    parts: tuple[AskedPart, ...]
    reply_to: str
    received_at: datetime
    deadline: datetime
    round: int
    """1 the first time that it is taken up."""

    question_key: str
    waited: Mapping[str, int]
    """How often each child, by its id, was asked before and had to wait."""

    was: State = "SCHEDULED"
    """What it waited as: WAITING means that answers came in messages of their own."""

    is_expired: bool = False
    """Whether it was never begun, and has no meaning any more."""

    @property
    def questions(self) -> tuple[ReadingQuestion, ...]:
        """Return everything that still has no answer."""
        return tuple(question for part in self.parts for question in part.questions)


@dataclass(frozen=True, slots=True)
class ChildEnd:
    """How a child comes out of one round; PAUSED: it is asked again; WAITING: its answer follows by itself."""

    state: State
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """How a request comes out of one round."""

    state: State
    """PAUSED, WAITING, or how it ended, over all of its rounds."""

    is_first: bool
    """Whether this was its only round."""


def take(
    session: Session,
    *,
    now: datetime,
    machine_now: datetime,
    lease_s: float,
    request_id: str = "",
    only_async: bool = True,
) -> Taken | None:
    """Return a request that is due and that nobody is at, moved to ONGOING under a lease; None when there is none.

    High priority goes first, then by arrival. One whose same question is being asked at this moment waits for that.
    """
    due = or_(
        _T.state.in_(("SCHEDULED", "PENDING")) & or_(_T.not_before.is_(None), _T.not_before <= now),
        _T.state.in_(("PAUSED", "WAITING")) & (_T.retry_at <= now),
        (_T.state == "ONGOING") & (_T.leased_until <= machine_now),
    )
    query = select(SERVICE_REQUEST).where(_T.level == "parent", due, or_(_T.expires_at.is_(None), _T.expires_at > now))
    if request_id:
        query = query.where(_T.request_id == request_id)
    if only_async:
        other = SERVICE_REQUEST.alias()
        busy = select(other.c.request_id).where(
            other.c.question_key == _T.question_key, other.c.request_id != _T.request_id,
            other.c.level == "parent", other.c.state == "ONGOING", other.c.leased_until > machine_now,
        )  # fmt: skip
        query = query.where(_T.reply_to != "", ~busy.exists())
    row = first_of(session, query.order_by(_T.rank, _T.received_at).limit(1).with_for_update(skip_locked=True))
    if row is None:
        return None
    begin(session, row["request_id"], row["state"], leased_until=machine_now + timedelta(seconds=lease_s))
    return _taken(session, row | {"rounds": row["rounds"] + 1})


def begin(session: Session, request_id: str, state: State, *, whole: bool = False, **values: object) -> None:
    """Bring a request, and everything below it whose turn it is, to ONGOING; `whole`: everything that has not ended.

    While some objects are asked again, those whose answers follow by themselves stay as they are.
    """
    own = _T.request_id == request_id
    move(session, own, *TO_ONGOING[state], rounds=_T.rounds + 1, retry_at=None, **values)
    for waiting in _WAITING:
        if whole or state == "WAITING" or waiting != "WAITING":
            move(session, below(request_id), *TO_ONGOING[waiting])


def _taken(session: Session, row: Row) -> Taken:
    """Return a request with what is open of it."""
    request_id = row["request_id"]
    found, waited = [], {}
    for sub in rows_of(session, select(SERVICE_REQUEST).where(_T.parent == request_id).order_by(_T.position)):
        children = rows_of(session, _children(sub["request_id"]).where(_T.state == "ONGOING"))
        waited.update({child["request_id"]: child["rounds"] for child in children})
        span = Period(sub["starts_at"], sub["ends_at"])
        kind = (span, sub["purpose"], sub["fresh"], tuple(sub["reading_types"] or ()))
        found.append(AskedPart(sub["request_id"], tuple(ReadingQuestion(c["object_id"], *kind) for c in children)))
    header = Header(row["message_id"], row["source"], "get", row["noun"], row["correlation_id"])
    return Taken(
        request_id, header, tuple(part for part in found if part.questions), row["reply_to"], row["received_at"],
        row["deadline"], row["rounds"], row["question_key"], waited, row["state"],
    )  # fmt: skip


def _children(parent: str) -> Select[Any]:
    return select(SERVICE_REQUEST).where(_T.parent == parent).order_by(_T.position)


def settle(
    session: Session,
    request_id: str,
    ends: Mapping[tuple[str, str], ChildEnd],
    *,
    now: datetime,
    retry_at: datetime | None = None,
) -> Settled | None:
    """Write how a round came out: `ends` by sub-request and usage point, every other child was answered.

    None when the request had ended before: its deadline passed, or it was withdrawn.
    """
    own = select(_T.state, _T.rounds).where(_T.request_id == request_id).with_for_update()
    row = first_of(session, own)
    if row is None or row["state"] in FINAL:
        return None
    _end_children(session, ends, now)
    move(session, below(request_id) & (_T.level == "child"), "ONGOING", "SUCCESSFUL", settled_at=now)
    outcomes: list[State] = []
    for sub in rows_of(session, select(_T.request_id, _T.state).where(_T.parent == request_id)):
        states = [child["state"] for child in rows_of(session, _children(sub["request_id"]))]
        outcomes += states
        if sub["state"] == "ONGOING":
            _leave(session, sub["request_id"], states, now)
    end = _leave(session, request_id, outcomes, now, retry_at=retry_at, leased_until=None)
    return Settled(end, row["rounds"] == 1)


def _end_children(session: Session, ends: Mapping[tuple[str, str], ChildEnd], now: datetime) -> None:
    """Write the ends of children that were not simply answered."""
    statement = (
        update(SERVICE_REQUEST)
        .where(_T.request_id == bindparam("child"), _T.state == "ONGOING")
        .values(
            state=bindparam("new"), code=bindparam("said"), reason=bindparam("why"), settled_at=bindparam("at"),
            rounds=_T.rounds + 1,
        )
    )  # fmt: skip
    rows = [
        {"child": child_id(*key), "new": walk("ONGOING", end.state), "said": end.code, "why": end.reason}
        | {"at": now if end.state in FINAL else None}
        for key, end in ends.items()
    ]
    if rows:
        session.connection().execute(statement, rows)


def _leave(session: Session, request_id: str, children: Sequence[State], now: datetime, **values: object) -> State:
    """Bring a request out of ONGOING by its children: PAUSED or WAITING while one of them is, else to its end."""
    waits: State | None = next((one for one in ("PAUSED", "WAITING") if one in children), None)
    end: State = waits or outcome_of(children)
    settled_at = None if waits else now
    move(session, _T.request_id == request_id, "ONGOING", end, settled_at=settled_at, **values)
    return end


def overdue(session: Session, *, now: datetime, limit: int = 100) -> Sequence[Taken]:
    """Return requests that have not ended in time, or were not begun in time, brought to ONGOING to be ended."""
    too_late = or_(_T.deadline <= now, and_(_T.expires_at <= now, _T.state.in_(("SCHEDULED", "PENDING"))))
    query = select(SERVICE_REQUEST).where(_T.level == "parent", _T.state.not_in(FINAL), too_late)
    found = []
    for row in rows_of(session, query.limit(limit).with_for_update(skip_locked=True)):
        expired = row["deadline"] > now
        if row["state"] != "ONGOING":
            begin(session, row["request_id"], row["state"], whole=True)
        taken = _taken(session, row | {"rounds": row["rounds"] + 1})
        found.append(replace(taken, is_expired=expired))
    return found


def retry(session: Session, request_id: str, *, deadline: datetime) -> int:
    """Let the failed children of a request that ended without full success be asked again; return their number.

    0: nothing failed, it has not ended, or its caller waited for it.
    """
    own = (_T.request_id == request_id) & (_T.reply_to != "")
    values = {"settled_at": None, "deadline": deadline}
    if not sum(move(session, own, state, "SCHEDULED", **values) for state in ("FAILED", "PARTIAL_SUCCESS")):
        return 0
    subs = _T.parent == request_id
    failed = 0
    for state in ("FAILED", "PARTIAL_SUCCESS"):
        failed += move(session, below(request_id) & (_T.level == "child"), state, "SCHEDULED", code="", reason="")
        move(session, subs, state, "SCHEDULED", settled_at=None)
    return failed
