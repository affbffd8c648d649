"""Stories of first-time loads: files and messages in the order in which they came, and what was held at the end."""

import tomllib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from masters_folder import MastersFolder, masters_file
from sqlmodel import select

from canonical.errors import UnavailableError
from canonical.holdings import FIELDS
from canonical.messages import Message, Parcel
from flows import master_data_sync, master_load
from flows.file_handling import IntakePolicy
from flows.file_intake import take_in
from flows.holdings import held_by_hub
from flows.master_data_sync import Policy
from flows.master_data_sync.file_changes import ChangesHandler
from flows.master_data_sync.said import said_from
from flows.master_load import Ending, LoadHandler, LoadPolicy
from flows.masters_intake import MastersHandler
from flows.reconciliation.snapshot import SnapshotHandler
from flows.routing import Route, Routes, Sending
from store import work
from store.deliveries import Delivery
from store.session import Transaction

ROUTES = Routes((Route(("mdms",)),), ())
CHANGES = Policy()


def encode(role: str, message: Message[Any]) -> Parcel:
    body = f"{role} {message.payload!r}".encode()
    return Parcel("thing", "text/plain", sha256(body).hexdigest(), len(body), body)


class Story:
    """One story being played."""

    def __init__(self, given: Path, folder: Path, transaction: Transaction) -> None:
        self.told: dict[str, Any] = tomllib.loads((given / "story.toml").read_text())
        self.given, self.folder, self.transaction = given, folder, transaction
        self.policy = LoadPolicy(
            error_percent=Decimal(str(self.told.get("error_percent", 2))), history=self.told.get("history", "full")
        )
        self.now: datetime = self.told["now"]
        self.log: list[str] = []

    def play(self) -> dict[str, Any]:
        for step in self.told["step"]:
            getattr(self, step["do"])(step)
        return self.outcome()

    def start(self, step: dict[str, Any]) -> None:
        master_load.start(step["from"], policy=self.policy, person="ann", transaction=self.transaction, now=self.now)

    def file(self, step: dict[str, Any]) -> None:
        """Lay a file down; the next pass takes it."""
        lines = [line for line in (self.given / step["lines"]).read_text().splitlines() if line]
        file = masters_file(
            lines, sender=step["role"].upper(), watermark=step["watermark"].isoformat(),
            sequence=step.get("sequence", 1), mode=step.get("mode", "FULL"),
        )  # fmt: skip
        MastersFolder(self.folder / step["role"]).offer(file)

    def message(self, step: dict[str, Any]) -> None:
        """Hand in a message, as the spine does."""
        facts = {
            "kind": step["kind"], "thing": {"valid_to": None, **step["thing"]}, "source": step["role"],
            "message_id": step["id"], "correlation_id": "", "said_at": step["said_at"].isoformat(),
            "wire_verb": step["verb"], "verb": step["verb"], "noun": step["noun"],
            "effective_at": step["effective_at"].isoformat(),
            "place": 0, "reason": "", "stated": step.get("stated"), "spans": False, "until": None,
        }  # fmt: skip
        said = said_from(facts)
        with self.transaction() as session:
            reply = master_data_sync.take(
                session, said.message((said,)), policy=CHANGES, routes=ROUTES, encode=encode, now=self.now
            )
        self.log.append(f"{step['id']}: {reply.result} {dict(reply.details)}")

    def take_in(self, step: dict[str, Any]) -> None:
        """Run one pass; what it is kept from is said."""
        handler = MastersHandler(
            LoadHandler(self.policy, lambda: self.now), ChangesHandler(CHANGES, ROUTES, encode), SnapshotHandler()
        )
        for role in step["roles"]:
            try:
                report = take_in(
                    role, MastersFolder(self.folder / role), handlers={"masters": handler},
                    transaction=self.transaction, spool=self.folder / "spool", now=self.now, machine_now=self.now,
                    policy=IntakePolicy(batch_size=self.told.get("chunk", 3), max_error_percent=Decimal(100)),
                )  # fmt: skip
            except UnavailableError as error:
                self.log.append(f"{role}: {error.code}")
            else:
                self.log += [f"{file.name}: {file.verdict}" for file in report.taken]
        ending = Ending(self.policy, CHANGES, Sending(ROUTES, encode, self.now), {}, {})
        self.log.append(f"load: {master_load.advance(ending, transaction=self.transaction) or 'none open'}")

    def resume(self, step: dict[str, Any]) -> None:
        master_load.resume(
            "", person=step["person"], reason=step["reason"], error_percent=None, transaction=self.transaction,
            now=self.now,
        )  # fmt: skip

    def outcome(self) -> dict[str, Any]:
        report = master_load.report("", transaction=self.transaction)
        with self.transaction() as session:
            held = [
                " ".join([one.kind, one.object_id, one.valid_from.isoformat(), *_facts(one.facts)])
                for kind in FIELDS
                for one in held_by_hub(session, kind)
            ]
            told = Counter(
                f"{row.noun} to {row.destination}"
                for row in session.exec(select(Delivery)).all()
                if row.destination == "mdms"
            )
            open_work = sorted(f"{row['code']}: {row['state']}" for row in work.listed(session))
        return {
            "log": self.log, "held": held, "counts": {kind: dict(own) for kind, own in report.counts.items()},
            "exceptions": [f"{one['kind']} {one['object_id']}: {one['code']}" for one in report.exceptions],
            "told": dict(sorted(told.items())), "work": open_work,
        }  # fmt: skip


def _facts(facts: Any) -> Sequence[str]:
    return [f"{name}={value}" for name, value in sorted(facts.items()) if value]
