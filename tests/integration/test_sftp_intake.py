"""A CIS on a real OpenSSH server: its request file is taken in, acknowledged in its inbox and moved to its archive."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from adapters import registry
from canonical.billing import ItemVerdict
from canonical.codes import file as codes
from canonical.codes import transport
from canonical.messages import Item, Rejection
from flows.delivery import relay_once
from flows.file_intake import FileContext, IntakePolicy, IntakeReport, take_in
from servers.openssh import REFUSE_SETSTAT, SshServer, private_sshd
from sftp.names import control_name, stem
from store.session import Session, open_engine, transactions

pytestmark = pytest.mark.servers

NOW = datetime(2026, 3, 2, 11, tzinfo=UTC)


class Accepting:
    """Handler that accepts whatever could be read, and remembers it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def begin(self, session: Session, file: FileContext) -> None:
        self.seen.append(file.name)

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        self.seen += [item.key for item in batch]
        return [ItemVerdict(item.key, "ACCEPTED", line=item.line) for item in batch]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        self.seen.append("end")


class Site:
    """A hub and one CIS, joined by the flat-file adapter."""

    def __init__(self, server: SshServer, engine: Engine, folder: Path) -> None:
        self.server, self.folder, self.transaction = server, folder, transactions(engine)
        self.handler = Accepting()
        for name in ("outbound", "inbound"):
            (server.files / name).mkdir(exist_ok=True)
        self.port = registry.load(
            "cis_flatfile",
            {
                "host": "127.0.0.1",
                "port": server.port,
                "user": server.user,
                "private_key": str(server.private_key),
                "host_keys": list(server.host_keys),
                "outbox": f"{server.home}/outbound",
                "inbox": f"{server.home}/inbound",
                "archive": f"{server.home}/outbound/archive",
                "reject": f"{server.home}/outbound/reject",
            },
        )

    def offer(self, name: str, data: bytes) -> None:
        control = {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        control |= {"records": {"HDR": 1, "REQ": 1, "CAN": 0, "TRL": 1}, "totals": {}}
        control["sequence"] = int(stem(name).split("_")[-2])
        outbound = self.server.files / "outbound"
        (outbound / name).write_bytes(data)
        (outbound / control_name(name)).write_text(json.dumps(control))

    def poll(self) -> IntakeReport:
        report = take_in(
            "cis",
            self.port,
            handlers={"request": self.handler},
            transaction=self.transaction,
            spool=self.folder / "spool",
            now=NOW,
            machine_now=NOW,
            policy=IntakePolicy(receiver="AMIHUB", env="TEST"),
        )
        relay_once(
            {"cis": self.port},
            transaction=self.transaction,
            spool=self.folder / "spool",
            now=NOW,
            machine_now=NOW,
        )
        return report

    def answer(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.server.files / "inbound" / f"{stem(name)}.ack").read_text())
        return found


@pytest.fixture
def site(sqlite_databases: Any, tmp_path: Path) -> Iterator[Site]:
    engine = open_engine(sqlite_databases())
    with private_sshd(sftp_options=REFUSE_SETSTAT) as server:
        yield Site(server, engine, tmp_path)
    engine.dispose()


def request(sequence: int) -> tuple[str, bytes]:
    """One request file of the agreed layout with one item, and its name."""
    key = f"REQ-{sequence}"
    hashed = hashlib.sha256(f"{key}\n".encode()).hexdigest()
    item = ["REQ", key, "CYCLE", "ELECTRICITY", "up-1", "", "", "", "", "2026-02-01T00:00:00-05:00"]
    item += ["2026-03-01T00:00:00-05:00", "", ""]
    head = ["HDR", "billing_request", "1", f"file-{sequence}", "CISMASS", "AMIHUB", "TEST", "2026-03-02T05:00:00-05:00"]
    head += ["2026-03-02", "America/Toronto", str(sequence), "ON", "01"]
    lines = [head, item, ["TRL", "1", "0", hashed]]
    name = f"BR_CISMASS_AMIHUB_TEST_ON_01_20260302_{sequence:06}_r0.dat"
    return name, "".join("|".join(line) + "\n" for line in lines).encode()


def test_a_request_file_is_taken_in_acknowledged_and_archived(site: Site) -> None:
    name, data = request(1)
    site.offer(name, data)

    report = site.poll()

    assert [(t.verdict, t.accepted, t.reason) for t in report.taken] == [("ACCEPTED", 1, "")]
    assert site.handler.seen == [name, "REQ-1", "end"]
    answer = site.answer(name)
    assert (answer["file"], answer["sha256"]) == (name, hashlib.sha256(data).hexdigest())
    assert [(item["key"], item["verdict"]) for item in answer["items"]] == [("REQ-1", "ACCEPTED")]
    outbound = site.server.files / "outbound"
    assert sorted(path.name for path in (outbound / "archive").iterdir()) == sorted([name, control_name(name)])
    assert [path.name for path in outbound.iterdir() if path.is_file()] == []


def test_a_cut_file_is_refused_with_its_code_and_lies_in_the_reject_folder(site: Site) -> None:
    name, data = request(1)
    site.offer(name, data[:-90])

    report = site.poll()

    assert [(t.verdict, t.code) for t in report.taken] == [("REJECTED", str(codes.TRAILER_MISSING))]
    assert site.answer(name)["verdict"] == "REJECTED"
    assert site.handler.seen == []
    assert (site.server.files / "outbound" / "reject" / name).exists()


def test_a_packed_request_is_opened_and_a_bomb_is_not(site: Site) -> None:
    name, data = request(1)
    site.offer(f"{name}.gz", gzip.compress(data))
    bomb, _ = request(2)
    site.offer(f"{bomb}.gz", gzip.compress(bytes(64 << 20)))

    report = site.poll()

    assert [(t.verdict, t.code) for t in report.taken] == [
        ("ACCEPTED", ""),
        ("REJECTED", str(transport.WRAPPER_TOO_LARGE)),
    ]
    assert site.handler.seen == [f"{name}.gz", "REQ-1", "end"]
