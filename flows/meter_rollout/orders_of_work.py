"""Which exchange order a completion answers; what nobody ordered gets an order of its own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canonical.ids import mint_near
from flows.meter_rollout.deadlines import cycles_of
from store import reference, reference_bulk, rollout_orders
from store.rows import Row
from store.session import Session

TAKES_WORK = ("DISPATCHED", "RELEASED", "UNABLE", "ON_HOLD", "ELIGIBLE", "REJECTED", "PLANNED", "EXCLUDED", "CANCELLED")
"""States of an order that a completion may answer, the likeliest first."""

TAKES_VISIT = ("DISPATCHED", "RELEASED", "UNABLE", "ELIGIBLE", "ON_HOLD", "PLANNED")
"""The same for a visit in vain."""


@dataclass(slots=True)
class Orders:
    """The orders at the usage points of a batch."""

    at: Mapping[str, list[Row]]
    """All orders by usage point."""

    known: Mapping[str, Mapping[str, Any]]
    """What an order of its own says of its usage point, by usage point."""

    answered: set[str] = field(default_factory=set)
    """Orders of which a completion stands: another one is not about them."""

    fresh: list[dict[str, Any]] = field(default_factory=list)

    def done(self, point: str, named: str) -> Row | None:
        """Return the order that an exchange answers: the one that it names if it fits, else the likeliest."""
        return self._of(point, named, TAKES_WORK)

    def visited(self, point: str, named: str) -> Row | None:
        """Return the order that a visit in vain answers."""
        return self._of(point, named, TAKES_VISIT)

    def ad_hoc(self, result: Row) -> str:
        """Return the id of a new order for an exchange that nobody ordered; it is inserted with the others."""
        order = mint_near(result["usage_point"], "rollout_order", "", result["business_key"])
        row = {"order_id": order, "usage_point": result["usage_point"], "state": "DONE_IN_FIELD", "attempts": 1,
               "valid_at": result["effective_at"], "reason": "nobody ordered it"}  # fmt: skip
        self.fresh.append({**row, **self.known.get(result["usage_point"], {})})
        return order

    def _of(self, point: str, named: str, states: tuple[str, ...]) -> Row | None:
        """Return the order at a usage point in one of some states, the named one before others."""
        free = [row for row in self.at.get(point, ()) if row["order_id"] not in self.answered]
        fitting = [row for row in free if row["state"] in states]
        for row in fitting:
            if row["order_id"] == named:
                return row
        return min(fitting, key=lambda row: (states.index(row["state"]), row["order_id"]), default=None)


def open_orders(session: Session, points: Collection[str], *, now: datetime) -> Orders:
    """Return the orders at usage points, and what is known of these."""
    agreements = reference_bulk.held(session, reference.AGREEMENT, "usage_point", points)
    cycles = cycles_of(agreements, now)
    classes = {row["usage_point"]: row["customer_class"] for row in agreements}
    known = {
        row["usage_point"]: {
            "usage_point_name": row["name"], "district": row["district"], "route": row["route"],
            "cycle": cycles.get(row["usage_point"], ""), "customer_class": classes.get(row["usage_point"], ""),
        }
        for row in reference_bulk.held(session, reference.USAGE_POINT, "usage_point", points)
    }  # fmt: skip
    return Orders(rollout_orders.all_of_usage_points(session, points), known)


def insert(session: Session, orders: Orders, *, now: datetime) -> None:
    """Add the orders that completions made necessary."""
    rollout_orders.insert(session, [{**one, "done_at": now} for one in orders.fresh], now=now)
