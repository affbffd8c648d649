"""Meters reported at each other's usage points (EX09): pairs and longer cycles, found across batches and orders.

A completion that removed a meter which hangs elsewhere points at that usage point. Where such pointers close a cycle,
every member is cross-installed, and is corrected together with the others or not at all.
"""

from collections.abc import Collection, Mapping, Sequence

from canonical.codes.rollout import CROSS_INSTALLED, OLD_METER_MISMATCH
from flows.meter_rollout.batch import Batch, about
from flows.meter_rollout.stays import open_stays, stands
from flows.meter_rollout.trouble import Trouble
from store import rollout_results
from store.rollout_orders import Move
from store.rows import Row
from store.session import Session

LONGEST = 8
"""Members of a cycle up to which it is looked for."""


def mark(session: Session, batch: Batch, rows: Sequence[Row]) -> None:
    """Name the cycles that the held completions of a batch close, also by those that were held before."""
    mine = {row["usage_point"]: row for row in rows if _points_elsewhere(row)}
    if not mine:
        return
    members = dict(mine)
    edges = _edges(session, mine.values())
    for _ in range(LONGEST):
        ahead = set(edges.values()) - members.keys()
        found = {row["usage_point"]: row for row in _held_at(session, ahead) if _points_elsewhere(row)}
        if not found:
            break
        members |= found
        edges |= _edges(session, found.values())
    for cycle in cycles(edges):
        if mine.keys() & set(cycle):
            _name(batch, [members[point] for point in cycle], rows)


def cycles(edges: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return the cycles of a map from each thing to another, each from its least member on, in order."""
    found: dict[str, tuple[str, ...]] = {}
    for start in sorted(edges):
        path, at = [start], edges[start]
        while at in edges and at not in path:
            path.append(at)
            at = edges[at]
        if at == start and len(path) > 1 and min(path) == start:
            found[start] = tuple(path)
    return [found[start] for start in sorted(found)]


def _points_elsewhere(row: Row) -> bool:
    codes = {str(OLD_METER_MISMATCH), str(CROSS_INSTALLED)}
    return row["state"] == "HELD" and bool(row["removed_meter"]) and bool(codes.intersection(row["codes"]))


def _held_at(session: Session, points: Collection[str]) -> list[Row]:
    return [row for row in rollout_results.of_usage_points(session, points) if row["state"] == "HELD"]


def _edges(session: Session, rows: Collection[Row]) -> dict[str, str]:
    """Return for each completion's usage point where the meter really hangs that it says was removed there."""
    stays = open_stays(session, {row["removed_meter"] for row in rows}, ())
    found = {}
    for row in rows:
        stay = stays.place(row["removed_meter"], row["effective_at"])
        if stay is not None and stands(stay, row["effective_at"]) and stay["usage_point"] != row["usage_point"]:
            found[row["usage_point"]] = stay["usage_point"]
    return found


def _name(batch: Batch, members: Sequence[Row], rows: Sequence[Row]) -> None:
    """Give every member of a cycle its code and its work; what pointed at it alone is over."""
    points = ",".join(row["usage_point"] for row in members)
    reason = f"the removed meters hang at each other's usage points: `amihub rollout correct --cross {points}`"
    code, own = str(CROSS_INSTALLED), {row["result_id"] for row in rows}
    for row in members:
        batch.over.append((str(OLD_METER_MISMATCH), row["order_id"]))
        batch.troubles[:] = [one for one in batch.troubles if not _is_mismatch(one, row)]
        batch.troubles.append(Trouble(CROSS_INSTALLED, about(row), reason, row["usage_point"]))
        row |= {"codes": [code, *(one for one in row["codes"] if one != code)], "reason": reason}
        if row["result_id"] not in own:
            changed = {"result_id": row["result_id"], "codes": row["codes"], "reason": reason}
            batch.crossed.append(changed)
        batch.believed.moves.append(
            Move(row["order_id"], "REJECTED", row["effective_at"], CROSS_INSTALLED, reason, row["message_id"])
        )


def _is_mismatch(one: Trouble, row: Row) -> bool:
    return one.code is OLD_METER_MISMATCH and one.about == about(row)
