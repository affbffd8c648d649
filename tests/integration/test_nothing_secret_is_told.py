"""Secrets and personal values stand where they belong, and nowhere else, whatever goes wrong: output, logs, store."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_by_hand import HubByHand
from secret_night import NIGHT, SecretNight, files_below, found_in, mark
from serve_by_hand import LISTENING, basic, event, reading, serving
from soap_certificates import certificate
from soap_partner import Partner, http
from sqlalchemy import text
from sqlalchemy.engine import make_url

from servers.openssh import private_sshd
from store.session import open_engine

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(900)]

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrCVbPqlj0KFTDQqYXDGF7dJrDtcD5lmyQ0r7HFUg6m"
LOG = "log of the web services"
FAULT = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server</faultcode>'
    b"<faultstring>no</faultstring></s:Fault></s:Body></s:Envelope>"
)


@pytest.fixture
def night(tmp_path: Path, postgres_server: str) -> Iterator[SecretNight]:
    engine = open_engine(postgres_server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE secret_night"))
    engine.dispose()
    database = make_url(postgres_server).set(database="secret_night").render_as_string(hide_password=False)
    key_file, ca_file = certificate(tmp_path)
    marks = {name: mark(name[:2]) for name in ("SFTP password", "MDMS password", "caller password", "personal value")}
    marks["database password"] = str(make_url(database).password)
    with private_sshd() as server, Partner(key_file, ca_file, lambda _body: http(FAULT, "500 Oops")) as partner:
        marks["private key"] = server.private_key.read_text().splitlines()[2][10:40]
        environment = {
            "CIS_PASSWORD": marks["SFTP password"],
            "MDMS_PASSWORD": marks["MDMS password"],
            "CALLER_PASSWORD": marks["caller password"],
            "HUB_DATABASE": database,
        }
        hub = HubByHand(tmp_path / "site", server, environment)
        hub.found(site=NIGHT, mdms_port=str(partner.port), ca_file=ca_file)
        hub.folder.joinpath("partner").write_text(f"{partner.port} {ca_file}")
        yield SecretNight(hub, marks, mark("quoted"), database)


def test_no_secret_and_no_personal_value_is_told(night: SecretNight, tmp_path: Path) -> None:
    said = [*_night(night), *_served(night, tmp_path)]
    for command in (
        ("work", "list", "--json"), ("parked", "list", "--json"), ("messages", "search", "--json"),
        ("messages", "show", "2"), ("parked", "show", "3"), ("files", "show", "BR_", "--json"), ("db", "status"),
        ("config", "check"), ("billing", "status", "mass"),
    ):  # fmt: skip
        said.append((" ".join(command), night.hub.amihub(*command).text))

    assert any("SFTP_LOGIN_REFUSED" in words for _, words in said)
    assert any("Traceback" in words for _, words in said), "a surprise is in it too"
    assert len({place for place, _ in night.told_in_store()}) > 50
    told = found_in(night.secrets, iter(said))
    told += found_in(night.secrets, night.told_in_store())
    told += found_in(night.secrets, files_below(night.hub.folder, besides=("spool",)))
    quoted = {"quoted value": night.quoted}
    told += found_in(quoted, iter(one for one in said if one[0] == LOG))
    told += found_in(quoted, files_below(night.hub.folder, besides=("spool",)))
    assert told == [], "\n".join(told)


def _night(night: SecretNight) -> Iterator[tuple[str, str]]:
    """Yield what commands say while everything goes right, then wrong."""
    hub = night.hub
    port, ca_file = (hub.folder / "partner").read_text().split()
    whole = {"mdms_port": port, "ca_file": ca_file}
    night.stumble()
    yield "billing run", hub.amihub("billing", "run", "mass").text
    yield "config test", hub.amihub("config", "test").text
    broken = {
        "wrong password": NIGHT.replace('private_key = "{private_key}"', ""),
        "host key changed": NIGHT.replace("{host_key}", OTHER_KEY),
        "password in an address": NIGHT.replace("https://127", f"https://u:{night.secrets['MDMS password']}@127"),
        "secret as a number": NIGHT.replace('"env:MDMS_PASSWORD"', f'"{night.secrets["MDMS password"]}"\nbatch = "x"'),
        "secret with no closing": NIGHT.replace('"env:MDMS_PASSWORD"', f'"{night.secrets["MDMS password"]}'),
    }  # fmt: skip
    for what, site in broken.items():
        hub.write_site(site, **whole)
        yield f"{what}: config check", hub.amihub("config", "check").text
        yield f"{what}: billing run", hub.amihub("billing", "run", "mass").text
    (hub.folder / "site.toml").unlink()  # two of them held a secret as no site should
    hub.write_site(NIGHT, **whole)
    (hub.folder / "clock.json").write_text("{")
    yield "a surprise", hub.amihub("billing", "run", "mass").text
    hub.set_clock("2026-03-02T12:00:00+00:00")
    wrong = str(make_url(night.database).set(port=1).render_as_string(hide_password=False))
    yield "database away", hub.amihub("work", "list", environment={"HUB_DATABASE": wrong}).text
    wrong = wrong.replace("postgresql", "nosuch")
    yield "database unknown", hub.amihub("work", "list", environment={"HUB_DATABASE": wrong}).text


def _served(night: SecretNight, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Yield what the web services answer and log to calls that are refused."""
    person, wrong, password = night.secrets["personal value"], night.quoted, night.secrets["caller password"]
    listening = LISTENING.replace('"right"', '"env:CALLER_PASSWORD"')
    port, ca_file = (night.hub.folder / "partner").read_text().split()
    site = NIGHT.replace("{mdms_port}", port).replace("{ca_file}", ca_file) + listening
    with serving(night.hub, certificate(tmp_path), site=site) as served:
        right = basic("mdms", password)
        calls = (
            (event(1, reading()), right),
            (event(2, reading(wrong)), right),
            (event(3, f"<Customer><name>{person}</name></Customer>"), right),
            (event(4, reading(at=wrong)), right),
            (event(5, reading(), verb=wrong), right),
            (b"<" + wrong.encode(), right),
            (event(6, reading()), basic("mdms", password + "x")),
            (event(7, reading()), basic(password, "x")),
            (event(8, reading()), "Basic " + base64.b64encode(password.encode()).decode()),
        )
        for number, (body, authorization) in enumerate(calls):
            answer = served.call(body, authorization=authorization)
            yield f"call {number}", answer.text
        log = served.log.read_text()
    yield LOG, log
