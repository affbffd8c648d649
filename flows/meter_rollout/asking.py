"""Asking systems whether what they confirmed, or did not answer, is so: many objects in one question (domain 1.3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from canonical.codes.rollout_steps import STEP_DIFFERS
from canonical.errors import RejectedError, UnavailableError
from canonical.master_data import Link, MasterData, MasterThing, Meter
from canonical.metering import UsagePoint
from canonical.ports import HeldNoun
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.progress import Track, definition, questions, settle

AGAIN_IN = timedelta(minutes=15)
"""Business time until a system that was away is asked again."""

HANGS = frozenset({"ACTIVE", "COMMISSIONED", "COMMISSIONING", "INSTALLED"})
GONE = frozenset({"DECOMMISSIONED", "INACTIVE", "REMOVED", "RETURNED", "IN STOCK"})
"""Life cycle states of a meter that hangs, and of one that does not; other words tell nothing."""


class Ask(Protocol):
    """Asks a role what it holds: `HoldsMasterData.held` of its port."""

    def __call__(self, role: str, noun: HeldNoun, ids: Sequence[str]) -> Iterable[MasterData]:
        """Yield what the role holds; raises as the port does."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """One step that a system is asked about."""

    order_id: str
    step: str
    role: str
    noun: HeldNoun
    object_id: str
    usage_point: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a step is so at its system."""

    verdict: Literal["so", "silent", "differs", "away"]
    """`silent`: nothing that it holds says otherwise, and nothing that it is so."""

    reason: str = ""


Answers = Mapping[tuple[str, str], Answer]
"""By order and step."""


def collect(tracks: Sequence[Track], *, policy: Policy, now: datetime) -> list[Question]:
    """Return what systems are to be asked of some orders; the tracks are settled by it."""
    found = []
    for track in tracks:
        settle(track, policy=policy, now=now)
        found += [_question(track, name) for name in questions(track, policy=policy, now=now)]
    return found


def answered(asked: Sequence[Question], ask: Ask, *, now: datetime) -> Answers:
    """Ask every system once for all of its objects, outside of any transaction, and return what they say of each step.

    A system that is away, or has no words for it, is asked again later; it holds nobody else up.
    """
    grouped: dict[tuple[str, HeldNoun], list[Question]] = {}
    for one in asked:
        grouped.setdefault((one.role, one.noun), []).append(one)
    answers: dict[tuple[str, str], Answer] = {}
    for (role, noun), own in grouped.items():
        try:
            things = [thing for data in ask(role, noun, _ids(own)) for thing in data.things]
        except (UnavailableError, RejectedError) as error:
            away = Answer("away", error.reason)
            answers.update(((one.order_id, one.step), away) for one in own)
            continue
        held: dict[str, list[MasterThing]] = {}
        for thing in things:
            held.setdefault(_name(thing), []).append(thing)
        answers.update(((one.order_id, one.step), _compare(one, held.get(one.object_id, []))) for one in own)
    return answers


def judge(tracks: Sequence[Track], answers: Answers, *, now: datetime) -> None:
    """Take over what systems said: a step is SEEN, is asked for again later, or is a person's from now on."""
    for track in tracks:
        for name in list(track.rows):
            answer = answers.get((track.order["order_id"], name))
            row = track.rows[name]
            if answer is None or row["state"] not in ("CONFIRMED", "REFUSED", "UNCONFIRMED"):
                continue
            if answer.verdict == "so" or (answer.verdict == "silent" and row["state"] == "CONFIRMED"):
                track.put(name, state="SEEN", code="", reason="", due_at=None, ended_at=row["ended_at"] or now)
            elif answer.verdict == "away":
                track.put(name, due_at=now + AGAIN_IN)
            elif row["state"] == "CONFIRMED":
                said = {"code": str(STEP_DIFFERS), "reason": answer.reason}
                track.put(name, state="UNCONFIRMED", due_at=None, ended_at=now, **said)
            else:
                reason = "; ".join(filter(None, (row["reason"], answer.reason)))
                track.put(name, reason=reason, due_at=None, ended_at=now)


def _question(track: Track, name: str) -> Question:
    step, facts = definition(name), track.facts(name)
    meter = facts["old"] if step.needs == "removed" else facts["new"] or facts["old"]
    noun: HeldNoun = step.asks or "UsagePointConfig"
    return Question(
        track.order["order_id"],
        name,
        track.rows[name]["role"],
        noun,
        meter if noun == "MeterConfig" else facts["usage_point"],
        facts["usage_point"],
        facts["old"],
        facts["new"],
    )


def _ids(asked: Iterable[Question]) -> list[str]:
    return sorted({one.object_id for one in asked})


def _name(thing: MasterThing) -> str:
    return thing.meter if isinstance(thing, Meter) else str(getattr(thing, "usage_point", ""))


def _compare(one: Question, held: Sequence[MasterThing]) -> Answer:
    """Return whether what a system holds is what it was told.

    What it does not say is not counted against it where it confirmed the step; a refusal is only taken back by
    something that it says.
    """
    if not held:
        gone = one.step == "HES_DECOMMISSION"
        return Answer("so") if gone else Answer("differs", f"{one.role} does not hold {one.object_id}")
    wrong = "; ".join(filter(None, (_wrong(one, thing) for thing in held)))
    if wrong:
        return Answer("differs", wrong)
    return Answer("so" if any(_is_said(one, thing) for thing in held) else "silent")


def _is_said(one: Question, thing: MasterThing) -> bool:
    """Return whether what a system holds shows that a step is so."""
    if isinstance(thing, Meter):
        wanted = {"HES_COMMISSION": HANGS, "HES_DECOMMISSION": GONE}
        return thing.status.upper() in wanted.get(one.step, frozenset())
    if isinstance(thing, UsagePoint):
        return one.step == "CIS_AMI" and thing.read_source == "AMI"
    if isinstance(thing, Link):
        return one.step in ("CIS_PAIR", "MDMS_CREATE") and bool(one.new) and thing.meter == one.new
    return False


def _wrong(one: Question, thing: MasterThing) -> str:
    if isinstance(thing, Meter):
        word = thing.status.upper()
        if (one.step == "HES_COMMISSION" and word in GONE) or (one.step == "HES_DECOMMISSION" and word in HANGS):
            return f"{one.role} holds meter {thing.meter} as {thing.status}"
    elif isinstance(thing, UsagePoint) and one.step == "CIS_AMI" and thing.read_source != "AMI":
        return f"{one.role} holds {thing.usage_point} as read by {thing.read_source}"
    elif isinstance(thing, Link) and one.step in ("CIS_PAIR", "MDMS_CREATE") and _is_other(one, thing.meter):
        return f"{one.role} holds meter {thing.meter} at {thing.usage_point}"
    return ""


def _is_other(one: Question, meter: str) -> bool:
    return bool(meter) and (meter == one.old or bool(one.new and meter != one.new))
