"""A file of an inbox of billing interfaces, handled again for a person: by the same handlers as the first time."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from flows import file_again
from flows.billing_exchange import intake
from flows.billing_exchange.interface import Interface
from flows.file_handling import FilePort, TakenFile
from flows.file_pass import Pass
from store.session import Transaction


def take_file_again(
    interfaces: Sequence[Interface],
    entry: int,
    *,
    role: str,
    port: FilePort,
    path: str,
    line: int,
    by: str,
    transaction: Transaction,
    spool: Path,
    now: datetime,
    machine_now: datetime,
) -> TakenFile:
    """Have a refused file, or its rejected items, handled again; the first interface works the inbox of `role`.

    Raises:
        RejectedError: there is nothing to handle again, or it is too late (NOT_REPLAYABLE).
        UnavailableError: another worker is at it.
    """
    this = Pass(
        role,
        port,
        intake.handlers_of(interfaces, now),
        transaction,
        spool,
        now,
        machine_now,
        intake.intake_policy(interfaces[0]),
        intake.OnProblem(interfaces[0], now),
    )
    return file_again.take_again(this, entry, path=path, line=line, by=by)
