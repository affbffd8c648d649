"""Killed anywhere while shipments and completions are taken and judged, or a wave is walked: it ends as if not."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from completion_world import NOW, POLICY, World
from file_partner import FolderPartner
from kill_harness import Boundaries, Place, survive_every_kill
from sqlalchemy import text
from wave_desk import NOW as DESK
from wave_desk import POLICY as WAVES
from wave_desk import RULES
from wave_town import House, build

from adapters.registry import load
from canonical.codes.rollout_waves import ROLLOUT_STATE
from canonical.errors import RejectedError
from canonical.messages import FileFacts, FileIdentity, Item, Message, Outcome, Parcel, Rejection
from flows.delivery import DeliveryPolicy, relay_once
from flows.file_intake import IntakePolicy, take_in
from flows.master_data_sync import Policy as MasterData
from flows.meter_rollout import validate, waves
from flows.meter_rollout.completions import CompletionsHandler
from flows.meter_rollout.freezing import freeze
from flows.meter_rollout.planner import plan
from flows.meter_rollout.release import release
from flows.meter_rollout.wave_pass import pass_waves
from flows.routing import Routes, Sending
from flows.shipments import ShipmentHandler, ShipmentPolicy, follow
from store.session import open_engine, transactions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

SHARES = 3
"""Tests among which the boundaries are shared out."""

MACHINE = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = {"host": "sftp.example", "user": "amihub", "host_keys": ["ssh-ed25519 AAAA"], "receiver": "CREWCO"}
READERS = {"SH": "shipment_file", "CR": "contractor_file"}
STOCK = ShipmentPolicy(("wams", "mdms", "hes"))
AT = "2026-03-02T15:00:00+00:00"
REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0|kWh|DELIVERED|5|1||0|N"


def encode(role: str, message: Message[Any]) -> Parcel:
    """Say whatever it is as text, under the name of the message."""
    body = f"{role} {message.header.verb} {message.payload!r}".encode()
    name = message.header.message_id
    return Parcel(name, "text/plain", sha256(body).hexdigest(), len(body), body, key=name, confirm_name=name)


class Partner(FolderPartner):
    """A folder with files of manufacturers and crews, read as the hub reads them."""

    def identify(self, name: str) -> FileIdentity:
        return load(READERS[name[:2]], SETTINGS).identify(name)  # type: ignore[no-any-return]

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        return load(READERS[where[:2]], SETTINGS).examine(stream, identity=identity, where=where)  # type: ignore[no-any-return]

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        yield from load(READERS[where[:2]], SETTINGS).items(stream, identity=identity, where=where)


def shipped(*serials: str) -> bytes:
    """Return a shipment of one good lot and, of the last meter, a failed one."""
    lines = ["HDR|shipment|1|F1|ACME|AMIHUB|TEST|2026-02-02T05:00:00+00:00|2026-02-02|UTC|1|DN-1|ACME|"
             "2026-02-01T00:00:00+00:00|", "LOT|L1|PASS", "LOT|L2|FAIL"]  # fmt: skip
    for serial in serials:
        lot = "L2" if serial == serials[-1] else "L1"
        lines += [f"MTR|ACME|{serial}|ELECTRICITY|SM-3|4.2|C|1|{lot}|PASS||M{serial}||vault:{serial}||",
                  f"REG|{serial}|T|{REGISTER}"]  # fmt: skip
    return "".join(f"{line}\n" for line in [*lines, f"TRL|2|{len(serials)}|{len(serials)}"]).encode()


def completed(number: int, *exchanges: tuple[str, str, str]) -> bytes:
    """Return a contractor's file: at a usage point one meter went, another came; without meters a visit in vain."""
    lines, read = [], 0
    for point, old, new in exchanges:
        went, came = ("OLDCO", old, AT), ("ACME", new, AT)
        if new:
            fields = ("DONE", "", point, "", AT, *went, *came, "", "", "", "", "CREW-9", *[""] * 6)
        else:
            fields = ("UNABLE", "", point, "", "2026-03-01T15:00:00+00:00", *[""] * 8, "NO_ACCESS", "", "CREW-9",
                      *[""] * 6)  # fmt: skip
        lines.append("|".join(("EXC", *fields)))
        if new:
            lines += ["RDG|FINAL|T||1234", "RDG|FIRST|T||3"]
            read += 2
    head = f"HDR|completions|1|CR_{number}|CREWCO|AMIHUB|TEST|{AT}|2026-03-02|UTC|{number}"
    total = 1237 * read // 2
    return "".join(f"{line}\n" for line in [head, *lines, f"TRL|{len(exchanges)}|{read}|0|{total}"]).encode()


