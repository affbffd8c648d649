"""`[files]` of the site file: what is said, what is refused."""

from pathlib import Path

import pytest

from canonical.errors import MisconfiguredError
from services.hub import Hub
from services.inbound import sources
from services.message_files import callers_by_file, take_messages, takers_of
from services.site_file import load_site

SITE = """
[site]
name = "Files"
zone = "UTC"
env = "TEST"
sender = "AMIHUB"
data = "var"
[roles.wams]
adapter = "{adapter}"
kind = "partner"
clock = "UTC"
multiplier = "raw"
settings = {{ {settings} }}
[files]
edition = "2017"
[files.inbound.{role}]
policy = "report"
"""
FOLDERS = 'host = "sftp.example", user = "amihub", host_keys = ["ssh-ed25519 AAAA"]'
WEB = 'url = "https://x.example/cim", user = "u", password = "p"'


def hub_of(folder: Path, *, adapter: str = "partner_files", settings: str = FOLDERS, role: str = "wams") -> Hub:
    path = folder / "site.toml"
    path.write_text(SITE.format(adapter=adapter, settings=settings, role=role))
    return Hub(load_site(path))


def test_roles_whose_files_are_messages_are_callers_without_a_secret(tmp_path: Path) -> None:
    hub = hub_of(tmp_path)

    section = callers_by_file(hub.site)

    assert (section.edition, section.clients["wams"].policy, section.clients["wams"].password) == ("2017", "report", "")
    assert sources(hub) == ["wams"]


def test_only_roles_that_the_section_names_have_their_messages_taken_by_a_billing_pass(tmp_path: Path) -> None:
    assert list(takers_of(hub_of(tmp_path), ["wams", "cis"])) == ["wams"]


def test_a_role_that_the_site_has_not_is_said_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="did you mean 'wams'"):
        hub_of(tmp_path, role="wamz")


def test_a_role_whose_adapter_offers_no_files_is_said(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, adapter="cis_cim", settings=WEB)

    with pytest.raises(MisconfiguredError, match="offers no files"):
        take_messages(hub, "wams")
