"""Taking in the files of one inbox: see, claim, fetch, judge, receive, acknowledge, retire.

Whatever step a crash cuts, the next pass goes on from the ledger: a file has one effect and one acknowledgement.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from canonical.errors import HubError, UnavailableError
from canonical.messages import FetchedFile, OfferedFile
from flows.file_conclusion import conclude, hold
from flows.file_examination import examine, is_answer, kind_of, rank
from flows.file_handling import (
    FileContext,
    FileHandler,
    FilePort,
    IntakePolicy,
    IntakeProblem,
    IntakeReport,
    MessageTaker,
    OnProblem,
    TakenFile,
)
from flows.file_pass import Pass
from flows.file_reception import receive
from store import files
from store.files import APPLIED, FINAL, IntakeFile
from store.session import Transaction

__all__ = [
    "FileContext",
    "FileHandler",
    "FilePort",
    "IntakePolicy",
    "IntakeProblem",
    "IntakeReport",
    "TakenFile",
    "take_in",
]

DEFAULT_POLICY = IntakePolicy()


def take_in(
    role: str,
    port: FilePort,
    *,
    handlers: Mapping[str, FileHandler],
    transaction: Transaction,
    spool: Path,
    now: datetime,
    machine_now: datetime,
    policy: IntakePolicy = DEFAULT_POLICY,
    on_problem: OnProblem = lambda _session, _problem: None,
    later: Collection[str] = (),
    message: MessageTaker | None = None,
) -> IntakeReport:
    """Take in what a partner offers and is ready; hold, refuse or recognize the rest, and answer each file once.

    `handlers` names the handler of each `FileIdentity.kind`, `message` takes files that are one message each.
    `now` is business time, `machine_now` real time.
    `on_problem` is called inside the transaction that records a problem; each problem also stands in the report.
    Files of the kinds in `later` are left for another call. Requests wait while another worker is at masters, of
    whichever inbox: what they name may stand there.

    Raises:
        UnavailableError: the partner's server went away; what had arrived is taken in, the next call does the rest.
        MisconfiguredError: host key, login, permission, key ring: a person is needed.
    """
    this = Pass(role, port, handlers, transaction, spool, now, machine_now, policy, on_problem, message=message)
    listing = port.offered()
    with transaction() as session:
        rows = files.see(session, role, listing, now=now, machine_now=machine_now)
    _retire(this, [row for row in rows if row.state in FINAL], listing)
    ready = sorted((row for row in rows if _is_ready(this, row)), key=lambda row: rank(this, row))
    mine = _claim(this, [row for row in ready if kind_of(this, row.name) not in later])
    taken: list[TakenFile] = []
    try:
        fetched, cut = _fetch(this, [row for row in mine if not row.path])
        for file in mine:
            if (done := work_on(this, file, fetched.get(file.name))) is not None:
                taken.append(done)
    except HubError:
        _let_go(this, mine)
        raise
    _let_go(this, mine)
    with transaction() as session:
        left = files.open_files(session, role)
    _retire(this, [row for row in left if row.state in FINAL], listing)
    if cut is not None:
        raise cut
    waiting = tuple(row.name for row in left if row.state not in FINAL)
    return IntakeReport(role, len(listing), tuple(taken), waiting, tuple(this.problems))


def _is_ready(this: Pass, row: IntakeFile) -> bool:
    """Whether a file may be fetched, or goes on from our spool: finished by its sender as far as can be told outside.

    Time stamps alone prove nothing; without a control file the content has the last word. An acknowledgement shows
    its own end and need not stand still first.
    """
    if row.state in FINAL:
        return False
    if row.path or row.has_manifest or is_answer(this, row.name):
        return True
    still = this.machine_now - row.stable_since
    return row.polls >= 2 and still >= timedelta(seconds=this.policy.stable_s)


def _claim(this: Pass, ready: Iterable[IntakeFile]) -> list[IntakeFile]:
    """Return the files that this worker may work on."""
    mine: list[IntakeFile] = []
    for row in ready:
        kind = kind_of(this, row.name)
        with this.transaction() as session:
            if kind == "request" and files.masters_at_work(
                session, machine_now=this.machine_now, but=[file.file_id for file in mine]
            ):
                continue
            claimed = files.claim(
                session, row.file_id, machine_now=this.machine_now, lease_s=this.policy.lease_s, kind=kind
            )
        if claimed is not None:
            mine.append(claimed)
    return mine


def _fetch(this: Pass, wanted: Sequence[IntakeFile]) -> tuple[dict[str, FetchedFile], UnavailableError | None]:
    """Bring files into the spool in one session; return those that came, and what cut the way, if anything did."""
    came: dict[str, FetchedFile] = {}
    try:
        if wanted:
            for file in this.port.fetch([row.offered for row in wanted], this.spool / "incoming" / this.role):
                came[file.offered.name] = file
    except UnavailableError as cut:
        return came, cut
    return came, None


def work_on(this: Pass, file: IntakeFile, fetched: FetchedFile | None) -> TakenFile | None:
    """Judge one file and do what the judgement says; None when it waits or is gone."""
    if fetched is None and not file.path:
        return None
    examined = examine(this, file, fetched)
    if not examined.is_whole:
        return None
    if examined.judgement.act == "hold":
        hold(this, examined)
        return None
    return conclude(this, receive(this, examined))


def _let_go(this: Pass, mine: Iterable[IntakeFile]) -> None:
    """Give back the claims on files that are not done."""
    for file in mine:
        with this.transaction() as session:
            files.let_go(session, file)


def _retire(this: Pass, done: Sequence[IntakeFile], listing: Sequence[OfferedFile]) -> None:
    """Have files that are done moved to the partner's archive or reject folder.

    A file of the same name that is another by now stays: the next pass takes it as the next arrival.
    """
    shown = {file.name: file for file in listing}
    same = [row for row in done if row.name not in shown or _is_same(row, shown[row.name])]
    for accepted in (True, False):
        if moving := [row.offered for row in same if (row.state in APPLIED) is accepted]:
            this.port.retire(moving, accepted=accepted)
    with this.transaction() as session:
        for row in done:
            files.retire(session, row.file_id, now=this.now)


def _is_same(row: IntakeFile, shown: OfferedFile) -> bool:
    """Whether the file on offer is the arrival that the row tells of."""
    return (row.size, row.modified) == (shown.size, shown.modified)
