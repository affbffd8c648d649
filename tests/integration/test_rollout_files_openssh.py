"""A rollout's files on a real SFTP server: shipments into stock, a key in clear nowhere, routes out and reads back."""

import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from canonical.holdings import registers_text
from canonical.ids import meter_mrid
from canonical.messages import Item
from canonical.metering import Register
from servers.openssh import REFUSE_SETSTAT, SshServer, private_sshd
from services.cli import app
from services.hub import open_hub
from services.relay import relay_pass
from services.rollout_files import RolloutFiles, take_in
from sftp.formats import route
from store import reference
from store.reference import INSTALLATION, USAGE_POINT

pytestmark = pytest.mark.servers

KEY = bytes(range(40, 56)).hex()
GOLDEN = Path(__file__).resolve().parents[2] / "adapters"
SITE = """
[site]
name = "Small Town"
zone = "UTC"
env = "TEST"
sender = "AMIHUB"
data = "hub"
demo_clock = "clock.json"

[store]
url = "sqlite:///{folder}/hub.db"

[rollout]
hes = "hes"
work_system = "crew"
route_reader = "walker"
inboxes = ["acme", "crew", "walker"]

[roles.hes]
adapter = "hes_cim"
kind = "head_end"
clock = "UTC"
multiplier = "raw"
  [roles.hes.settings]
  url = "https://hes.example/cim"
  user = "amihub"
  password = "secret"
  ca_file = "ca.pem"

{roles}
"""
ROLE = """
[roles.{role}]
adapter = "{adapter}"
kind = "{kind}"
clock = "UTC"
multiplier = "raw"
stable_seconds = 0
  [roles.{role}.settings]
  host = "127.0.0.1"
  port = {port}
  user = "{user}"
  private_key = "{key}"
  host_keys = ["{host_key}"]
  outbox = "{home}/{role}/out"
  inbox = "{home}/{role}/in"
  receiver = "{role}"
  env = "TEST"
"""
PARTNERS = {
    "acme": ("shipment_file", "partner"),
    "crew": ("contractor_file", "work_system"),
    "walker": ("route_file", "route_reader"),
}
CLOCK = json.dumps({"wall": 0, "business": "2026-11-03T12:00:00+00:00", "rate": 0})


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    with private_sshd(sftp_options=REFUSE_SETSTAT) as server:
        facts = {
            "port": server.port, "user": server.user, "key": server.private_key, "host_key": server.host_keys[0],
            "home": server.home,
        }  # fmt: skip
        roles = "".join(
            ROLE.format(role=role, adapter=adapter, kind=kind, **facts) for role, (adapter, kind) in PARTNERS.items()
        )
        site = tmp_path / "site.toml"
        site.write_text(SITE.format(folder=tmp_path, roles=roles))
        (tmp_path / "clock.json").write_text(CLOCK)
        monkeypatch.setenv("AMIHUB_SITE", str(site))
        for role in PARTNERS:
            for folder in ("out", "in"):
                (server.files / role / folder).mkdir(parents=True)
        amihub("db", "upgrade")
        yield server


def amihub(*arguments: str, code: int = 0) -> str:
    said = CliRunner().invoke(app, list(arguments))
    assert said.exit_code == code, (said.output, said.exception)
    return said.output


def offer(server: SshServer, role: str, name: str, data: bytes) -> None:
    control = {
        "name": name,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "records": {},
        "totals": {},
    }
    (server.files / role / "out" / name).write_bytes(data)
    (server.files / role / "out" / f"{Path(name).stem}.ctl").write_text(
        json.dumps({**control, "sequence": int(name.split("_")[5])})
    )


def golden(adapter: str, case: str) -> bytes:
    return (GOLDEN / adapter / "golden" / case / "wire.dat").read_bytes()


def passed() -> RolloutFiles:
    with open_hub() as hub:
        return take_in(hub)


SHIPMENT = "SH_ACME_AMIHUB_TEST_20261102_000004_r0.dat"


