"""Messages and deliveries as people read them on a terminal, and as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows.delivery import Replay
from flows.inquiry import Node, Parked, Shown

if TYPE_CHECKING:
    from services.inbound import Taken

PREVIEW = 2000
"""Bytes of a payload that a dry run prints."""


def to_json(things: Any) -> str:
    """Return anything that the ledger tells as JSON, instants in ISO form."""
    return json.dumps(things, indent=2, default=_plain, ensure_ascii=False)


def message_line(facts: Mapping[str, Any]) -> str:
    """Return one message on one line."""
    what = " ".join(filter(None, (facts["verb"], facts["noun"]))) or "unread"
    line = f"{facts['entry']:>8}  {_at(facts['received_at'])}  {facts['source']:<12} {facts['state']:<8} {what}"
    return line + "".join(f"  {part}" for part in (facts["business_key"], facts["message_id"], facts["code"]) if part)


def parked_line(one: Parked) -> str:
    """Return one parked thing on one line."""
    return f"{one.kind:<11} {one.id}  {_at(one.since)}  {one.partner}  {one.name}  {one.code}  {one.reason}".rstrip()


def shown_lines(shown: Shown) -> Iterator[str]:
    """Yield one message or delivery, a fact a line, then its reply, attempts and acts."""
    yield shown.kind
    for name, value in shown.facts.items():
        if value not in ("", None):
            yield f"  {name.replace('_', ' '):<16} {_text(value)}"
    if shown.reply is not None:
        yield "reply"
        yield from (f"  {name.replace('_', ' '):<16} {_text(value)}" for name, value in shown.reply.items() if value)
    for title, rows in (("attempts", shown.attempts), ("acts", shown.acts), ("breaks the standard", shown.findings)):
        if rows:
            yield title
        for row in rows:
            told = (value for name, value in row.items() if value not in ("", None) and name not in _KEYS)
            yield "  " + "  ".join(map(_text, told))


_KEYS = ("entry", "delivery_id", "subject")
"""Columns that an attempt or act repeats of what it belongs to."""


def tree_lines(nodes: Sequence[Node], indent: str = "") -> Iterator[str]:
    """Yield a conversation, what was caused below what caused it."""
    for number, node in enumerate(nodes):
        last = number == len(nodes) - 1
        branch, below = ("", "") if not indent and not number and last else ("└─ ", "   ") if last else ("├─ ", "│  ")
        yield f"{indent}{branch}{_node_line(node)}"
        yield from tree_lines(node.caused, indent + (below or " "))


def replay_lines(made: Replay, *, dry_run: bool) -> Iterator[str]:
    """Yield what a replay would send or sends."""
    parcel = made.parcel
    yield f"delivery {made.delivery_id} to {made.destination}, {made.state}"
    yield f"  key          {parcel.key}"
    yield f"  payload      {parcel.name}, {parcel.content_type}, {parcel.size} bytes, sha256 {parcel.sha256}"
    yield f"  last outcome {made.last_outcome} (attempt {made.attempt})"
    if made.in_doubt:
        yield "  in doubt: nobody knows whether the last attempt arrived; ask the destination first"
    if not dry_run:
        yield "  one new attempt is due now; the relay makes it"
    elif parcel.body is None:
        yield f"  in the spool: {parcel.path}"
    else:
        yield parcel.body[:PREVIEW].decode("utf-8", "backslashreplace")


def retake_line(entry: str, taken: "Taken", *, dry_run: bool) -> str:
    """Return what became of something that came in and was handled again, or what would."""
    told = (taken.result, taken.code, taken.reason, f"({taken.counts})" if taken.counts else "")
    return f"entry {entry} {'would be' if dry_run else 'is'} handled again: {' '.join(filter(None, told))}"


def _node_line(node: Node) -> str:
    """Return one message or delivery of a tree."""
    facts = node.facts
    what = " ".join(filter(None, (facts["verb"], facts["noun"]))) or "unread"
    if node.kind == "message":
        line = f"message {facts['entry']} from {facts['source']}: {what}, {facts['state']}, {_at(facts['received_at'])}"
    else:
        line = f"delivery {facts['delivery_id']} to {facts['destination']}: {facts['name']}, {facts['state']}"
        times = (("sent", facts["sent_at"]), ("confirmed", facts["confirmed_at"]), ("overdue", facts["unconfirmed_at"]))
        line += "".join(f", {name} {_at(at)}" for name, at in times if at)
    return line + (f", {facts['code']} {facts['reason']}".rstrip() if facts["code"] else "")


def _at(instant: datetime) -> str:
    """Return an instant in UTC, to the second."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(value: Any) -> str:
    """Return a fact as text."""
    if isinstance(value, datetime):
        return _at(value)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)


def _plain(value: Any) -> Any:
    """Return what JSON has no word for."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return _at(value) if isinstance(value, datetime) else str(value)
