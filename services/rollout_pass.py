"""One pass over a meter rollout: files taken in, completions judged, systems told, meters verified, waves brought on.

By DAG, by `amihub rollout run` and by a thread of `amihub serve`: all call these steps, in any order, as often as they
like. What is due is in the store; a batch is one transaction, so that a pass which is killed leaves whole batches.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Any

from canonical.errors import MisconfiguredError, UnavailableError
from canonical.master_data import MasterData
from canonical.metering import MeterReadings, ReadingQuestion
from canonical.ports import HeldNoun
from flows.meter_rollout import sequence, strays, validate, verification, wave_pass
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.standing import standing as standing_of
from flows.routing import Sending
from services.site_rollout import rollout_policy
from services.site_routing import encoder_of, routes_of

if TYPE_CHECKING:
    from services.hub import Hub

log = logging.getLogger(__name__)

IDLE_S = 5.0
"""Seconds of machine time between two looks, at most; what is due is a matter of business time."""

BREATH_S = 0.2
"""The shortest rest behind a pass of which something came."""

SELDOM = 3
"""How much longer than it took nobody looks which meters were heard: every meter that is awaited is looked at, while
what systems have answered is only looked for."""

ROUNDS = 10
"""How often one pass brings orders on: what was answered at once goes on at once, the rest with the next pass."""


@dataclass(frozen=True, slots=True)
class RolloutPass:
    """What a pass, or a step of it, did."""

    items: int = 0
    """Items of files."""

    believed: int = 0
    """Exchanges that passed validation."""

    stopped: int = 0
    """Completions that wait, are held or rejected."""

    sent: int = 0
    moved: int = 0
    """Orders that came to another state."""

    heard: int = 0
    verified: int = 0
    work: int = 0
    """Things that became a person's."""

    problems: tuple[str, ...] = ()

    def __add__(self, other: "RolloutPass") -> "RolloutPass":
        """Return both together."""
        return RolloutPass(
            self.items + other.items, self.believed + other.believed, self.stopped + other.stopped,
            self.sent + other.sent, self.moved + other.moved, self.heard + other.heard, self.verified + other.verified,
            self.work + other.work, self.problems + other.problems,
        )  # fmt: skip

    @property
    def did_something(self) -> bool:
        """Return whether anything came of it."""
        return self != RolloutPass(problems=self.problems)

    def __str__(self) -> str:
        """Return it as a line for people."""
        judged = f"{self.items} items, {self.believed} exchanges believed, {self.stopped} stopped"
        told = (
            f"{self.sent} messages sent, {self.moved} orders moved, {self.heard} meters heard, {self.verified} verified"
        )
        return f"{judged}, {told}, {self.work} for a person, {len(self.problems)} problems"


def policy_of(hub: "Hub") -> Policy:
    """Return how the site rolls out, with what systems can be asked, and how many steps they take in one message."""
    policy = rollout_policy(hub.site.model)
    ports = {role: hub.port(role) for role in policy.roles.values()}
    asked = {system for system, role in policy.roles.items() if hasattr(ports[role], "held")}
    several = {role: getattr(port, "operations_per_message", 1) for role, port in ports.items()}
    return replace(policy, askable=frozenset(asked), several={role: n for role, n in several.items() if n > 1})


def take_in(hub: "Hub") -> RolloutPass:
    """Take in shipments, completions and manual reads that lie in the folders of `[rollout] inboxes`.

    Raises:
        MisconfiguredError: a role takes no files, or its server's key, login or permission is wrong.
    """
    from services import rollout_files

    taken = rollout_files.take_in(hub)
    return RolloutPass(items=taken.items, problems=tuple(taken.problems))


def validation_batches(hub: "Hub") -> list[str]:
    """Return names of the batches of completions that are to be judged: each may be judged by itself."""
    due = validate.due(policy=rollout_policy(hub.site.model), transaction=hub.transaction, now=hub.now())
    return [_name(batch) for batch in due]


def validate_named(hub: "Hub", batch: str) -> RolloutPass:
    """Judge one batch; what of it was judged already, or is not due any more, is left alone."""
    policy, first = rollout_policy(hub.site.model), batch.partition("..")[0]
    due = validate.due(policy=policy, transaction=hub.transaction, now=hub.now())
    ids = next((one for one in due if first in one), ())
    return _judged(validate.validate_batch(ids, policy=policy, transaction=hub.transaction, now=hub.now()))


def validate_all(hub: "Hub") -> RolloutPass:
    """Judge whatever is due, batch by batch."""
    policy = rollout_policy(hub.site.model)
    return _judged(validate.validate_due(policy=policy, transaction=hub.transaction, now=hub.now()))


def _judged(done: validate.Validated) -> RolloutPass:
    return RolloutPass(believed=done.believed, stopped=done.waiting + done.held + done.rejected)


def advance_batches(hub: "Hub") -> list[str]:
    """Return names of the batches of orders that are due: each may be brought on by itself."""
    return [_name(batch) for batch in _due(hub)]


def advance_named(hub: "Hub", batch: str) -> RolloutPass:
    """Bring the orders of one batch a step on; where it is done already nothing is left to do.

    Raises:
        MisconfiguredError: a role's adapter is set up wrong.
    """
    first = batch.partition("..")[0]
    return _advance(hub, next((one for one in _due(hub) if first in one), ()))


def advance_all(hub: "Hub") -> RolloutPass:
    """Bring on whatever is due, as far as it goes at once."""
    done = RolloutPass()
    for _ in range(ROUNDS):
        batches = _due(hub, limit=sequence.AT_ONCE)
        if not batches:
            break
        for batch in batches:
            done += _advance(hub, batch)
    return done


