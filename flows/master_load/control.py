"""What a person decides about a first-time load: start, pause, resume, finish, abort."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from canonical.codes.master_load import LOAD_ABOVE_CEILING, LOAD_OPEN, LOAD_STATE, LOAD_UNKNOWN
from canonical.errors import RejectedError
from canonical.ids import mint
from flows.master_load.policy import LoadPolicy
from flows.routing import deliver
from store import master_loads
from store.master_loads import MasterLoad
from store.reference import lock
from store.rows import Row
from store.session import Session, Transaction

Change = Callable[[Session, Row, datetime], None]
"""Changes a run at business time."""


def start(
    roles: Sequence[str],
    *,
    messages: Sequence[str] = (),
    policy: LoadPolicy,
    person: str,
    transaction: Transaction,
    now: datetime,
) -> str:
    """Open a run and return its id: from now on changes wait, and FULL files of `roles` are loaded, in that order.

    `messages` are roles whose messages are the load itself; such a run ends when a person says that all have come.

    Raises:
        RejectedError: a run is open already (LOAD_OPEN).
    """
    with transaction() as session:
        lock(session)
        before = master_loads.current(session)
        if before is not None:
            raise RejectedError(f"{before['run_id']} is {before['state']}", code=LOAD_OPEN)
        number = len(master_loads.listed(session, limit=100_000)) + 1
        run_id = mint("master_load", number)[:8]
        row = MasterLoad(
            run_id=run_id, roles=list(roles), messages=list(messages), state="loading", history=policy.history,
            history_months=policy.history_months, error_percent=policy.error_percent, started_at=now,
            started_by=person, changed_at=now,
        )  # fmt: skip
        master_loads.add(session, row)
    return run_id


def pause(run_id: str, *, reason: str, transaction: Transaction, now: datetime) -> str:
    """Stop a run behind its present chunk; changes go on waiting. Empty id: the open run. Return its id.

    Raises:
        RejectedError: there is no such run, or it is not loading.
    """
    return _change(run_id, ("loading",), _to("paused", reason), transaction=transaction, now=now)


def resume(
    run_id: str, *, person: str, reason: str, error_percent: Decimal | None, transaction: Transaction, now: datetime
) -> str:
    """Let a paused run go on: what went wrong so far does not count against the ceiling any more. Return its id.

    `error_percent` is the new ceiling; None leaves it.

    Raises:
        RejectedError: there is no such run, or it is not paused.
    """

    def change(session: Session, run: Row, now: datetime) -> None:
        items, errors = master_loads.totals(session, run["run_id"])
        ceiling = run["error_percent"] if error_percent is None else error_percent
        master_loads.change(
            session, run["run_id"], now=now, state="loading", reason=f"resumed by {person}: {reason}",
            forgiven_items=items, forgiven_errors=errors, error_percent=ceiling,
        )  # fmt: skip
        work = deliver.work_id(LOAD_ABOVE_CEILING, run["run_id"])
        deliver.resolve(session, work, reason=f"{person}: {reason}", now=now)

    return _change(run_id, ("paused",), change, transaction=transaction, now=now)


def finish(run_id: str, *, person: str, transaction: Transaction, now: datetime) -> str:
    """Say that nothing more comes: what is in is loaded, changes are replayed, the run ends. Return its id.

    Raises:
        RejectedError: there is no such run, it is not loading, or a file is in the middle.
    """

    def change(session: Session, run: Row, now: datetime) -> None:
        cut = [file["name"] for file in master_loads.files(session, run["run_id"]) if file["state"] != "done"]
        if cut:
            raise RejectedError(f"{cut[0]} is not taken whole", code=LOAD_STATE)
        master_loads.change(session, run["run_id"], now=now, state="closing", reason=f"finished by {person}")

    return _change(run_id, ("loading",), change, transaction=transaction, now=now)


def abort(run_id: str, *, person: str, reason: str, transaction: Transaction, now: datetime) -> str:
    """End a run: what is loaded stays, nothing more is taken, changes are replayed by the next pass. Return its id.

    Raises:
        RejectedError: there is no such run, or it is over.
    """
    words = f"aborted by {person}: {reason}"
    return _change(run_id, ("loading", "paused", "closing"), _to("aborting", words), transaction=transaction, now=now)


def _to(state: str, reason: str) -> Change:
    def change(session: Session, run: Row, now: datetime) -> None:
        master_loads.change(session, run["run_id"], now=now, state=state, reason=reason)

    return change


def _change(run_id: str, states: Sequence[str], change: Change, *, transaction: Transaction, now: datetime) -> str:
    """Change a run that is in one of some states, and return its id."""
    with transaction() as session:
        lock(session)
        run = master_loads.found(session, run_id) if run_id else master_loads.current(session)
        if run is None:
            raise RejectedError(f"no load {run_id}" if run_id else "no load is open", code=LOAD_UNKNOWN)
        if run["state"] not in states:
            raise RejectedError(f"{run['run_id']} is {run['state']}", code=LOAD_STATE)
        change(session, run, now)
    return str(run["run_id"])
