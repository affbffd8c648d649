"""Ports of partners over IEC 61968-9 as the site composes them: files from the site's folder, the machine's time."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.hub import Hub
from services.site_file import load_site

SITE = """
[site]
name = "Test"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
[roles.cis]
adapter = "cis_cim"
kind = "customer_system"
clock = "UTC"
multiplier = "raw"
  [roles.cis.settings]
  url = "https://cis.example/cim"
  user = "amihub"
  password = "env:CIS_WORD"
  {more}
"""


def port(folder: Path, monkeypatch: pytest.MonkeyPatch, more: str) -> Any:
    monkeypatch.setenv("CIS_WORD", "river-of-nine")
    (folder / "site.toml").write_text(SITE.format(more=more), encoding="utf-8")
    return Hub(load_site(folder / "site.toml")).port("cis")


@pytest.mark.parametrize(("more", "has"), [('tier = "token"', True), ('tier = "basic"', False), ("", False)])
def test_a_partner_that_wants_tokens_gets_the_machines_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, has: bool
) -> None:
    now = port(tmp_path, monkeypatch, more)._system.partner.machine_now

    assert (now is not None) == has
    assert now is None or abs((now() - datetime.now(UTC)).total_seconds()) < 60


def test_keys_of_a_signing_partner_lie_beside_the_site_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sign.key").write_bytes(b"key")
    (tmp_path / "sign.pem").write_bytes(b"certificate")

    found = port(
        tmp_path, monkeypatch, 'tier = "signature"\n  signing_key = "sign.key"\n  signing_certificate = "sign.pem"'
    )

    peer = found._system.partner.peer
    assert (peer.signing_key, peer.signing_certificate) == (b"key", b"certificate")
    assert "river" not in repr(peer)
