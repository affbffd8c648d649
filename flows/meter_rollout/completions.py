"""Taking what the field tells: each completion is kept durably, and judged later. The same again has no effect.

A completion is NEW, a repeat (EX13: nothing is written), or says otherwise than one that stands (EX14: it is kept and
held, and a person decides; nothing is overwritten). An exchange that nobody ordered gets an order of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.billing import ItemVerdict
from canonical.codes.message import NOT_SUPPORTED_HERE
from canonical.codes.rollout import CONTRADICTORY_RESULT
from canonical.completions import completions_from
from canonical.errors import RejectedError
from canonical.master_data import MasterData, ThingVerdict
from canonical.messages import Item, Message, Rejection, Reply
from canonical.replies import of_object
from flows.file_handling import FileContext
from flows.meter_rollout import recording
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.recording import Told
from store import names
from store.session import Session


@dataclass(frozen=True, slots=True)
class CompletionsHandler:
    """Takes the lines of a contractor's file (`flows.file_handling.FileHandler`); their payload is a Completion."""

    policy: Policy

    def begin(self, session: Session, file: FileContext) -> None:
        """Nothing has to be opened."""

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Keep a batch of completions and return a verdict for each line, in order.

        A line that contradicts another is accepted: it is kept, and is a person's work.
        """
        told = [
            Told(one.payload, file.role, f"{file.file_id}#{one.line}", one.raw)
            for one in batch
            if isinstance(one, Item)
        ]
        became = iter(recording.record(session, told, policy=self.policy, now=now))
        found = []
        for one in batch:
            if isinstance(one, Rejection):
                found.append(ItemVerdict(one.key, one.verdict, one.code, one.reason, one.line))
                continue
            end = next(became)
            verdict = "DUPLICATE" if end.is_repeat else "ACCEPTED"
            found.append(ItemVerdict(one.key, verdict, end.code, end.reason, one.line))  # type: ignore[arg-type]
        return found

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Nothing is left to do."""


def take_exchanges(session: Session, message: Message[MasterData], *, policy: Policy, now: datetime) -> Reply:
    """Keep the completions of a message of MeterServiceRequests; a handler for `spine.receive`.

    While a site rolls out, this takes exchanges instead of `flows.master_data_sync.take`. Every object ends in one
    disposition (I5): taken, a repeat, an exception that is open, or refused, because it could not be understood. OK
    means durably taken, not believed.

    Raises:
        RejectedError: a `cancel`: a completion is taken back by its reversal (NOT_SUPPORTED_HERE).
    """
    header, payload = message.header, message.payload
    if payload.verb == "cancel":
        raise RejectedError("a completion is reversed, not withdrawn", code=NOT_SUPPORTED_HERE, where="Header/Verb")
    for one in payload.known_as:
        names.learn(session, one.name, one.object_id, one.object_type)
    told = [Told(one, header.source, f"{header.message_id}#{n}") for n, one in enumerate(completions_from(message))]
    became = recording.record(session, told, policy=policy, now=now)
    details = {
        "taken": str(sum(not one.code for one in became)),
        "duplicate": str(sum(one.is_repeat for one in became)),
        "exception_open": str(sum(one.code == str(CONTRADICTORY_RESULT) for one in became)),
    }
    return _reply(header.correlation_id, payload.refused, details, number=len(told))


def is_field_work(message: Message[MasterData]) -> bool:
    """Return whether a message of master data is one that `take_exchanges` takes."""
    return message.payload.noun == "MeterServiceRequests"


def _reply(correlation_id: str, refused: Sequence[ThingVerdict], details: dict[str, str], *, number: int) -> Reply:
    if not refused:
        return Reply("OK", correlation_id, details=details)
    details |= {"rejected": str(len(refused))}
    details |= dict(of_object(one.object_type, one.object_id, one.code, one.reason) for one in refused)
    return Reply("PARTIAL" if number else "FAILED", correlation_id, refused[0].code, refused[0].reason, details)
