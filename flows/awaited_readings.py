"""Answers to the hub's own questions that come in messages of their own, and in parts: kept until all are here."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from canonical.messages import Message, Reply
from canonical.metering import MeterReadings
from store import awaited_answers
from store.session import Session


def part_arrived(
    session: Session,
    message: Message[tuple[MeterReadings, ...]],
    *,
    pack: Callable[[Sequence[MeterReadings]], bytes],
    sources: Collection[str],
    now: datetime,
) -> Reply | None:
    """Keep a part of an answer that a request waits for; None where nothing waits for the message.

    Parts may come in any order and again; `sources` are the callers that may answer. What comes after its request has
    ended is nobody's part: its readings count as any that are told.
    """
    header = message.header
    if header.source not in sources or not awaited_answers.is_open(session, header.correlation_id):
        return None
    points = {one.usage_point for one in message.payload if one.usage_point}
    awaited_answers.take_part(session, header.correlation_id, pack(message.payload), points, part=header.part, now=now)
    number = "/".join(map(str, header.part)) if header.part else ""
    return Reply("OK", header.correlation_id, details={"part": number} if number else {})