class FieldWork:
    """A shipment with a failed lot, and crews' files: plain, crossed, unknown, contradicting, in vain."""

    tables = (
        "SELECT name, state, code, verdict FROM intake_file ORDER BY name",
        "SELECT serial, state, code, told FROM shipped_meter ORDER BY serial",
        "SELECT usage_point, removed_serial, installed_serial, state, codes FROM rollout_result ORDER BY result_id",
        "SELECT order_id, state, code, attempts FROM rollout_order ORDER BY order_id",
        "SELECT order_id, state, code, count(*) FROM rollout_order_history GROUP BY order_id, state, code"
        " ORDER BY order_id, state, code",
        "SELECT order_id, step, attempt, state FROM rollout_step ORDER BY order_id, step, attempt",
        "SELECT usage_point, serial FROM installation WHERE removed_at IS NULL AND replaced_at IS NULL ORDER BY 1, 2",
        "SELECT usage_point, meter, value FROM register_reading ORDER BY 1, 2, 3",
        "SELECT work_id, state FROM work_item ORDER BY work_id",
        "SELECT destination, key, state, sha256 FROM delivery ORDER BY destination, key",
    )

    def prepare(self, place: Place) -> None:
        """Usage points with old meters, and three files that wait."""
        engine = open_engine(place.url)
        World(transactions(engine), points=4)
        engine.dispose()
        partner = Partner(place.folder / "partner")
        files = {
            "SH_ACME_AMIHUB_TEST_20260202_000001_r0.dat": shipped("M1", "M2", "M3", "M4"),
            "CR_CREWCO_AMIHUB_TEST_20260302_000001_r0.dat": completed(
                1, ("U1", "O1", "M1"), ("U2", "O3", "M2"), ("U3", "O2", "M3"), ("U4", "O4", "M4"), ("U2", "", "")
            ),
            "CR_CREWCO_AMIHUB_TEST_20260302_000002_r0.dat": completed(2, ("U1", "O1", "M1"), ("U1", "O1", "M9")),
        }
        for name, data in files.items():
            partner.offer(name, data, sequence=int(name[-13:-7]))

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        """Take everything in, and judge it."""
        engine = open_engine(place.url)
        transaction, partner = boundaries.transaction(transactions(engine)), Partner(place.folder / "partner")
        port = boundaries.port(partner)
        port.identify = partner.identify  # reads a name, and touches nothing
        take_in(
            "crew",
            port,
            handlers={
                "shipment": ShipmentHandler(STOCK, MasterData(), Routes(), encode),
                "completions": CompletionsHandler(POLICY),
            },
            transaction=transaction,
            spool=place.folder / "spool",
            now=NOW,
            machine_now=MACHINE + timedelta(hours=start),
            policy=IntakePolicy(batch_size=2),
        )
        follow(queue="rollout", transaction=transaction, now=NOW)
        validate.validate_due(policy=POLICY, transaction=transaction, now=NOW)
        engine.dispose()

    def observe(self, place: Place) -> Any:
        """Return what the hub holds."""
        return _held(place, self.tables)


