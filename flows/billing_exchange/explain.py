"""The chain behind every figure of an account, meter, usage point or request, link by link, as the store holds it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from canonical.billing import BillDeterminant
from canonical.codes.configuration import EXPLAIN_NOT_FOUND
from canonical.errors import RejectedError
from canonical.periods import Period
from flows.billing_exchange.stored import determinant_from_text
from store import (
    billing,
    billing_items,
    billing_parts,
    deliveries,
    determinants,
    readings,
    reference_book,
    work,
)
from store.rows import Row
from store.session import Session, Transaction

MARGIN = timedelta(days=4)
"""Readings are shown this much beyond the period: as far as a read may lie from the bill instant."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the determinant, with the rules that made it."""

    determinant: BillDeterminant
    trail: tuple[str, ...]
    calculated_at: Any
    locked_at: Any


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything about one billing item, from the request's line to the bill."""

    item: Row
    run: Row | None
    history: Sequence[Row]
    reference: dict[str, list[Row]]
    """Every version of usage point, agreement and installations, with the time from which each was known."""

    readings: Sequence[Row]
    """Every version of every value, with quality, source and the file or message that brought it."""

    versions: Sequence[Version]
    lines: Sequence[Row]
    """Part file and line of each version that was handed on, and what the receiver said."""

    deliveries: dict[str, Row]
    billed: Sequence[Row]
    work: Sequence[Row]


def explain(subject: str, *, transaction: Transaction) -> list[Explained]:
    """Return the chain of every billing item that a word names, oldest period first.

    Raises:
        RejectedError: nothing answers to it (EXPLAIN_NOT_FOUND).
    """
    with transaction() as session:
        items = _items(session, subject)
        if not items:
            raise RejectedError(f"nothing that was billed answers to {subject!r}", code=EXPLAIN_NOT_FOUND)
        return [_explained(session, item) for item in items]


def _items(session: Session, subject: str) -> list[Row]:
    """Return the items that a request id, account, agreement, usage point or meter names."""
    found = billing_items.of_request(session, subject) or billing_items.of_account(session, subject)
    if found:
        return found
    agreements = reference_book.usage_points_of_agreements(session, {subject}).get(subject, ())
    points = {agreement.usage_point for agreement in agreements} or {subject}
    found = billing_items.of_usage_points(session, points)
    if found:
        return found
    names = reference_book.usage_points_named(session, {subject}).get(subject, ())
    manufacturer, _, serial = subject.rpartition("/")
    meters = reference_book.installations_of_serials(session, {serial})
    for installation in (one for each in meters.values() for one in each):
        if manufacturer in ("", installation.manufacturer):
            names = (*names, installation.usage_point)
    return billing_items.of_usage_points(session, set(names))


def _explained(session: Session, item: Row) -> Explained:
    """Return the chain of one item."""
    span = Period(item["period_start"] - MARGIN, item["period_end"] + MARGIN)
    lines = billing_parts.lines_of_item(session, item["item_id"])
    return Explained(
        item=item,
        run=billing.run(session, item["run_id"]),
        history=billing_items.history(session, item["item_id"]),
        reference=reference_book.history(session, item["usage_point"]),
        readings=readings.origins(session, item["usage_point"], span),
        versions=[_version(row) for row in determinants.versions(session, item["item_id"])],
        lines=lines,
        deliveries=_deliveries(session, lines),
        billed=determinants.billed(session, {item["determinant_id"]}),
        work=work.of_request(session, item["request_id"]),
    )


def _version(row: Row) -> Version:
    """Return one version of the determinant."""
    return Version(
        determinant_from_text(row["payload"]), tuple(json.loads(row["trail"])), row["calculated_at"], row["locked_at"]
    )


def _deliveries(session: Session, lines: Sequence[Row]) -> dict[str, Row]:
    """Return the deliveries of the parts, by delivery id."""
    found = {}
    for line in lines:
        if line["delivery_id"]:
            one = deliveries.find(session, line["delivery_id"])
            found[one.delivery_id] = {
                "state": one.state, "attempts": one.attempts, "enqueued_at": one.enqueued_at, "sent_at": one.sent_at,
                "confirmed_at": one.confirmed_at, "code": one.code, "reason": one.reason, "sha256": one.sha256,
            }  # fmt: skip
    return found
