"""Who carries requests for readings out: whom to ask, how answers are said, transactions, clocks."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from canonical.messages import Header, Message, Parcel
from canonical.metering import MeterReadings
from canonical.ports import MeterDataSystem
from canonical.questions import ReadingsAnswer
from flows.read_round import AnswerWriter, Policy
from store.session import Transaction


class Encode(Protocol):
    """Says an answer in the words of whoever asked."""

    def __call__(self, message: Message[ReadingsAnswer], *, reply_to: str) -> Parcel:
        """Return the answer as wire bytes; pure."""
        ...

    def again(self, body: bytes, header: Header, *, reply_to: str) -> Parcel:
        """Return an answer that was given before under another header; pure."""
        ...


@dataclass(slots=True)
class HeldAnswer:
    """An answer that is small enough to be held (flows.read_round.AnswerWriter)."""

    encode: Encode
    reply_to: str
    held: list[MeterReadings] = field(default_factory=list)

    def add(self, one: MeterReadings) -> None:
        """Take what was said of one usage point."""
        self.held.append(one)

    def finish(self, message: Message[ReadingsAnswer]) -> list[Parcel]:
        """Return the answer as one message."""
        whole = replace(message.payload, readings=tuple(self.held))
        return [self.encode(Message(message.header, whole), reply_to=self.reply_to)]

    def told(self) -> Iterator[MeterReadings]:
        """Yield the readings again."""
        return iter(self.held)

    def close(self) -> None:
        """Nothing was made on the way."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What carrying out requests needs: whom to ask, how answers are said, transactions, clocks."""

    meter_data: MeterDataSystem
    encode: Encode
    transaction: Transaction
    now: Callable[[], datetime]
    """Business time."""

    machine_now: datetime
    policy: Policy
    open_answer: Callable[[str], AnswerWriter] | None = None
    """Opens the answer to a destination; None: it is held."""

    unpack: Callable[[bytes], Iterable[MeterReadings]] = lambda _body: ()
    """Reads what was kept of an answer that comes in parts."""

    def writer(self, reply_to: str) -> AnswerWriter:
        """Return a new answer."""
        if self.open_answer is not None and reply_to:
            return self.open_answer(reply_to)
        return HeldAnswer(self.encode, reply_to)