class WaveLife:
    """A wave that is planned, frozen, released, taken by the work system, and given up."""

    tables = (
        "SELECT wave, state FROM rollout_wave ORDER BY wave",
        "SELECT order_id, state, planned_day FROM rollout_order ORDER BY order_id",
        "SELECT order_id, state, count(*) FROM rollout_order_history GROUP BY order_id, state ORDER BY order_id, state",
        "SELECT destination, key, state, sha256 FROM delivery ORDER BY destination, key",
    )

    def prepare(self, place: Place) -> None:
        """A street of four houses."""
        engine = open_engine(place.url)
        with transactions(engine)() as session:
            build(session, [House(n) for n in range(1, 5)])
        engine.dispose()
        (place.folder / "wams").mkdir()

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        """Do what a person does who looks what was done already."""
        engine = open_engine(place.url)
        transaction, sending = boundaries.transaction(transactions(engine)), Sending(Routes(), encode, DESK)
        acts: tuple[Callable[[], object], ...] = (
            lambda: plan(RULES, transaction=transaction, now=DESK, by="Ada"),
            lambda: freeze("NORTH-1", transaction=transaction, now=DESK, by="Ada"),
            lambda: release("NORTH-1", [], policy=WAVES, sending=sending, transaction=transaction, by="Ada"),
            lambda: self._told(place, boundaries, transaction, start),
            lambda: pass_waves(policy=WAVES, sending=sending, transaction=transaction),
            lambda: waves.abort(
                "NORTH-1", policy=WAVES, sending=sending, transaction=transaction, by="Ada", reason="no budget"
            ),
            lambda: self._told(place, boundaries, transaction, start + 3),
        )
        for act in acts:
            _unless_done(act)
        engine.dispose()

    def _told(self, place: Place, boundaries: Boundaries, transaction: Any, hour: int) -> None:
        port = boundaries.port(Books(place.folder / "wams"))
        relay_once(
            {"wams": port}, transaction=transaction, spool=place.folder, now=DESK,
            machine_now=MACHINE + timedelta(hours=hour), policies={"wams": DeliveryPolicy(base_s=1, cap_s=2)},
        )  # fmt: skip

    def observe(self, place: Place) -> Any:
        """Return what the hub and the work system hold."""
        return [_held(place, self.tables), sorted(path.name for path in (place.folder / "wams").iterdir())]


def _unless_done(act: Callable[[], object]) -> None:
    try:
        act()
    except RejectedError as refused:
        if refused.code is not ROLLOUT_STATE:
            raise


class Books:
    """A work system that keeps each thing that it is told in a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        for parcel in parcels:
            path = self.folder / parcel.name
            assert not path.exists() or path.read_bytes() == parcel.body, "one id says two things"
            path.write_bytes(parcel.body or b"")
        return [Outcome("confirmed") for _ in parcels]


def _held(place: Place, tables: Sequence[str]) -> list[list[list[str]]]:
    engine = open_engine(place.url)
    with transactions(engine)() as session:
        found = [[list(map(str, row)) for row in session.execute(text(query))] for query in tables]
    engine.dispose()
    return found


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("scenario", [FieldWork(), WaveLife()], ids=["field", "wave"])
def test_killed_anywhere_field_work_and_waves_end_as_if_nobody_had(
    databases: Callable[[], str], tmp_path: Path, scenario: Any, share: int
) -> None:
    names = survive_every_kill(
        scenario, databases=databases, folder=tmp_path, first=1 + share, stride=SHARES, at_least=60
    )

    assert {"before commit", "after commit"} <= set(names)


def test_undisturbed_field_work_is_believed_held_or_waits(databases: Callable[[], str], tmp_path: Path) -> None:
    place = Place(tmp_path / "calm", databases())
    place.folder.mkdir()
    scenario = FieldWork()
    scenario.prepare(place)
    scenario.run(place, Boundaries(), 0)

    files, stock, told, *_ = scenario.observe(place)

    assert [(state, verdict) for _, state, _, verdict in files] == [("accepted", "ACCEPTED")] * 3
    assert [row[1] for row in stock] == ["STOCK", "STOCK", "STOCK", "BLOCKED"]
    assert sorted(row[3] for row in told) == ["HELD", "HELD", "HELD", "HELD", "VALIDATED", "VALIDATED"]
