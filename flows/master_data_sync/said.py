"""One thing that a master said, with all that is needed to apply it later; as facts and back."""

from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args, get_type_hints

from canonical.customers import CustomerAgreement
from canonical.master_data import (
    Customer,
    CustomerAccount,
    Link,
    MasterData,
    MasterThing,
    Meter,
    MeterExchange,
    ServiceLocation,
    Verb,
)
from canonical.messages import Header, Message
from canonical.metering import TopologyLink, UsagePoint
from canonical.quality import Quality
from store.master_changes import Provenance

KINDS: dict[str, type] = {
    one.__name__: one
    for one in (
        *(Customer, CustomerAccount, ServiceLocation, CustomerAgreement),
        *(UsagePoint, Meter, Link, MeterExchange, TopologyLink),
    )
}
"""Things by the name of their class."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing of one message."""

    source: str
    message_id: str
    correlation_id: str
    said_at: datetime
    """When its sender said it: of two statements of the same valid time, the later one counts."""

    wire_verb: str
    """Verb of the header: `create`, or `created` where it was announced."""

    verb: Verb
    noun: str
    effective_at: datetime
    place: int
    """Which thing of its message, 0 for the first."""

    thing: MasterThing
    stated: frozenset[str] | None = None
    """Fields that the sender states; None: all that are not empty."""

    reason: str = ""
    spans: bool = False
    """Whether it states a whole version with its span, as files of holdings do: `stated` counts with `create` too."""

    until: datetime | None = None
    """Of a span its end; None while it is open."""

    withheld: frozenset[str] = frozenset()
    """Columns that its sender is not the master of: they are not applied."""

    @property
    def stamp(self) -> str:
        """Return what orders statements of the same valid time, as text."""
        # All lines of a file are said together: they bear the file's id, not their own.
        who = self.correlation_id if self.spans else self.message_id
        return f"{self.said_at.astimezone(UTC).isoformat(timespec='microseconds')} {who}"

    @property
    def order(self) -> tuple[datetime, int, datetime, str, int]:
        """Return where it stands in time: what ends goes before what begins at the same instant."""
        return (self.effective_at, int(self.verb not in ("close", "delete")), self.said_at, self.message_id, self.place)

    @property
    def is_from_file(self) -> bool:
        """Return whether it is a line of a file, and no message."""
        return self.message_id.startswith(f"{self.correlation_id}#")

    @property
    def provenance(self) -> Provenance:
        """Return who says it, as the change log has it."""
        return Provenance(self.source, self.message_id, self.said_at)

    def message(self, things: "tuple[Said, ...]") -> Message[MasterData]:
        """Return the message that tells some things of the same message as this one."""
        header = Header(
            self.message_id,
            self.source,
            self.wire_verb,
            self.noun,
            self.correlation_id,
            created_at=self.said_at,
            effective_at=self.effective_at,
        )
        stated = tuple(one.stated or frozenset() for one in things) if any(one.stated for one in things) else ()
        told = tuple(one.thing for one in things)
        return Message(header, MasterData(self.verb, self.noun, self.effective_at, told, self.reason, stated))


def said_in(message: Message[MasterData], *, now: datetime) -> tuple[Said, ...]:
    """Return the things of a message; one whose header says no time was said `now`."""
    header, payload = message.header, message.payload
    return tuple(
        Said(
            header.source,
            header.message_id,
            header.correlation_id,
            header.created_at or now,
            header.verb,
            payload.verb,
            payload.noun,
            payload.effective_at,
            place,
            thing,
            payload.stated[place] if payload.stated else None,
            payload.reason,
        )
        for place, thing in enumerate(payload.things)
    )


def facts_of(said: Said) -> dict[str, Any]:
    """Return a statement as facts that JSON can hold."""
    return {
        "kind": type(said.thing).__name__, "thing": _plain(said.thing), "source": said.source,
        "message_id": said.message_id, "correlation_id": said.correlation_id, "said_at": said.said_at.isoformat(),
        "wire_verb": said.wire_verb, "verb": said.verb, "noun": said.noun,
        "effective_at": said.effective_at.isoformat(), "place": said.place, "reason": said.reason,
        "stated": sorted(said.stated) if said.stated is not None else None,
        **({"spans": True, "until": _plain(said.until)} if said.spans else {}),
    }  # fmt: skip


def said_from(facts: dict[str, Any]) -> Said:
    """Return the statement that facts hold."""
    stated = facts["stated"]
    return Said(
        facts["source"],
        facts["message_id"],
        facts["correlation_id"],
        datetime.fromisoformat(facts["said_at"]),
        facts["wire_verb"],
        facts["verb"],
        facts["noun"],
        datetime.fromisoformat(facts["effective_at"]),
        facts["place"],
        _made(KINDS[facts["kind"]], facts["thing"]),
        frozenset(stated) if stated is not None else None,
        facts["reason"],
        facts.get("spans", False),
        datetime.fromisoformat(facts["until"]) if facts.get("until") else None,
    )


def _plain(value: Any) -> Any:
    """Return a value of a thing as JSON holds it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.value if isinstance(value, Quality) else value


def _made(kind: Any, value: Any) -> Any:
    """Return the value of a declared type that its JSON form stands for."""
    options = [one for one in get_args(kind) if one is not type(None)]
    if value is None or not (options or isinstance(kind, type)):
        return value
    if isinstance(value, list):
        return tuple(_made(options[0], one) for one in value)
    if isinstance(value, dict):
        target: Any = kind if is_dataclass(kind) else options[0]
        hints = get_type_hints(target)
        return target(**{name: _made(hints[name], part) for name, part in value.items() if name in hints})
    for one in (kind, *options):
        if one is datetime:
            return datetime.fromisoformat(value)
        if one is Decimal:
            return Decimal(value)
        if one is Quality:
            return Quality(value)
    return value
