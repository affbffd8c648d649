"""`amihub load` on a real SFTP server: planned, started, worked with progress, reported; files are retired."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from masters_folder import masters_file
from typer.testing import CliRunner

from servers.openssh import REFUSE_SETSTAT, SshServer, private_sshd
from services.cli import app

pytestmark = pytest.mark.servers

SINCE = "2025-01-01T00:00:00+00:00"
SITE = """
[site]
name = "Small Town"
zone = "UTC"
env = "TEST"
sender = "AMIHUB"
data = "hub"
demo_clock = "clock.json"

[store]
url = "{url}"

[masters]
inboxes = ["cis", "wams"]
chunk_size = 2

{roles}
"""
ROLE = """
[roles.{role}]
adapter = "masters_flatfile"
kind = "partner"
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
  archive = "{home}/{role}/out/archive"
  reject = "{home}/{role}/out/reject"
"""


@pytest.fixture
def server(sqlite_databases: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    with private_sshd(sftp_options=REFUSE_SETSTAT) as server:
        facts = {
            "port": server.port, "user": server.user, "key": server.private_key, "host_key": server.host_keys[0],
            "home": server.home,
        }  # fmt: skip
        roles = "".join(ROLE.format(role=role, **facts) for role in ("cis", "wams"))
        site = tmp_path / "site.toml"
        site.write_text(SITE.format(url=sqlite_databases(), roles=roles))  # type: ignore[operator]
        (tmp_path / "clock.json").write_text(CLOCK)
        monkeypatch.setenv("AMIHUB_SITE", str(site))
        for role in ("cis", "wams"):
            for folder in ("out/archive", "out/reject", "in"):
                (server.files / role / folder).mkdir(parents=True)
        yield server


CLOCK = json.dumps({"wall": 0, "business": "2026-11-02T06:00:00+00:00", "rate": 0})


def offer(server: SshServer, role: str, *lines: str) -> None:
    name, data = masters_file(lines, sender=role.upper(), watermark="2026-11-02T00:00:00+00:00")
    (server.files / role / "out" / name).write_bytes(data)
    control = {"name": name, "bytes": len(data), "sha256": _sha(data), "records": {}, "totals": {}, "sequence": 1}
    (server.files / role / "out" / f"{Path(name).stem}.ctl").write_text(json.dumps(control))


def _sha(data: bytes) -> str:
    from hashlib import sha256

    return sha256(data).hexdigest()


def amihub(*arguments: str, code: int = 0) -> str:
    said = CliRunner().invoke(app, list(arguments))
    assert said.exit_code == code, (said.output, said.exception)
    return said.output


def test_a_load_is_planned_started_followed_and_reported(server: SshServer) -> None:
    offer(server, "wams", f"MTR|ACME|1|ELECTRICITY|1|AX|7|Active|{SINCE}|")
    offer(server, "cis", *(f"UPT|U{n}|N{n}|UTC|ELECTRICITY|AMI|N|1||{SINCE}|" for n in range(5)))

    planned = amihub("load", "plan", "--from", "wams", "--from", "cis")
    started = amihub("load", "start", "--from", "wams", "--from", "cis", "--as", "ann")
    waiting = amihub("load", "status")
    worked = amihub("load", "run")
    report = json.loads(amihub("load", "report", "--json"))
    again = amihub("masters", "pass")

    assert "MX_WAMS_AMIHUB_TEST_FULL_20261102_000001_r0.dat" in planned
    assert "nothing yet" in planned
    assert "is open" in started
    assert "wams: its FULL file is awaited" in waiting
    assert "100 % (5 of 5" in worked
    assert "is done" in worked
    assert report["run"]["state"] == "done"
    assert report["counts"] == {"usage_point": {"APPLIED": 5}, "meter": {"APPLIED": 1}}
    assert (report["things"]["usage_point"], report["things"]["meter"]) == (5, 1)
    assert "0 files, 0 items" in again
    assert [path.name for path in (server.files / "cis" / "out").glob("*.dat")] == []
    assert len(list((server.files / "cis" / "out" / "archive").glob("*.dat"))) == 1


def test_a_person_aborts_a_load_and_another_may_begin(server: SshServer) -> None:
    amihub("load", "start", "--from", "cis")
    refused = CliRunner().invoke(app, ["load", "start", "--from", "cis"])
    aborted = amihub("load", "abort", "--as", "ann", "--reason", "wrong day")
    amihub("masters", "pass")
    again = amihub("load", "start", "--from", "cis")

    assert refused.exit_code == 1
    assert "aborted" in aborted
    assert "is open" in again


def test_what_a_load_refused_is_handled_again_as_a_change_when_the_load_is_over(server: SshServer) -> None:
    lines = [f"UPT|U1|N1|UTC|ELECTRICITY|AMI|N|1||{SINCE}|"]
    lines += [f"MTR|ACME|{n}|ELECTRICITY|1|AX|7|Active|{SINCE}|" for n in (1, 2)]
    offer(server, "cis", *lines, f"INS|U1|ACME|1|{SINCE}|", "INS|U1|ACME|2|2026-01-01T00:00:00+00:00|")

    amihub("load", "start", "--from", "cis", "--error-percent", "100")
    amihub("load", "run")
    report = json.loads(amihub("load", "report", "--json"))
    again = amihub("parked", "replay", "1", "--as", "ann")
    waiting = amihub("cim", "waiting")

    assert [one["code"] for one in report["exceptions"]] == ["3010 ALREADY_LINKED"]
    assert "REJECTED" not in again, "it waits until the first meter is taken away"
    assert "1 waiting" in waiting
