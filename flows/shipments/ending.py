"""Old meters that a system disposes of by itself: its `close` ends the row of the stock, and the others are told."""

from collections.abc import Mapping
from dataclasses import replace

from canonical.ids import mint
from flows.routing.deliver import Sending
from flows.shipments.policy import ShipmentPolicy
from flows.shipments.telling import tell
from store import master_statements, shipments
from store.rows import Row
from store.session import Session, Transaction

BATCH = 500
"""Meters of one transaction."""


def ended(*, policy: ShipmentPolicy, sending: Sending, transaction: Transaction) -> int:
    """Dispose of returned meters that somebody closed in the masters, by message or by file, and return how many.

    Every role of the policy is told, but for the one that said so. A meter that hangs somewhere, or that nobody has
    brought back yet, is left alone: whoever closes it too early is heard once it is returned.
    """
    number = 0
    while True:
        with transaction() as session:
            rows = shipments.returned_and_ended(session, now=sending.now, limit=BATCH)
            shipments.move(session, [row["meter"] for row in rows], "DISPOSED", now=sending.now)
            for who, some in _by_teller(session, rows, policy).items():
                own = replace(policy, roles=tuple(role for role in policy.roles if role not in who))
                cause = mint("ended", ",".join(row["meter"] for row in some), sending.now)
                tell(session, some, verb="close", cause=cause, effective_at=sending.now, policy=own, sending=sending)
        number += len(rows)
        if len(rows) < BATCH:
            return number


def _by_teller(session: Session, rows: list[Row], policy: ShipmentPolicy) -> Mapping[frozenset[str], list[Row]]:
    """Return meters by the roles that said themselves that they are no more."""
    said: dict[str, set[str]] = {}
    for one in master_statements.about(session, "", [row["meter"] for row in rows]):
        if one["verb"] == "close" and one["kind"] == "meter" and one["how"] != "we_told":
            roles = {role for role in policy.roles if one["system"] in (role, *policy.callers.get(role, ()))}
            said.setdefault(one["object_id"], set()).update(roles)
    found: dict[frozenset[str], list[Row]] = {}
    for row in rows:
        found.setdefault(frozenset(said.get(row["meter"], ())), []).append(row)
    return found
