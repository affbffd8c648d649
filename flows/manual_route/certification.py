"""A usage point that is certified for AMI billing leaves the manual route: what is still out is not read any more."""

from collections.abc import Collection

from store import route_extracts
from store.session import Session


def certified(session: Session, usage_points: Collection[str]) -> int:
    """Note that usage points (mRIDs) left the manual route, and return how many stops were still out.

    The next extraction leaves them out for their orders' sake (`rollout_order.certified_at`), whatever the master of
    their read source says by then. Call it in the transaction that certifies them.
    """
    return route_extracts.stale(session, usage_points)