def test_a_key_in_clear_is_nowhere_afterwards_and_the_good_shipment_is_in_stock(
    server: SshServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good = golden("shipment_file", "two_lots_of_which_one_failed")
    clear = good.replace(b"|4|DN-778|", b"|5|DN-779|").replace(b"vault:lot-17/00017001", KEY.encode())
    offer(server, "acme", SHIPMENT, good)
    offer(server, "acme", SHIPMENT.replace("000004", "000005"), clear)

    done = passed()
    again = passed()

    assert [(one.verdict, one.accepted) for one in done.files] == [("ACCEPTED", 7), ("REJECTED", 0)], done
    assert "8090 KEY_IN_CLEAR" in done.problems[0]
    assert again.files == ()
    spoilt = [
        path for path in tmp_path.rglob("*")
        if path.is_file() and (KEY.encode() in path.read_bytes() or bytes.fromhex(KEY) in path.read_bytes())
    ]  # fmt: skip
    # What the manufacturer laid on its own server is its own to remove.
    assert [path for path in spoilt if server.files not in path.parents] == []
    assert KEY not in caplog.text
    listed = amihub("shipments", "list")
    assert "STOCK            2" in listed
    assert "8091 LOT_FAILED" in listed
    assert "8097 METER_FAILED" in listed


def test_a_released_lot_is_told_and_a_refused_file_that_was_not_kept_cannot_be_replayed(server: SshServer) -> None:
    good = golden("shipment_file", "two_lots_of_which_one_failed")
    offer(server, "acme", SHIPMENT, good.replace(b"vault:lot-17/00017001", KEY.encode()))
    offer(server, "acme", SHIPMENT.replace("000004", "000005"), good.replace(b"|4|DN-778|", b"|5|DN-778|"))
    passed()

    freed = amihub("shipments", "release", "L18", "--by", "ada", "--reason", "retested")
    shown = json.loads(amihub("shipments", "show", "00018001", "--json"))
    replayed = amihub("parked", "replay", "1", "--as", "ada", code=1)

    assert "2 meters are free" in freed
    assert [(row["state"], row["told"]) for row in shown] == [("STOCK", {"hes": "PENDING"})]
    assert KEY not in replayed


def stand(points: dict[str, str]) -> None:
    """Have usage points with meters of BOREALIS on route R-7, read by hand."""
    since = "2025-01-01T00:00:00+00:00"
    at = datetime.fromisoformat(since)
    registers = registers_text([Register("TOT", TOTAL, "kWh", "DELIVERED", 5, 0)])
    with open_hub() as hub, hub.transaction() as session:
        for name, serial in points.items():
            own = {"usage_point": name, "valid_from": at, "valid_to": None, "said": None, "stated_at": None}
            more = {"name": f"NMI-{name}", "zone": "UTC", "commodity": "ELECTRICITY", "read_source": "MANUAL"}
            reference.record(session, USAGE_POINT, [{**own, **more, "district": "N", "route": "R-7"}], now=at)
            row = {
                "meter": meter_mrid("BOREALIS", serial), "usage_point": name, "manufacturer": "BOREALIS",
                "serial": serial, "serial_normal": serial, "commodity": "ELECTRICITY", "installed_at": at,
                "removed_at": None, "multiplier": "1", "registers": registers, "split": None,
            }  # fmt: skip
            reference.record(session, INSTALLATION, [row], now=at)


TOTAL = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


def test_a_route_goes_out_and_its_reads_come_back(server: SshServer) -> None:
    stand({"UP-1": "OLD1", "UP-2": "OLD2"})

    handed = amihub("routes", "extract", "--route", "R-7", "--day", "2026-11-03")
    with open_hub() as hub:
        relay_pass(hub)
    (sent,) = (server.files / "walker" / "in").glob("RX_*.dat")
    offer(server, "walker", "MR_WALK_AMIHUB_TEST_20261102_000004_r0.dat",
          golden("route_file", "reads_and_a_skipped_meter"))  # fmt: skip
    done = passed()

    assert "handed out, number 1, 2 stops" in handed
    assert [one.payload.serial for one in route.items(BytesIO(sent.read_bytes())) if isinstance(one, Item)] == [
        "OLD1", "OLD2",
    ]  # fmt: skip
    assert [(one.verdict, one.accepted) for one in done.files] == [("ACCEPTED", 2)]
    listed = json.loads(amihub("routes", "list", "--json"))
    assert {row["state"]: row["stops"] for row in listed} == {"READ": 1, "SKIPPED": 1}


def test_a_file_of_completions_without_its_trailer_applies_nothing_and_a_whole_one_everything(
    server: SshServer,
) -> None:
    whole = golden("contractor_file", "done_unable_and_reversed")
    name = "CR_CREWCO_AMIHUB_TEST_20261102_000004_r0.dat"
    offer(server, "crew", name, whole[: whole.rindex(b"TRL")])
    cut = passed()
    offer(server, "crew", name.replace("000004", "000005"), whole.replace(b"|4\n", b"|5\n", 1))
    done, again = passed(), passed()

    assert [(one.verdict, one.code, one.accepted) for one in cut.files] == [("REJECTED", "7003 TRAILER_MISSING", 0)]
    assert [one.accepted + one.rejected for one in done.files] == [4]
    assert again.files == ()


def test_reads_of_what_nobody_knew_are_taken_when_a_person_has_them_handled_again(server: SshServer) -> None:
    name = "MR_WALK_AMIHUB_TEST_20261102_000004_r0.dat"
    offer(server, "walker", name, golden("route_file", "reads_and_a_skipped_meter"))
    (before,) = passed().files
    stand({"UP-1": "OLD1", "UP-2": "OLD2"})
    entry = str(json.loads(amihub("files", "show", name, "--json"))[0]["entry"])

    amihub("parked", "replay", entry, "--as", "ada")

    (after,) = json.loads(amihub("files", "show", name, "--json"))
    assert (before.verdict, before.rejected) == ("ACCEPTED_WITH_ERRORS", 2)
    assert after["state"] == "accepted"
