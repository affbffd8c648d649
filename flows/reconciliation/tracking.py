"""Differences from found to closed: what a comparison of one partition means for those that are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows.reconciliation.classify import Judged
from flows.reconciliation.policy import HUB
from store import recon_differences
from store.rows import Row
from store.session import Session


@dataclass(frozen=True, slots=True)
class Tracked:
    """What one comparison changed."""

    found: int = 0
    opened: int = 0
    closed: int = 0

    def __add__(self, other: "Tracked") -> "Tracked":
        """Return both together."""
        return Tracked(self.found + other.found, self.opened + other.opened, self.closed + other.closed)


def track(
    session: Session,
    partition: int,
    judged: Sequence[Judged],
    *,
    live: Mapping[str, Row],
    watermarks: Mapping[str, datetime],
    now: datetime,
) -> Tracked:
    """Open what is new, open again what came back, close what agrees; `live` is what is not closed of the partition.

    What a person waived stands until other values are found. What was repaired is open again when an extract that was
    written after the repair still differs.
    """
    found = {one.difference.id: one for one in judged}
    known = {**recon_differences.of_ids(session, found.keys() - live.keys()), **live}
    rows, acts = [], _Acts()
    for name, one in found.items():
        rows.append(_row(name, one, known.get(name), acts, partition=partition, watermarks=watermarks, now=now))
    recon_differences.keep(session, rows)
    gone = [row for name, row in live.items() if name not in found]
    for disposition, of in (("repaired", "repairing"), ("agreed", "open"), ("waived", "waived")):
        names = [row["difference_id"] for row in gone if row["state"] == of]
        if names:
            recon_differences.settle(session, names, state="closed", disposition=disposition, closed_at=now)
            recon_differences.act(session, names, "closed", by=HUB, reason=_REASONS[disposition], now=now)
    for (act, reason), names in acts.items():
        recon_differences.act(session, names, act, by=HUB, reason=reason, now=now)
    return Tracked(len(found), sum(len(names) for names in acts.values()), len(gone))


_REASONS = {
    "repaired": "the system holds the right state after its repair",
    "agreed": "the systems agree again",
    "waived": "the systems agree again; it had been waived",
}


class _Acts(dict[tuple[str, str], list[str]]):
    """Ids of differences by what was done about them, and why."""

    def note(self, act: str, reason: str, name: str) -> None:
        """Add one."""
        self.setdefault((act, reason), []).append(name)


def _row(
    name: str, one: Judged, old: Row | None, acts: _Acts, *, partition: int, watermarks: Mapping[str, datetime],
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Return a difference as it is kept now."""
    row = _facts(name, one, partition, now)
    if old is None:
        acts.note("found", one.why, name)
        return {**row, **_BLANK, "first_seen_at": now, "opened_at": now}
    kept = {column: old[column] for column in (*_BLANK, "first_seen_at", "opened_at")}
    kept["seen"] += 1
    same = (old["expected"], old["found"]) == (row["expected"], row["found"])
    reason = ""
    if old["state"] == "closed":
        reason = "it is back"
    elif old["state"] == "waived" and not same:
        reason = "other values than those that were waived"
    elif old["state"] == "repairing" and not _may_still_come(old, one, watermarks):
        reason = "an extract that was written after the repair differs still"
    if reason:
        acts.note("again", reason, name)
        kept |= {"state": "open", "disposition": "", "opened_at": now, "closed_at": None}
    if kept["state"] == "waived":
        row["klass"] = "KNOWN_WAIVED"
    if same and old["cause"] == "mapping" and row["cause"] == "out_of_band":
        row |= {"cause": "mapping", "why": old["why"]}  # found by looking at many of them
    return {**row, **kept}


def _may_still_come(old: Row, one: Judged, watermarks: Mapping[str, datetime]) -> bool:
    """Return whether a repair can still show: it is on its way, or the system wrote no extract since."""
    if one.cause == "late":
        return True
    written = watermarks.get(one.difference.system)
    return written is None or old["repaired_at"] is None or written <= old["repaired_at"]


def _facts(name: str, one: Judged, partition: int, now: datetime) -> dict[str, Any]:
    """Return what a comparison says of a difference."""
    difference = one.difference
    return {
        "difference_id": name, "partition": partition, "kind": difference.kind, "object_id": difference.object_id,
        "field": difference.field, "system": difference.system, "klass": one.klass, "level": difference.level,
        "owner": difference.owner, "expected": difference.expected, "found": difference.found,
        "said": dict(difference.said), "cause": one.cause, "why": one.why,
        "evidence": {"messages": list(one.messages), "deliveries": list(one.deliveries)}, "last_seen_at": now,
    }  # fmt: skip


_BLANK: Mapping[str, Any] = {
    "state": "open", "disposition": "", "by": "", "reason": "", "repair": "", "repaired_at": None, "seen": 1,
    "closed_at": None,
}  # fmt: skip
