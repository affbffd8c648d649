"""Request files: each line becomes an item, a repeat, a withdrawal or a rejection, answered at once (ruling 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from canonical.billing import BillingRequestItem, ItemVerdict
from canonical.codes.billing import UNKNOWN_PARTNER
from canonical.codes.message import NOT_REPLAYABLE
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import Item, Rejection
from canonical.periods import local_date
from flows.billing_exchange import accept, cancels, ladder
from flows.billing_exchange.interface import Interface
from flows.file_handling import FileContext
from store import billing
from store.session import Session


@dataclass(frozen=True, slots=True)
class RequestHandler:
    """Takes request files of every billing interface that is named, by the sender in the file's name."""

    interfaces: Mapping[str, Interface]
    """By partner code."""

    now: datetime

    def begin(self, session: Session, file: FileContext) -> None:
        """Open the run of a file.

        Raises:
            RejectedError: no interface serves the sender (UNKNOWN_PARTNER).
        """
        interface = self._interface(file)
        billing.open_run(session, _run(interface, file, self.now))

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Take a batch of lines; withdrawals first, so that the same file may ask again for what it withdrew."""
        interface = self._interface(file)
        run = billing.run(session, run_id_of(interface, file))
        if run is None:
            raise RejectedError(f"no run was opened for {file.name}", code=UNKNOWN_PARTNER, where=file.name)
        verdicts: dict[int, ItemVerdict] = {}
        asked: list[tuple[int, BillingRequestItem]] = []
        withdrawn: list[tuple[int, BillingRequestItem]] = []
        for place, entry in enumerate(batch):
            if isinstance(entry, Rejection):
                verdicts[place] = ItemVerdict(entry.key, entry.verdict, entry.code, entry.reason, entry.line)
            elif entry.payload.reason == "CANCEL":
                withdrawn.append((place, entry.payload))
            else:
                asked.append((place, entry.payload))
        here = {item.request_id for _, item in asked}
        early = [(place, item) for place, item in withdrawn if item.cancels not in here]
        verdicts |= cancels.withdraw(session, interface, early, now=now)
        verdicts |= accept.take(session, interface, run, asked, now=now)
        late = [(place, item) for place, item in withdrawn if item.cancels in here]
        verdicts |= cancels.withdraw(session, interface, late, now=now)
        _count(session, run, batch, verdicts)
        return [verdicts[place] for place in range(len(batch))]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Declare the run complete: its parts may be closed from now on."""
        interface = self._interface(file)
        records = file.facts.records
        only_withdrawals = records.get("REQ", 0) == 0 and records.get("CAN", 0) > 0
        # A file of withdrawals asks for nothing: there is nothing to answer with a drop.
        state = "CLOSED" if only_withdrawals else "OPEN"
        billing.change_run(session, run_id_of(interface, file), state=state, scheduled=_scheduled(file))

    def again(self, session: Session, file: FileContext, *, rejected: int) -> None:
        """Take rejected lines back out of the run's count: a person has them handled again.

        Raises:
            RejectedError: the run's last part is out, with its closing account (NOT_REPLAYABLE).
        """
        run = billing.run(session, run_id_of(self._interface(file), file))
        if run is None or run["state"] not in ("TAKING_IN", "OPEN"):
            state = "unknown" if run is None else run["state"]
            reason = f"its run is {state}, the closing account is out: the CIS has to ask in a new file"
            raise RejectedError(reason, code=NOT_REPLAYABLE, where=file.name)
        billing.count_refused(session, run["run_id"], rejected=-rejected, duplicates=0)

    def _interface(self, file: FileContext) -> Interface:
        """Return the interface that serves the sender."""
        found = self.interfaces.get(file.identity.sender)
        if found is None:
            raise RejectedError(
                f"no billing interface serves the sender {file.identity.sender!r}",
                code=UNKNOWN_PARTNER,
                where=file.name,
            )
        return found


def run_id_of(interface: Interface, file: FileContext) -> str:
    """Return the id of the run that a request file opens."""
    identity = file.identity
    return mint(
        "billing_run",
        interface.name,
        identity.run_type,
        identity.cycle,
        str(identity.business_date),
        identity.sequence or 0,
        identity.revision,
    )


def _run(interface: Interface, file: FileContext, now: datetime) -> dict[str, Any]:
    """Return the row of a new run: received now, so its window counts from now."""
    identity = file.identity
    # The wire counts whole seconds; `created` of every part comes from here.
    opened = now.astimezone(UTC).replace(microsecond=0)
    deadline = ladder.deadline_of(interface, opened=opened)
    day = identity.business_date or local_date(opened, ZoneInfo(interface.policy.zone))
    return {
        "run_id": run_id_of(interface, file),
        "interface": interface.name,
        "file_name": file.name,
        "file_id": file.facts.header.get("file_id", ""),
        "ledger_id": str(file.file_id),
        "run_type": identity.run_type or "ON",
        "cycle": identity.cycle or "00",
        "business_date": day.isoformat(),
        "sequence": identity.sequence or 0,
        "opened_at": opened,
        "window_start": opened,
        "window_end": deadline,
        "state": "TAKING_IN",
    }


def _scheduled(file: FileContext) -> int:
    """Return how many items the file asked for, by its trailer where it counts them."""
    return int(file.facts.records.get("REQ", file.facts.items))


def _count(
    session: Session,
    run: Mapping[str, Any],
    batch: Sequence[Item[Any] | Rejection],
    verdicts: Mapping[int, ItemVerdict],
) -> None:
    """Add the lines that became no item to the run; withdrawals ask for nothing and are not counted."""
    asked = [
        verdicts[place]
        for place, entry in enumerate(batch)
        if isinstance(entry, Rejection) or entry.payload.reason != "CANCEL"
    ]
    rejected = sum(v.verdict == "REJECTED" for v in asked)
    duplicates = sum(v.verdict == "DUPLICATE" for v in asked)
    if rejected or duplicates:
        billing.count_refused(session, run["run_id"], rejected=rejected, duplicates=duplicates)
