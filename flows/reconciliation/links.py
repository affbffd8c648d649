"""What the masters themselves do not agree on: meters without agreement, agreements without meter, doubled links."""

from collections.abc import Iterator
from datetime import datetime

from flows.reconciliation.classify import Judged
from flows.reconciliation.orient import Difference
from flows.reconciliation.policy import HUB, DifferenceClass
from store import recon_links
from store.session import Session

WHOLE = -1
"""Partition of what is looked for in the masters as a whole."""

_PAGE = 1000


def broken_links(session: Session, *, at: datetime) -> Iterator[Judged]:
    """Yield what is broken between the hub's own masters at an instant (domain 2.7, level 3)."""
    after = ""
    while page := recon_links.meters_without_agreement(session, at=at, after=after, limit=_PAGE):
        for row in page:
            why = f"meter {row['meter']} hangs there, and no agreement is in force"
            yield _broken("NO_SA", "usage_point", row["usage_point"], "agreement", why)
        after = page[-1]["usage_point"]
    after = ""
    while page := recon_links.agreements_without_meter(session, at=at, after=after, limit=_PAGE):
        for row in page:
            why = f"no meter hangs at usage point {row['usage_point']}"
            yield _broken("NO_METER", "agreement", row["agreement"], "meter", why)
        after = page[-1]["agreement"]
    for row in recon_links.linked_twice(session, at=at):
        kind, object_id = ("meter", row["meter"]) if row["meter"] else ("usage_point", row["usage_point"])
        yield _broken("LINKED_TWICE", kind, object_id, "installation", f"{row['links']} links stand at once")


def _broken(klass: DifferenceClass, kind: str, object_id: str, field: str, why: str) -> Judged:
    one = Difference(kind, object_id, field, HUB, klass, HUB, "", "", {})
    return Judged(one, klass, "out_of_band", why)
