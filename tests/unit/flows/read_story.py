"""A caller and an MDMS of on-demand reads, for tests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlmodel import col, select

import store.tables  # noqa: F401
from canonical.codes import message as codes
from canonical.errors import RejectedError, UnavailableError
from canonical.messages import Header, Message, Parcel
from canonical.metering import MeterReadings, ReadingQuestion, UsagePoint
from canonical.periods import Period
from canonical.questions import ReadingsAnswer, ReadingsAsked, RequestChange
from flows import on_demand_read as flow
from flows import reference
from flows.on_demand_read import Desk, Policy
from store.deliveries import Delivery, DeliveryPayload
from store.requests import ServiceRequest
from store.session import Transaction

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = Period(NOW - timedelta(days=1), NOW)
POLICY = Policy(sync_limit=2, bulk_limit=4)


@dataclass
class Mdms:
    """Knows every usage point but `unknown`."""

    away: bool = False
    asked: list[str] = field(default_factory=list)

    def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
        if self.away:
            raise UnavailableError("away", code=codes.PARTNER_AWAY)
        for question in questions:
            self.asked.append(question.usage_point)
            if question.usage_point != "unknown":
                yield MeterReadings(question.usage_point, "m")


class Encoder:
    """Says an answer as one line."""

    def __call__(self, message: Message[ReadingsAnswer], *, reply_to: str) -> Parcel:
        said, found = [f"{one.object_id}={one.code}" for one in message.payload.unanswered], message.payload
        marks = "".join(f" {name}" for name in ("more", "last_of_several", "late") if getattr(found, name))
        told = ",".join(one.usage_point for one in found.readings)
        return self._parcel(f"{found.result} {found.source} [{told}] {said}{marks}".encode(), message.header)

    def again(self, body: bytes, header: Header, *, reply_to: str) -> Parcel:
        return self._parcel(body + b" again", header)

    def _parcel(self, body: bytes, header: Header) -> Parcel:
        return Parcel("answer", "text/plain", sha256(body).hexdigest(), len(body), body, key=header.message_id)


def desk(transaction: Transaction, mdms: Any, now: datetime = NOW, policy: Policy = POLICY) -> Desk:
    return Desk(mdms, Encoder(), transaction, lambda: now, now, policy)


def ask(
    transaction: Transaction,
    *points: str,
    reply_to: str = "",
    message_id: str = "m-1",
    correlation: str = "c-1",
    deadline_s: float | None = None,
    types: tuple[str, ...] = (),
    reasons: tuple[str, ...] = ("inquiry",),
    policy: Policy = POLICY,
    **times: Any,
) -> str:
    questions = tuple(ReadingQuestion(point, DAY, reason, False, types) for reason in reasons for point in points)
    header = Header(message_id, "cis", "get", "MeterReadings", correlation)
    with transaction() as session:
        asked = ReadingsAsked(questions, reply_to, deadline_s, **times)
        reply = flow.register(session, Message(header, asked), policy=policy, now=NOW)
    return reply.details["request"]


def answer(transaction: Transaction, request_id: str, mdms: Any, policy: Policy = POLICY) -> bytes | None:
    return flow.answer_now(request_id, desk=desk(transaction, mdms, policy=policy))


def advance(transaction: Transaction, mdms: Any, now: datetime = NOW, policy: Policy = POLICY) -> bool:
    return flow.advance(desk=desk(transaction, mdms, now, policy))


def sent(transaction: Transaction) -> list[str]:
    """Return what went to reply addresses, in order."""
    with transaction() as session:
        query = select(DeliveryPayload.body).join(Delivery, col(Delivery.delivery_id) == DeliveryPayload.delivery_id)
        return [body.decode() for body in session.exec(query.order_by(col(Delivery.sequence))).all()]


def know(transaction: Transaction, *points: str) -> None:
    """Tell the hub of usage points."""
    since = datetime(2020, 1, 1, tzinfo=UTC)
    with transaction() as session:
        known = [UsagePoint(point, point, "UTC", "ELECTRICITY", "AMI", since) for point in points]
        reference.record(session, known, now=since)


def states(transaction: Transaction) -> list[tuple[str, str, str]]:
    with transaction() as session:
        rows = session.exec(select(ServiceRequest)).all()
        return sorted((row.level, row.object_id, row.state) for row in rows)


def withdraw(transaction: Transaction, kind: str, *points: str, message_ids: tuple[str, ...] = ()) -> str:
    asked = ReadingsAsked(tuple(ReadingQuestion(p, DAY, "inquiry") for p in points)) if kind == "change" else None
    header = Header("m-9", "cis", kind, "MeterReadings", "c-1")
    try:
        with transaction() as session:
            change = RequestChange(kind, message_ids, asked)  # type: ignore[arg-type]
            flow.register(session, Message(header, change), policy=POLICY, now=NOW)
    except RejectedError as error:
        return error.code.name
    return "done"
