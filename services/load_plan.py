"""Planning, starting and following a first-time load from the command line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from canonical.codes.configuration import ROLE_ABSENT
from canonical.codes.master_load import LOAD_HISTORY
from canonical.errors import MisconfiguredError, RejectedError
from canonical.ports import FileReader
from flows import master_load
from flows.master_load.policy import HISTORIES
from services.master_data_pass import load_pass
from services.masters_files import load_policy, section_of, take_in

if TYPE_CHECKING:
    from services.hub import Hub

Say = Callable[[str], None]


def plan_lines(hub: "Hub", roles: Sequence[str]) -> list[str]:
    """Return what a load of some roles would find; nothing is taken or changed.

    Raises:
        MisconfiguredError: the site has no such role, or takes no files of it.
        UnavailableError: its server is away.
    """
    _check(hub, roles)
    policy, lines = load_policy(hub.site.model), list[str]()
    for role in roles:
        port = hub.port(role)
        offered = [one for one in port.offered() if _is_whole(port, one.name)]
        lines += [f"{role}: {one.name}, {one.size:,} bytes" for one in offered]
        lines += [] if offered else [f"{role}: no FULL file of masters lies ready"]
    deep = f", at least {policy.history_months} months and {policy.history_days} days"
    lines.append(f"history: {policy.history}{deep if policy.history == 'since last bill read' else ''}")
    lines.append(f"pauses above {policy.error_percent} % errors; chunks of {section_of(hub.site.model).chunk_size}")
    held = master_load.things(transaction=hub.transaction)
    words = ", ".join(f"{number} {kind}" for kind, number in held.items() if number)
    return [*lines, f"the masters hold {words or 'nothing yet'}"]


def start_load(
    hub: "Hub",
    roles: Sequence[str],
    messages: Sequence[str],
    *,
    person: str,
    history: str,
    error_percent: Decimal | None,
) -> str:
    """Open a load and return its id; what is not said is as the site says.

    Raises:
        MisconfiguredError: the site has no such role, or takes no files of it.
        RejectedError: a load is open, or there is no such history.
    """
    _check(hub, roles)
    policy = load_policy(hub.site.model)
    if history:
        known = next((one for one in HISTORIES if one == history), None)
        if known is None:
            raise RejectedError(f"{history!r} is none of {', '.join(HISTORIES)}", code=LOAD_HISTORY)
        policy = replace(policy, history=known)
    if error_percent is not None:
        policy = replace(policy, error_percent=error_percent)
    return master_load.start(
        roles, messages=messages, policy=policy, person=person, transaction=hub.transaction, now=hub.now()
    )


def follow_load(hub: "Hub", run_id: str, *, say: Say) -> bool:
    """Work the open load until it ends, pauses, or nothing more lies ready; return whether it ended."""
    progress = _Progress(hub.machine_now, say)
    while True:
        taken = take_in(hub, on_chunk=progress.chunk)
        state = load_pass(hub, lambda what, number: say(f"  {number} {what}"))
        for problem in taken.problems:
            say(f"  {problem}")
        if state != "loading" or not taken.files:
            break
    say(f"{f'load {run_id}'.rstrip()} is {state}" if state else "no load is open")
    return state in ("done", "aborted", "")


@dataclass(slots=True)
class _Progress:
    """Says how far a file is, with speed and time left, by real time."""

    machine_now: Callable[[], datetime]
    say: Say
    began: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def chunk(self, name: str, taken: int, items: int) -> None:
        """Say how far a file is; its first chunk only starts the clock."""
        now = self.machine_now()
        since, first = self.began.setdefault(name, (now, taken))
        took = (now - since).total_seconds()
        rate = (taken - first) / took if took else 0.0
        left = f", {(items - taken) / rate:,.0f} s left" if rate and taken < items else ""
        speed = f", {rate:,.0f} items/s" if rate else ""
        self.say(f"  {name}: {100 * taken // max(items, 1)} % ({taken} of {items}{speed}{left})")


def _is_whole(port: FileReader, name: str) -> bool:
    """Return whether a name is that of a whole file of masters."""
    try:
        identity = port.identify(name)
    except RejectedError:
        return False
    return identity.kind == "masters" and identity.run_type != "CHANGES"


def _check(hub: "Hub", roles: Sequence[str]) -> None:
    """Check that files of roles are taken at this site.

    Raises:
        MisconfiguredError: not so (ROLE_ABSENT).
    """
    known = section_of(hub.site.model).inboxes
    for role in roles:
        if role not in known:
            reason = f"[masters] inboxes has no role {role!r}; it has {', '.join(known) or 'none'}"
            raise MisconfiguredError(reason, code=ROLE_ABSENT, where=hub.site.where(("masters", "inboxes")))
