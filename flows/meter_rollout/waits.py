"""What a step waits for that is not its system's answer: a bill (EX11), or the message of the system that begins it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from canonical.codes.rollout import BILLING_WINDOW_LOCK
from canonical.codes.rollout_steps import ORIGIN_CONTRADICTS, ORIGIN_SILENT
from canonical.errors import ErrorCode
from flows.meter_rollout import beginning, billing_lock, subjects, trouble
from flows.meter_rollout.beginning import LOOK_AGAIN_IN, Begun
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.progress import Track, definition
from flows.meter_rollout.trouble import Trouble
from flows.routing.deliver import Sending
from store import rollout_steps
from store.rows import Row
from store.session import Session

_SAYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "CIS_PAIR": (("close", "old"), ("create", "new")),
    "MDMS_CLOSE": (("close", "old"),),
    "MDMS_CREATE": (("create", "new"),),
    "OMS_METER": (("create", "new"),),
}
"""What an origin has to have said of the hanging of which meter; of other steps any word about the usage point."""


def release_billed(session: Session, tracks: Sequence[Track], *, policy: Policy, now: datetime) -> list[Trouble]:
    """Let held pairs go whose bill was made, and return those of which a person has to decide (ruling 9)."""
    held = [(track, name) for track in tracks for name, row in track.rows.items() if row["state"] == "HELD"]
    if not held:
        return []
    points = {track.order["usage_point"] for track, _ in held}
    locked = billing_lock.locked(session, points, policy=policy, now=now)
    late = []
    for track, name in held:
        row = track.rows[name]
        until = locked.get(track.order["usage_point"])
        if until is None:
            track.put(name, state="PENDING", due_at=None, code="", reason="the bill is made")
            continue
        track.put(name, due_at=now + LOOK_AGAIN_IN)
        if now >= until and not row["work_id"]:
            late.append(_person(track, name, BILLING_WINDOW_LOCK, "the bill for which it waits has not come"))
    return late


def follow_origins(
    session: Session, tracks: Sequence[Track], begun: Begun, *, policy: Policy, sending: Sending
) -> None:
    """Pass on what other systems have begun, and tell a person of those that are silent or say something else."""
    waiting = [
        (track, name)
        for track in tracks
        for name, row in track.rows.items()
        if row["state"] == "AWAITED" and definition(name).system is not None
    ]
    if not waiting:
        return
    said = rollout_steps.said_of(session, {track.order["usage_point"] for track, _ in waiting})
    spoken = subjects.exchanges(
        session, {(track.order["order_id"], False): track.facts(name) for track, name in waiting}
    )
    for track, name in waiting:
        verdict = _verdict(track, name, said.get(track.order["usage_point"], []), policy)
        if verdict == "said":
            is_own = policy.origin_of(name) == definition(name).system
            if is_own:
                track.put(name, state="CONFIRMED", due_at=None, ended_at=sending.now, reason="it said so itself")
            else:
                one = spoken[track.order["order_id"], False]
                beginning.begin_step(track, name, one, begun, policy=policy, sending=sending, passed_on=True)
            continue
        track.put(name, due_at=sending.now + LOOK_AGAIN_IN)
        if verdict and not track.rows[name]["work_id"]:
            begun.troubles.append(_person(track, name, ORIGIN_CONTRADICTS, verdict))
        elif sending.now - track.rows[name]["began_at"] >= policy.await_origin and not track.rows[name]["work_id"]:
            reason = f"{policy.origin_of(name)} has not said it"
            begun.troubles.append(_person(track, name, ORIGIN_SILENT, reason))


def _verdict(track: Track, name: str, said: Sequence[Row], policy: Policy) -> str:
    """Return `said` where the origin has said what the order says, what it said otherwise, or nothing."""
    facts = track.facts(name)
    at = datetime.fromisoformat(facts["installed_at"] or facts["removed_at"])
    instants = {facts["installed_at"], facts["removed_at"]} - {""}
    sources = policy.sources.get(policy.origin_of(name), frozenset())
    own = [row for row in said if row["system"] in sources and row["disposition"] != "REJECTED"]
    wanted = [(verb, facts[which]) for verb, which in _SAYS.get(name, ()) if facts[which]]
    if not wanted:
        return "said" if any(row["valid_from"] >= at for row in own) else ""
    missing = []
    for verb, meter in wanted:
        alike = [row for row in own if row["verb"] == verb and row["kind"] == "installation"]
        if any(meter in row["object_id"] and row["valid_from"].isoformat() in instants for row in alike):
            continue
        missing.append(next((row for row in alike if meter in row["object_id"] and row["valid_from"] >= at), None))
    if not missing:
        return "said"
    wrong = [row for row in missing if row is not None]
    return f"{wrong[0]['system']} said it of {wrong[0]['valid_from'].isoformat()}" if wrong else ""


def _person(track: Track, name: str, code: ErrorCode, reason: str) -> Trouble:
    about = f"{track.order['order_id']}:{name}:{track.rows[name]['attempt']}"
    track.put(name, work_id=trouble.work_id(code, about))
    said = f"{name} of order {track.order['order_id']}: {reason}"
    return Trouble(code, about, said, track.order["usage_point"], track.order["new_meter"])
