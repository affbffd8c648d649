"""Taking things that masters said, by message or file: judged one by one, then told on in one order."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from canonical.errors import RejectedError
from canonical.master_data import ThingVerdict
from flows.master_data_sync import forward, statements, waking
from flows.master_data_sync.apply import apply, object_of, wait
from flows.master_data_sync.outcome import Outcome
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.queued import queue
from flows.master_data_sync.said import Said
from flows.master_data_sync.statements import How, Judged
from flows.master_data_sync.waking import Woken
from flows.routing.deliver import Sending
from store import master_loads
from store.session import Session


@dataclass(slots=True)
class Taken:
    """What became of the things of one message, or of one batch of a file."""

    judged: list[Judged] = field(default_factory=list)
    told: list[Said] = field(default_factory=list)
    """What others are to be told, in order."""

    woken: Woken = field(default_factory=Woken)

    def __iadd__(self, other: "Taken") -> "Taken":
        """Add what came after."""
        self.judged += other.judged
        self.told += other.told
        self.woken = Woken(self.woken.told + other.woken.told, self.woken.touched | other.woken.touched)
        return self


def judge(session: Session, things: Iterable[Said], *, policy: Policy, now: datetime) -> Taken:
    """Apply things one by one, or let them wait, and return what became of each; the caller holds the lock.

    While a first-time load is open everything waits for its end.
    """
    taken = Taken()
    is_loading = master_loads.is_open(session)
    for said in things:
        verdict, outcome = (
            queue(session, said, now=now) if is_loading else _judged(session, said, policy=policy, now=now)
        )
        taken.judged.append(Judged(said, verdict, outcome))
        if outcome is not None and outcome.is_news:
            taken.told += forward.news(said, outcome, policy)
            freed = waking.wake(session, outcome.touched, policy=policy, now=now)
            taken.woken = Woken(taken.woken.told + freed.told, taken.woken.touched | freed.touched | outcome.touched)
    return taken


def conclude(session: Session, taken: Taken, *, policy: Policy, sending: Sending, how: How = "told_us") -> None:
    """Keep what was said, and tell on what is news, in the transaction that judged it."""
    statements.heard(session, taken.judged, now=sending.now, how=how)
    # First what was held for want of a territory, then these, then what had waited for them.
    waking.release_routes(session, taken.woken.touched, sending=sending)
    forward.tell(session, taken.told, sending=sending, retry_in=policy.search_interval)
    forward.tell(session, taken.woken.told, sending=sending, retry_in=policy.search_interval, late=True)


def _judged(session: Session, said: Said, *, policy: Policy, now: datetime) -> tuple[ThingVerdict, Outcome | None]:
    """Apply one object, or let it wait; return what its sender is told, and the outcome unless it was refused."""
    name, kind = object_of(said)
    try:
        outcome = apply(session, said, policy=policy, now=now)
    except RejectedError as error:
        return ThingVerdict(name, kind, "REJECTED", str(error.code), error.reason), None
    if outcome.disposition == "WAITING":
        wait(session, said, outcome, policy=policy, now=now)
    own = outcome.object_id or name
    return ThingVerdict(own, outcome.object_type, outcome.disposition, outcome.code, outcome.reason), outcome
