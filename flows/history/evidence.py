"""What is known of who held what: statements, and the beliefs that follow from them in valid time and known time.

Valid time is when a thing is so; known time is when somebody believed it. Both are UTC, starts included, ends excluded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from canonical.granularity import Grain

HUB = "hub"
"""The hub's own name among the systems."""

How = Literal["told_us", "we_told", "snapshot", "file", "recorded"]
"""How somebody came to believe: it told the hub, was told by it, its own extract says so, a file; `recorded` where the
hub holds it and nobody noted who said so."""

Act = Literal["states", "ends", "never", "holds", "keeps", "drops"]
"""What a statement does to what its system believes of one thing:

states  fields have values from an instant on
ends    the thing is there no more from an instant on
never   it was a mistake and never was
holds   an extract: these versions and nothing else; none: the system does not hold the thing
keeps   a version of a table begins to be believed, whole
drops   it is believed no more
"""


class Fact(NamedTuple):
    """The value of a field, and the number of the statement that it comes from."""

    text: str
    by: int


@dataclass(frozen=True, slots=True)
class Extract:
    """One version in an extract of a system."""

    valid_from: datetime
    valid_to: datetime | None
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that somebody said of one thing, and what it does to what one system believes."""

    number: int
    """Its place in the history, 1 for the first."""

    system: str
    """Whose belief it bears on."""

    kind: str
    object_id: str
    act: Act
    known_at: datetime | None
    """When the system believed it: a teller when it said so, one that was told when it confirmed. None: nobody can
    say that it ever did."""

    noted_at: datetime
    """Business time at which the hub heard it, or decided to tell it."""

    valid_from: datetime | None = None
    valid_to: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    begins: bool = False
    """Whether the thing is not there before `valid_from`, as far as this says."""

    extract: tuple[Extract, ...] = ()
    """Of `holds`."""

    part: str = ""
    """Versions of one thing that are kept apart, such as a usage point and where it lies; empty for all in one."""

    how: How = "recorded"
    source: str = ""
    """Who said it."""

    message_id: str = ""
    """Message, or file of the ledger, that said it; of what we told the one that caused it."""

    delivery_id: str = ""
    state: str = ""
    """What became of it: APPLIED, REJECTED, ... of what we heard; the delivery's state of what we told."""

    code: str = ""
    reason: str = ""
    said_at: datetime | None = None
    """When its sender said it; of what we told when it was sent."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What one system believed of one thing, over one span of valid time and one of known time."""

    system: str
    kind: str
    object_id: str
    facts: Mapping[str, Fact] | None
    """Values by field, those that are not known left out; None: it believed that the thing was not there."""

    valid_from: datetime | None
    """None: from ever."""

    valid_to: datetime | None
    """None: for good."""

    known_from: datetime
    known_to: datetime | None
    """First instant at which it believed otherwise; None: it does still."""

    by: int
    """Number of the statement that brought it."""

    part: str = ""

    @property
    def texts(self) -> Mapping[str, str] | None:
        """Return the values by field."""
        return None if self.facts is None else {name: fact.text for name, fact in self.facts.items()}

    def is_held(self, known_at: datetime) -> bool:
        """Return whether it was believed at a known instant, of whatever valid time."""
        return self.known_from <= known_at and (self.known_to is None or known_at < self.known_to)

    def covers(self, at: datetime, known_at: datetime) -> bool:
        """Return whether it says what was believed at a known instant about a valid instant."""
        return (
            self.is_held(known_at)
            and (self.valid_from is None or self.valid_from <= at)
            and (self.valid_to is None or at < self.valid_to)
        )


@dataclass(frozen=True, slots=True)
class Coverage:
    """That an extract of a system said everything of some kinds: what is not in it the system did not hold."""

    system: str
    kinds: frozenset[str]
    known_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """Everything that is known of what systems believed about one usage point and what belongs to it."""

    usage_point: str
    name: str
    """What the trade calls it; empty while the hub does not know it."""

    systems: tuple[str, ...]
    """The hub first, then every role of the site, then whoever else said something."""

    things: tuple[tuple[str, str], ...]
    """Kind and id of what belongs to it or ever did, in the order in which kinds depend on each other."""

    statements: tuple[Statement, ...]
    """In the order of their numbers."""

    beliefs: tuple[Belief, ...]
    coverage: tuple[Coverage, ...] = ()
    grains: Mapping[str, Grain] = field(default_factory=dict)
    """How finely systems keep time; to the second where it is not said."""

    def statement(self, number: int) -> Statement:
        """Return the statement of a number."""
        return self.statements[number - 1]
