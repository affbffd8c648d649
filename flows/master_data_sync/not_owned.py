"""What a system states of fields that it is not the master of: told as work where it differs, and never applied."""

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.codes.linkage import FIELD_NOT_OWNED
from canonical.errors import RejectedError
from canonical.holdings import text_of
from canonical.master_data import MasterThing, ServiceLocation
from flows.master_data_sync.masters import Master, begins_at
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.records import COLUMNS, EXISTENCE
from flows.master_data_sync.said import Said
from flows.master_data_sync.stored import versions_of
from flows.master_data_sync.timeline import holding
from flows.routing import deliver
from store import master_changes
from store.rows import Row
from store.session import Session

PRIVATE = frozenset({"customer", "location"})
"""Kinds whose values are personal data: work names the field and not what it holds."""


def kind_of(table: str) -> str:
    """Return the kind of holdings that a master keeps."""
    return master_changes.KINDS.get(table, table)


def check_end_by(said: Said, master: Master, policy: Policy) -> None:
    """Check that who ends a thing, or takes it back, is its master.

    Raises:
        RejectedError: it is not (FIELD_NOT_OWNED).
    """
    kind = kind_of(master.table.name)
    if said.verb in ("close", "delete") and not policy.records.owns(said.source, kind, EXISTENCE):
        reason = f"{policy.records.owner(kind, EXISTENCE)} says here when a {kind} ends"
        raise RejectedError(reason, code=FIELD_NOT_OWNED)


def check_link(said: Said, kind: str, field: str, policy: Policy) -> None:
    """Check that who says what belongs together is the master of that.

    Raises:
        RejectedError: it is not (FIELD_NOT_OWNED).
    """
    if not policy.records.owns(said.source, kind, field):
        reason = f"{policy.records.owner(kind, field)} says here what {kind}.{field} is"
        raise RejectedError(reason, code=FIELD_NOT_OWNED)


def without(
    session: Session,
    said: Said,
    master: Master,
    object_id: str,
    rows: list[Row],
    *,
    policy: Policy,
    now: datetime,
) -> tuple[Said | None, str]:
    """Return a statement without what its sender is not the master of, and what it is told of that.

    None: nothing of it is left. Each such field that differs from what is held is a person's work, once.
    """
    kind, stated = kind_of(master.table.name), master.stated(said)
    if said.verb in ("close", "delete"):
        return said, ""
    withheld = policy.records.withheld(said.source, kind, stated)
    if said.spans and not policy.records.owns(said.source, kind, EXISTENCE):
        said = replace(said, spans=False, until=None)
    if not withheld:
        return said, ""
    remark = _told(session, said, kind, object_id, {name: stated[name] for name in withheld}, rows, policy, now)
    if withheld == stated.keys():
        return None, remark
    left = said.stated - withheld if said.stated is not None else None
    return replace(said, withheld=withheld, stated=left, thing=_blank(said.thing, withheld)), remark


def _told(
    session: Session,
    said: Said,
    kind: str,
    object_id: str,
    stated: Mapping[str, Any],
    rows: list[Row],
    policy: Policy,
    now: datetime,
) -> str:
    """Make each field that differs from what is held work, and return what the sender is told of them."""
    held = holding(versions_of(rows), begins_at(said))
    known: Mapping[str, Any] = held.fields if held is not None else {}
    differing = sorted({COLUMNS.get(name, name) for name, value in stated.items() if known.get(name) != value})
    for name in differing:
        owner = policy.records.owner(kind, name)
        says = "" if kind in PRIVATE else f" {text_of(stated[name])!r}, held is {text_of(known.get(name))!r}"
        summary = f"{said.source} states {kind} {object_id} {name}{says}; its master is {owner}"
        deliver.tell(session, FIELD_NOT_OWNED, f"{kind} {object_id} {name}", summary, queue=policy.queue, now=now)
    return f"not its master: {', '.join(differing)}" if differing else ""


def _blank(thing: MasterThing, names: Collection[str]) -> MasterThing:
    """Return a thing without some fields, so that others are not told of them either; kinds of measurement stay."""
    empty = {
        one.name: _EMPTY[type(value)]
        for one in fields(thing)
        if one.name in names and one.name != "commodity" and type(value := getattr(thing, one.name)) in _EMPTY
    }
    if isinstance(thing, ServiceLocation):
        own = {one.name: "" for one in fields(thing.address) if one.name in names}
        empty["address"] = replace(thing.address, **own)
    return replace(thing, **empty)


_EMPTY: Mapping[type, Any] = {str: "", bool: False, Decimal: Decimal(0), tuple: ()}
