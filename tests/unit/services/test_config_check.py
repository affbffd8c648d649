"""`amihub config check` names what every section allows but no night would survive."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli_config import app

SITE = """
[site]
name = "Small Town"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"

[roles.cis]
adapter = "{adapter}"
kind = "customer_system"
clock = "OFFSET_IN_MESSAGE"
multiplier = "raw"
  [roles.cis.settings]
{settings}

[billing.mass]
customer_system = "cis"
partner = "CISMASS"
inboxes = ["cis"]
zone = "America/Toronto"
"""
FILES = """  host = "sftp.cis.example"
  user = "amihub"
  password = "p"
  host_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrCVbPqlj0KFTDQqYXDGF7dJrDtcD5lmyQ0r7HFUg6m"]
  outbox = "out"
  inbox = "in"
  archive = "archive"
  reject = "reject"
  layout = "billing_drop"
"""
SERVICES = """  url = "https://cis.example/cim"
  user = "amihub"
  password = "p"
"""


def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: str, settings: str) -> tuple[int, str]:
    site = tmp_path / "site.toml"
    site.write_text(SITE.format(adapter=adapter, settings=settings))
    monkeypatch.setenv("AMIHUB_SITE", str(site))
    said = CliRunner().invoke(app, ["check"])
    return said.exit_code, said.output


def test_a_billing_interface_over_files_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = checked(tmp_path, monkeypatch, "cis_flatfile", FILES)

    assert (code, "good" in text) == (0, True), text


def test_a_billing_interface_needs_a_role_that_exchanges_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = checked(tmp_path, monkeypatch, "cis_cim", SERVICES)

    assert code == 1
    assert "site.toml:20: billing.mass.customer_system" in text
    assert "'cis_cim' of the role 'cis' exchanges no files" in text


def test_masters_of_a_role_that_the_site_has_not_are_named_with_the_nearest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masters = FILES + '\n[masters]\ninboxes = ["ciz"]\n'
    code, text = checked(tmp_path, monkeypatch, "cis_flatfile", masters)

    assert code == 1
    assert "did you mean 'cis'" in text


def test_a_key_of_masters_that_there_is_not_is_named_with_the_nearest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masters = FILES + "\n[masters]\nchunksize = 5\n"
    code, text = checked(tmp_path, monkeypatch, "cis_flatfile", masters)

    assert code == 1
    assert "chunk_size" in text
