"""What became of one thing that a master said."""

from dataclasses import dataclass
from typing import Literal

from canonical.master_data import MasterThing

Disposition = Literal["APPLIED", "DUPLICATE", "SUPERSEDED", "WAITING"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a statement ended that was not refused."""

    disposition: Disposition
    object_id: str
    object_type: str
    """CIM class."""

    thing: MasterThing | None = None
    """The thing with the hub's own ids, as it is passed on."""

    touched: frozenset[str] = frozenset()
    """Ids by which others may wait for what was applied: mRIDs, names, serials."""

    awaited: frozenset[str] = frozenset()
    """With WAITING: what it needs, and what it speaks of besides."""

    reason: str = ""
    """With WAITING: what is missing."""

    code: str = ""
    """Number and name of what is remarked on it, though it was not refused."""

    needs_approval: bool = False
    """With WAITING: a person has to decide on it."""

    is_first: bool = False
    """With DUPLICATE: it is so already, but nobody was told of it in these words (a link behind its exchange)."""

    @property
    def is_news(self) -> bool:
        """Return whether others are to be told."""
        return self.thing is not None and (self.disposition == "APPLIED" or self.is_first)


def waits(object_id: str, object_type: str, needs: str, *others: str) -> Outcome:
    """Return that a thing waits for what it needs; others speak of the same things in their turn."""
    about = frozenset(one for one in (needs, *others) if one)
    return Outcome("WAITING", object_id, object_type, awaited=about, reason=f"nobody has told of {needs} yet")