def _due(hub: "Hub", *, limit: int = 20_000) -> list[tuple[str, ...]]:
    policy = rollout_policy(hub.site.model)
    return sequence.due(policy=policy, transaction=hub.transaction, now=hub.now(), limit=limit)


def _advance(hub: "Hub", ids: Sequence[str]) -> RolloutPass:
    policy = policy_of(hub)

    def ask(role: str, noun: HeldNoun, ids: Sequence[str]) -> Iterable[MasterData]:
        held: Iterable[MasterData] = hub.port(role).held(noun, ids, as_of=hub.now(), timeout_s=policy.ask_timeout_s)
        return held

    done = sequence.advance_batch(ids, policy=policy, sending=sending_of(hub), ask=ask, transaction=hub.transaction)
    return RolloutPass(sent=done.sent, moved=done.moved, work=done.work)


def verify(hub: "Hub") -> RolloutPass:
    """Look which meters are heard, judge those whose first days are over, and find strays; then bring the waves on."""
    policy, now = policy_of(hub), hub.now()
    heard = verification.hear(policy=policy, transaction=hub.transaction, now=now)
    judged = verification.verify(policy=policy, transaction=hub.transaction, now=now, read=_reader(hub, policy))
    found = strays.find(policy=policy, transaction=hub.transaction, now=now)
    waves = wave_pass.pass_waves(
        policy=policy, sending=sending_of(hub), transaction=hub.transaction, exclude=_excluded(hub)
    )
    both = heard + judged
    return RolloutPass(
        heard=both.heard, verified=both.verified, work=both.work + found + waves.refused + waves.given_up,
        sent=waves.released, moved=waves.dispatched + waves.replanned,
    )  # fmt: skip


def hand_out(hub: "Hub") -> RolloutPass:
    """Hand out the manual routes of the next days; whoever is certified by now is on none of them.

    Raises:
        MisconfiguredError: the route reader's adapter is set up wrong.
    """
    from services import rollout_files

    return RolloutPass(sent=rollout_files.hand_out_routes(hub))


def whole_pass(hub: "Hub") -> RolloutPass:
    """Take in, judge, advance, verify, hand routes out, and say what all did.

    Raises:
        MisconfiguredError: as `take_in` does.
    """
    return take_in(hub) + validate_all(hub) + advance_all(hub) + verify(hub) + advance_all(hub) + hand_out(hub)


def standing(hub: "Hub") -> dict[str, Any]:
    """Return how the rollout stands, for the verdict of a pass: a wave that waits for a person makes nothing red."""
    return {**standing_of(transaction=hub.transaction), "failures": []}


def run_rollout(hub: "Hub", stop: Event) -> None:
    """Judge, tell and verify until `stop` is set; look at folders and routes every `[rollout] poll_seconds`."""
    own = hub.site.model.rollout
    looked, rest, verify_at = None, IDLE_S, hub.machine_now()
    while own is not None and not stop.is_set():
        now = hub.machine_now()
        is_time = looked is None or (now - looked).total_seconds() >= own.poll_seconds
        if is_time:
            looked = now
        if is_time and own.inboxes:
            _look(hub)
        done = validate_all(hub) + advance_all(hub)
        if hub.machine_now() >= verify_at:
            began = hub.machine_now()
            done += verify(hub)
            verify_at = hub.machine_now() + SELDOM * (hub.machine_now() - began)
        if is_time:
            hand_out(hub)
        took = (hub.machine_now() - now).total_seconds()
        rest = rest_s(rest, took=took, did_something=done.did_something, most=min(IDLE_S, own.poll_seconds))
        stop.wait(rest)


def rest_s(before: float, *, took: float, did_something: bool, most: float) -> float:
    """Return how long to rest behind a pass that took some seconds, after a rest `before` it; at most `most`.

    What was told is answered soon, and the next step waits for that: so a short rest, and twice as long each time that
    nothing has come of it. Who works long rests as long: the relay needs its turn.
    """
    return min(most, max(BREATH_S if did_something else 2 * before, BREATH_S, took))


def _look(hub: "Hub") -> None:
    """Take in files, whatever is wrong with a partner's server: what waits must not wait for it too."""
    try:
        done = take_in(hub)
    except UnavailableError as error:
        log.warning("files of the rollout are taken when this is over: %s", error)
    except MisconfiguredError:
        # One partner's new host key must not stop what waits; each look says it again until it is mended.
        log.exception("files of the rollout cannot be taken until this is mended")
    else:
        if done.problems:  # counted only: their reasons may quote a line
            log.warning("files of the rollout: %d problems; see `amihub work list`", len(done.problems))


def sending_of(hub: "Hub") -> Sending:
    """Return what sending needs at this site, now."""
    return Sending(routes_of(hub.site.model), encoder_of(hub.port, hub.spool), hub.now())


def _reader(hub: "Hub", policy: Policy) -> verification.Read | None:
    """Return what asks the meter data system for readings; None where it cannot be asked."""
    role = policy.roles.get("mdms", "")
    if not role or not hasattr(hub.port(role), "readings"):
        return None

    def read(questions: Sequence[ReadingQuestion]) -> Iterable[MeterReadings]:
        found: Iterable[MeterReadings] = hub.port(role).readings(questions, timeout_s=policy.ask_timeout_s)
        return found

    return read


def _excluded(hub: "Hub") -> wave_pass.Exclusions:
    own = hub.site.model.rollout
    return {name: wave.exclude for name, wave in own.waves.items()} if own is not None else {}


def _name(batch: Sequence[str]) -> str:
    return f"{batch[0]}..{batch[-1]}"
