"""Keeping completions: which are new, which are repeats, which contradict another, and whose order each belongs to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from canonical.codes.rollout import CONTRADICTORY_RESULT, DUPLICATE_RESULT, EXCLUDED_INSTALLED
from canonical.rollout import Completion
from flows.meter_rollout import orders_of_work, trouble
from flows.meter_rollout.completion_facts import business_key, facts_of, result_id, serial_of
from flows.meter_rollout.orders_of_work import Orders
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.trouble import Trouble
from store import names, reference, reference_book, reference_bulk, rollout_orders, rollout_results
from store.rollout_orders import Move
from store.rows import Row
from store.session import Session


@dataclass(frozen=True, slots=True)
class Told:
    """One completion, and who told it by what."""

    completion: Completion
    source: str
    message_id: str
    """Message and place in it, or file and line, joined by `#`."""

    raw: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one telling."""

    result_id: str
    code: str = ""
    reason: str = ""

    @property
    def is_repeat(self) -> bool:
        """Return whether the same was told before, so that nothing was done (EX13)."""
        return self.code == str(DUPLICATE_RESULT)


@dataclass(slots=True)
class _Batch:
    """What a batch of tellings becomes, before anything is written."""

    now: datetime
    orders: Orders
    standing: dict[str, list[Row]]
    """Completions that stand, by usage point."""

    known: set[str]
    fresh: list[dict[str, Any]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    """Changes of completions that were kept before."""

    woken: list[dict[str, Any]] = field(default_factory=list)
    """Changes of reversals that waited for what they take back."""

    def hold(self, other: Row) -> None:
        """Hold one that is contradicted before anybody believed it: neither the first nor the last one wins."""
        code, reason = str(CONTRADICTORY_RESULT), "another completion contradicts it"
        values: dict[str, Any] = {"state": "HELD", "due_at": None, "codes": [code], "reason": reason}
        other |= values
        if not any(other is one for one in self.fresh):
            self.held.append({"result_id": other["result_id"], **values})
        if other["order_id"]:
            self.moves.append(Move(other["order_id"], "REJECTED", None, code, reason, other["message_id"]))

    def wake(self, done: Row) -> None:
        """Have the reversals of an exchange judged that came before it."""
        for one in self.standing.get(done["usage_point"], ()):
            is_its = one["outcome"] == "REVERSED" and one["installed_serial"] == done["installed_serial"]
            if is_its and one["state"] in ("WAITING", "HELD"):
                self.woken.append({"result_id": one["result_id"], "state": "WAITING", "due_at": self.now})


def record(session: Session, told: Sequence[Told], *, policy: Policy, now: datetime) -> list[Recorded]:
    """Keep completions and return what became of each, in order; nine queries for all of them."""
    points = usage_points(session, told)
    meant = [(one, points[named(one)]) for one in told]
    keys = [business_key(one.completion, point) for one, point in meant]
    ids = [result_id(key, one.completion) for key, (one, _) in zip(keys, meant, strict=True)]
    standing: dict[str, list[Row]] = {}
    for row in rollout_results.of_usage_points(session, set(points.values())):
        if row["state"] in rollout_results.STANDS:
            standing.setdefault(row["usage_point"], []).append(row)
    orders = orders_of_work.open_orders(session, set(points.values()), now=now)
    orders.answered |= {row["order_id"] for rows in standing.values() for row in rows if row["outcome"] == "DONE"}
    batch = _Batch(now, orders, standing, set(rollout_results.of_ids(session, ids)))
    found = [_one(batch, *each) for each in zip(meant, keys, ids, strict=True)]
    orders_of_work.insert(session, orders, now=now)
    rollout_results.insert(session, batch.fresh)
    rollout_results.change(session, batch.held)
    rollout_results.change(session, batch.woken)
    rollout_orders.move_each(session, batch.moves, now=now)
    trouble.tell(session, batch.troubles, policy=policy, now=now)
    return found


def usage_points(session: Session, told: Iterable[Told]) -> dict[tuple[str, str, str], str]:
    """Return the mRID that each telling means; what nobody knows yet stays as it was named."""
    wanted = {named(one) for one in told}
    known = reference_bulk.known(session, reference.USAGE_POINT, "usage_point", {mrid for _, mrid, _ in wanted if mrid})
    words = {word for _, mrid, name in wanted if mrid not in known for word in (mrid, name) if word}
    by_name = reference_book.usage_points_named(session, words) if words else {}
    found = {}
    for source, mrid, name in wanted:
        ids = {point for word in (mrid, name) for point in by_name.get(word, ())}
        if mrid not in known and not ids:
            ids = set(names.meant(session, source, (mrid, name), "UsagePoint"))
        found[source, mrid, name] = mrid if mrid in known else ids.pop() if len(ids) == 1 else mrid or name
    return found


def named(told: Told) -> tuple[str, str, str]:
    """Return by what a telling names its usage point: who tells it, mRID, name."""
    return told.source, told.completion.usage_point, told.completion.usage_point_name


def _one(batch: _Batch, meant: tuple[Told, str], key: str, name: str) -> Recorded:
    """Decide on one telling."""
    told, point = meant
    if name in batch.known:
        return Recorded(name, str(DUPLICATE_RESULT), "the same was told before")
    row = row_of(told, point, key=key, name=name, now=batch.now)
    other = contradicted(row, batch.standing.get(point, ()))
    if other is not None and _says_the_same(row, other):
        return Recorded(other["result_id"], str(DUPLICATE_RESULT), f"{other['source']} told the same before")
    batch.known.add(name)
    batch.fresh.append(row)
    if other is not None:
        return _contradiction(batch, row, other)
    if told.completion.outcome == "UNABLE":
        _unable(batch, row, told)
    elif told.completion.outcome == "DONE":
        _done(batch, row, told)
    batch.standing.setdefault(point, []).append(row)
    return Recorded(name)


def row_of(told: Told, point: str, *, key: str, name: str, now: datetime) -> dict[str, Any]:
    """Return the row of a new completion at a usage point, to be judged now."""
    completion = told.completion
    raw = told.raw or completion.raw
    return {
        **rollout_results.BLANK, "result_id": name, "business_key": key, "usage_point": point,
        "removed_serial": serial_of(completion.removed), "installed_serial": serial_of(completion.installed),
        "outcome": completion.outcome, "effective_at": completion.effective_at,
        "content": facts_of(replace(completion, raw=raw)), "source": told.source, "message_id": told.message_id,
        "state": "NEW", "due_at": now, "told_at": now, "waived": [], "codes": [],
    }  # fmt: skip


def contradicted(row: Row, others: Iterable[Row]) -> Row | None:
    """Return a completion of the same exchange that says otherwise (EX14), None where none does.

    The same exchange: at one usage point at one instant, or the same meter removed, or installed, there twice.
    """
    if row["outcome"] != "DONE":
        return None
    for one in others:
        same_meter = any(row[name] and row[name] == one[name] for name in ("removed_serial", "installed_serial"))
        if one["outcome"] == "DONE" and (same_meter or row["effective_at"] == one["effective_at"]):
            return one
    return None


def _says_the_same(row: Row, other: Row) -> bool:
    """Return whether two tellings of one exchange differ in nothing but how much they name: makers, registers."""
    if row["business_key"] != other["business_key"] or other["state"] == "HELD":
        return False
    mine, theirs = row["content"], other["content"]
    for name in ("removed", "installed"):
        makers = {one[name][1].strip().upper() for one in (mine, theirs) if name in one} - {""}
        if len(makers) > 1:
            return False
    if not all(_reads_alike(mine.get(name, []), theirs.get(name, [])) for name in ("final_readings", "first_readings")):
        return False
    return all(mine.get(name) == theirs.get(name) for name in _CORE)


_CORE = ("removed_at", "installed_at", "multiplier_seen")
"""Facts of a telling beside its business key and its readings on which a belief rests."""


def _reads_alike(mine: Sequence[Any], theirs: Sequence[Any]) -> bool:
    """Return whether readings are the same, one by one: a file names registers, a message of the CIM reading types.

    What both name must be the same; values that stand in another order say something else unless every name agrees.
    """
    return len(mine) == len(theirs) and (
        sorted(mine) == sorted(theirs) or all(_reads_as(one, other) for one, other in zip(mine, theirs, strict=True))
    )


def _reads_as(one: Sequence[str], other: Sequence[str]) -> bool:
    (register, value, kind), (its_register, its_value, its_kind) = one, other
    named_alike = not (register and its_register) or register.casefold() == its_register.casefold()
    return value == its_value and named_alike and (not (kind and its_kind) or kind == its_kind)


def _contradiction(batch: _Batch, row: dict[str, Any], other: Row) -> Recorded:
    """Hold what says otherwise than one that stands, and that one too as long as nobody believes it."""
    reason = f"it says otherwise than {other['result_id']} of {other['source']}: {_difference(row, other)}"
    row |= {"state": "HELD", "due_at": None, "order_id": other["order_id"], "codes": [str(CONTRADICTORY_RESULT)],
            "reason": reason, "judged_at": batch.now}  # fmt: skip
    about = other["order_id"] or row["business_key"]
    if other["state"] in ("NEW", "WAITING"):
        batch.hold(other)
    batch.troubles.append(Trouble(CONTRADICTORY_RESULT, about, reason, row["usage_point"]))
    return Recorded(row["result_id"], str(CONTRADICTORY_RESULT), reason)


def _difference(row: Row, other: Row) -> str:
    """Return in which facts two tellings differ, without what is personal."""
    mine, theirs = row["content"], other["content"]
    names = ("removed", "installed", "effective_at", "removed_at", "final_readings", "first_readings")
    differ = [name for name in (*names, "multiplier_seen") if mine.get(name) != theirs.get(name)]
    return ", ".join(f"{name} {mine.get(name, 'none')} and not {theirs.get(name, 'none')}" for name in differ)


def _unable(batch: _Batch, row: dict[str, Any], told: Told) -> None:
    """Keep a visit in vain: it says nothing of any meter."""
    reason = told.completion.unable_reason or "OTHER"
    order = batch.orders.visited(row["usage_point"], told.completion.order)
    row |= {"state": "VALIDATED", "due_at": None, "judged_at": batch.now, "reason": reason}
    if order is not None:
        row["order_id"] = order["order_id"]
        batch.moves.append(_move(row, "UNABLE", reason))


def _done(batch: _Batch, row: dict[str, Any], told: Told) -> None:
    """Give an exchange its order, note that it was done where none should be (EX18), and wake what takes it back."""
    batch.wake(row)
    order = batch.orders.done(row["usage_point"], told.completion.order)
    if order is None:
        row["order_id"] = batch.orders.ad_hoc(row)
        return
    row["order_id"] = order["order_id"]
    if order["state"] == "EXCLUDED":
        row |= {"codes": [str(EXCLUDED_INSTALLED)], "reason": f"excluded: {order['reason'] or order['code']}"}
    batch.moves.append(_move(row, "DONE_IN_FIELD", ""))
    order["state"] = "DONE_IN_FIELD"
    batch.orders.answered.add(order["order_id"])


def _move(row: Row, state: Any, reason: str) -> Move:
    return Move(row["order_id"], state, row["effective_at"], "", reason, row["message_id"])
