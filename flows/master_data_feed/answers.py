"""What a subscriber says of a file that it was told by: taken, but for the objects that it refuses with a code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.billing import FileAcknowledgement, ItemVerdict
from canonical.codes.billing import ACKNOWLEDGEMENT_UNKNOWN
from canonical.codes.message import PARTNER_TOOK_PART
from canonical.messages import Item, Outcome, Rejection
from canonical.refusals import Refusal, refusals_to_text
from flows.file_handling import FileContext
from store import deliveries, master_statements, master_subscribers
from store.session import Session

LOADED = ("ACCEPTED", "ACCEPTED_WITH_ERRORS", "DUPLICATE")

RECORDS: Mapping[str, str] = {
    "CUS": "customer",
    "ACC": "account",
    "LOC": "location",
    "UPT": "usage_point",
    "MTR": "meter",
    "INS": "installation",
    "AGR": "agreement",
    "TOP": "topology",
    "CYC": "bill_cycle_day",
}
"""Kind by the record with which an acknowledgement names an item (`UPT U1`; docs/formats/masters.md)."""


@dataclass(frozen=True, slots=True)
class AnswersHandler:
    """Takes acknowledgements of files that subscribers were told by."""

    subscribers: Mapping[str, Sequence[str]]
    """Names of the subscribers of each role."""

    def begin(self, session: Session, file: FileContext) -> None:
        """Nothing is opened for an acknowledgement."""

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Note each answer with the file that it is about, and with the objects that it names."""
        return [
            ItemVerdict(one.key, "REJECTED", one.code, one.reason, one.line)
            if isinstance(one, Rejection)
            else self._note(session, file.role, one.payload, now=now)
            for one in batch
        ]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Nothing is left to do."""

    def _note(self, session: Session, role: str, said: FileAcknowledgement, *, now: datetime) -> ItemVerdict:
        """Settle the delivery of the file, and what its objects came to."""
        is_loaded, names = said.verdict in LOADED, self.subscribers.get(role, ())
        outcome = Outcome("confirmed" if is_loaded else "rejected", said.code, said.reason)
        if is_loaded and not names:
            outcome = _taken_in_part(said) or outcome
        delivery = deliveries.confirm(session, destination=role, confirm_name=said.file_name, outcome=outcome, now=now)
        if delivery is None:
            reason = f"no file of that name was sent to {role}: {said.file_name}"
            return ItemVerdict(said.file_name, "REJECTED", str(ACKNOWLEDGEMENT_UNKNOWN), reason)
        telling = deliveries.find(session, delivery).message_id
        refused = _refused(said)
        for name in names if is_loaded else ():
            meant = master_subscribers.named(session, name, telling, refused)
            master_statements.refuse(session, delivery, {meant[one]: refused[one] for one in meant})
            master_subscribers.answered(session, name, telling, refused=refused, now=now)
        return ItemVerdict(said.file_name, "ACCEPTED")


def _taken_in_part(said: FileAcknowledgement) -> Outcome | None:
    """Return what refused items mean for a file of which no subscriber keeps account item by item; None without any."""
    refused = [one for one in said.items if one.verdict == "REJECTED"]
    words = [(*one.key.rpartition(" ")[::2], one) for one in refused]
    text = refusals_to_text(Refusal(kind, name, one.code, one.reason) for kind, name, one in words)
    return Outcome("rejected", str(PARTNER_TOOK_PART), text) if refused else None


def _refused(said: FileAcknowledgement) -> dict[tuple[str, str], tuple[str, str]]:
    """Return code and reason of the refused objects, by kind and name."""
    found = {}
    for one in said.items:
        words = one.key.split(" ")
        if words[0] == "DEL":
            words = words[1:]
        if one.verdict == "REJECTED" and len(words) > 1:
            found[RECORDS.get(words[0], words[0]), " ".join(words[1:])] = (one.code, one.reason)
    return found
