"""What an inspector notes of a file: channels, faults, remarks."""

from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from typing import Literal

EXACT = Context(prec=200, traps=[Inexact])
"""Decimal arithmetic that cannot round."""

FAULT_LIMIT = 100
"""Faults after which the rest of a file is not read: it is refused anyway."""


@dataclass(frozen=True, slots=True)
class FileFault:
    """One reason for which a file is refused."""

    code: str
    """Number and name, such as `7043 NEM_INTERVAL_COUNT`."""

    line: int | None
    """1 for the first line of the file, or of the wrapped one; None when the fault has no line."""

    reason: str


@dataclass(slots=True)
class ChannelFacts:
    """What a file says of one channel or register, in the order of first appearance."""

    usage_point: str
    register: str
    meter: str
    unit: str
    """As written."""

    interval_minutes: int | None
    """None for registers."""

    values: int
    sum: Decimal
    """Exact, in `unit`."""

    quality: dict[str, int] = field(default_factory=dict)
    """Count by the source's own code."""


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What a message of IEC 61968-100 says of itself, as it stands; None where it says nothing."""

    kind: Literal["request", "response", "event", "fault", "payload"]
    verb: str | None = None
    noun: str | None = None
    message_id: str | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class HoldingFacts:
    """What a masters or topology file says of itself and holds."""

    sender: str
    receiver: str
    mode: str
    """`FULL` or `CHANGES`."""

    sequence: str
    watermark: str
    """As written: up to when every change is in it."""

    held: dict[str, int]
    """Versions by kind of thing, such as `usage_point`."""

    withdrawn: int
    """Things taken back."""

    rejected: int
    """Lines that would be refused alone."""


@dataclass(frozen=True, slots=True)
class RolloutFacts:
    """What a file of a meter rollout says of itself and holds."""

    sender: str
    receiver: str
    file_id: str
    business_date: str
    """Local day of `zone`, as written."""

    zone: str
    held: dict[str, int]
    """Things by what a person calls them: `meter PASS`, `order create`, `DONE`, `stop`, `read`."""

    readings: int
    """Values of registers that it brings."""

    sum: Decimal
    """Exact sum of these values, as the registers show them."""

    rejected: int
    """Things that would be refused alone."""


@dataclass(slots=True)
class Findings:
    """What an inspector has found so far."""

    faults: list[FileFault] = field(default_factory=list)
    channels: dict[tuple[str, ...], ChannelFacts] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    is_refused: bool | None = None
    """Whether the file is refused whole; None: if anything is wrong with it."""

    message: MessageFacts | None = None
    """For a CIM message."""

    objects: int = 0
    """For a CIM message: the objects that its noun is about."""

    extensions: list[str] = field(default_factory=list)
    """For a CIM message: places of elements that are not of the profile."""

    tolerated: list[str] = field(default_factory=list)
    """For a CIM message: where it breaks the standard and was read all the same."""

    holdings: HoldingFacts | None = None
    """For a file of masters or topology."""

    rollout: RolloutFacts | None = None
    """For a file of a meter rollout."""

    def channel(self, *key: str, usage_point: str, register: str) -> ChannelFacts:
        """Return the facts of the channel with this key, new ones when it first appears."""
        if key not in self.channels:
            self.channels[key] = ChannelFacts(usage_point, register, "", "", None, 0, Decimal(0))
        return self.channels[key]
