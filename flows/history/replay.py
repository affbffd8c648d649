"""From statements in known order to beliefs: rectangles over valid time and known time, each believed as a whole.

Each statement touches only the versions that it changes: one more costs a long history no more than a short one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from flows.history.evidence import Belief, Statement
from flows.history.thread import Piece, Shown, Thread, apply, lives_on, place_of


def beliefs_of(statements: Iterable[Statement]) -> tuple[Belief, ...]:
    """Return what each system believed of each thing, from statements in any order; those nobody believed are left out.

    At any valid and known instant at most one belief of a system, thing and part covers both.
    """
    believed = sorted((one for one in statements if one.known_at is not None), key=_key)
    found: list[Belief] = []
    for (system, kind, object_id, part), own in groupby(
        believed, key=lambda s: (s.system, s.kind, s.object_id, s.part)
    ):
        for piece, since, until in _drawn(list(own)):
            found.append(
                Belief(
                    system, kind, object_id, piece.facts, piece.valid_from, piece.valid_to, since, until, piece.by, part
                )
            )
    return tuple(found)


def _key(one: Statement) -> tuple[str, str, str, str, datetime, int, int]:
    known = one.known_at
    if known is None:
        raise ValueError("nobody believed it")
    # A table's version goes before the one that replaces it comes, at the same instant.
    return (one.system, one.kind, one.object_id, one.part, known, int(one.act != "drops"), one.number)


def _drawn(statements: Sequence[Statement]) -> list[tuple[Piece, datetime, datetime | None]]:
    """Return the pieces that one thread of statements leads to, each with the span in which it was believed."""
    thread = Thread()
    for instant, group in groupby(statements, key=lambda one: one.known_at):
        if instant is None:
            continue
        for one in group:
            apply(thread, one)
        _settle(thread, instant)
    standing = [shown for version in thread.versions for shown in version.shown.values()]
    standing += thread.head.values()
    thread.done += [(shown.piece, shown.since, None) for shown in standing]
    return sorted(thread.done, key=lambda one: (one[1], one[0].valid_from is not None, one[0].valid_from or one[1]))


def _settle(thread: Thread, instant: datetime) -> None:
    """Draw beliefs anew, from a known instant on, where something was said."""
    for version in thread.gone.values():
        for slot in list(version.shown):
            _show(thread, version.shown, slot, None, instant)
    for at in sorted(thread.stale):
        place = place_of(thread, at)
        if place:
            _reshape(thread, place - 1, instant)
        first = place
        while place < len(thread.versions):
            differs = _refold(thread, place)
            _reshape(thread, place, instant)
            if not differs and place > first:
                break
            place += 1
    _show(thread, thread.head, "head", _head(thread), instant)
    thread.stale.clear()
    thread.gone.clear()


def _refold(thread: Thread, place: int) -> bool:
    """Let a version follow from the one before it, and return whether it says anything else than before."""
    version = thread.versions[place]
    before = thread.versions[place - 1] if place else None
    inherited = before.facts if before is not None and lives_on(before, version) and not version.whole else {}
    facts = {**inherited, **version.own}
    differs = facts != version.facts
    version.facts = facts
    return differs


def _reshape(thread: Thread, place: int, instant: datetime) -> None:
    """Draw what one version and the next make of the time between them."""
    version = thread.versions[place]
    following = thread.versions[place + 1].valid_from if place + 1 < len(thread.versions) else None
    end = _earlier(version.valid_to, following)
    by = max((fact.by for fact in version.facts.values()), default=version.by)
    holds = Piece(version.valid_from, end, version.facts, by) if end is None or end > version.valid_from else None
    gap = None
    if version.valid_to is not None and (following is None or version.valid_to < following):
        gap = Piece(max(version.valid_to, version.valid_from), following, None, version.ended_by)
    _show(thread, version.shown, "holds", holds, instant)
    _show(thread, version.shown, "gap", gap, instant)


def _head(thread: Thread) -> Piece | None:
    """Return what is believed of the time before the first version."""
    if not thread.versions:
        return Piece(None, None, None, thread.emptied_by) if thread.emptied_by else None
    first = thread.versions[0]
    return Piece(None, first.valid_from, None, first.by) if first.begins else None


def _show(thread: Thread, shown: dict[str, Shown], slot: str, piece: Piece | None, instant: datetime) -> None:
    """Let a piece be believed from an instant on instead of the one that is; one that says the same stays."""
    now_is = shown.get(slot)
    if now_is is not None and piece is not None and now_is.piece.says(piece):
        return
    if now_is is not None:
        del shown[slot]
        if now_is.since < instant:
            thread.done.append((now_is.piece, now_is.since, instant))
    if piece is not None:
        shown[slot] = Shown(piece, instant)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((end for end in (one, other) if end is not None), default=None)
