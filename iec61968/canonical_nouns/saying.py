"""What is said of one object of a message, and what holds for the whole message while it is read or written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from canonical.codes import identity as codes
from canonical.errors import RejectedError
from canonical.master_data import KnownAs, MasterThing, Verb
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.instants import event_of, on_grid, stated_instant
from iec61968.nouns.elements import ConfigurationEvent

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Said:
    """One canonical thing of a message."""

    thing: MasterThing
    stated: frozenset[str]
    """Names of its fields that the message states."""

    at: datetime
    """Instant from which or until which it holds, UTC."""

    reason: str = ""
    known_as: tuple[KnownAs, ...] = ()


@dataclass(frozen=True, slots=True)
class Inbound:
    """What holds for a whole message that is read."""

    verb: Verb
    conventions: MasterDataReading
    source: str
    sent_at: datetime | None
    """Timestamp of its header."""

    def at(self, event: ConfigurationEvent | None, *, where: str, other: datetime | None = None) -> datetime:
        """Return the instant at which an object's statement holds: its event's, else `other`, else that of the message.

        Raises:
            RejectedError: it ends something and no instant is stated, or the stated ones differ.
        """
        found = stated_instant(event, self.conventions, where=where)
        if found is None and other is not None:
            found = on_grid(other, self.conventions)
        if found is None and self.sent_at is not None and self.verb != "close":
            found = on_grid(self.sent_at, self.conventions)
        if found is None:
            raise RejectedError("no instant is stated", code=codes.LINKAGE_TIME_MISSING, where=where)
        return found


@dataclass(frozen=True, slots=True)
class Outbound:
    """What holds for a whole message that is written."""

    verb: Verb
    conventions: MasterDataReading
    effective_at: datetime
    reason: str = ""

    def event(self, at: datetime | None = None) -> ConfigurationEvent:
        """Return the ConfigurationEvent of an object that holds from `at`, or from the message's instant."""
        return event_of(at or self.effective_at, self.conventions, reason=self.reason)


def filled(cls: type[_T], defaults: Mapping[str, Any], stated: Mapping[str, Any]) -> tuple[_T, frozenset[str]]:
    """Return a thing of what is stated (None: it is not) on top of what stands where nothing is, and what is stated."""
    given = {name: value for name, value in stated.items() if value is not None}
    return cls(**{**defaults, **given}), frozenset(given)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that is written, with what of it is to be stated."""

    thing: Any
    stated: frozenset[str] | None
    """None: everything that says something."""

    def text(self, name: str) -> str | None:
        """Return a text field as it is written, None where it is left out."""
        value: str = getattr(self.thing, name)
        return (value or None) if self.stated is None else value if name in self.stated else None

    def has(self, name: str) -> bool:
        """Return whether a field is stated."""
        return self.stated is None or name in self.stated
