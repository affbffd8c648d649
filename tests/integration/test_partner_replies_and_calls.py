"""Reply addresses and `amihub cim call` against partners of every binding and edition, good and bad."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cim_hub import AMIHUB, SITE
from cim_partner import (
    Answer,
    CimPartner,
    Said,
    edition_of,
    error,
    fault,
    readings_answer,
    response,
)
from lxml import etree
from partner_calls import NOW, SECRET, cut, partner, peer, seen, uuid
from soap_certificates import certificate
from ws_security import Pair

from canonical.messages import Message, Parcel
from iec61968.bindings import BINDINGS, BindingName
from iec61968.editions import EDITIONS
from iec61968.message_client import Peer
from iec61968.nouns import get_meter_readings
from iec61968.nouns.get_meter_readings import GetMeterReadings
from iec61968.security import Client, NonceCache, Tier, token_caller
from iec61968.signature import verify
from services.cim_replies import AnswerEncoder, ReplyAddress

pytestmark = pytest.mark.slow
everywhere = pytest.mark.parametrize("binding", BINDINGS)
every_edition = pytest.mark.parametrize("edition", EDITIONS)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return certificate(tmp_path_factory.mktemp("partner"))


def parcel(own: Peer) -> Parcel:
    """Return an asynchronous answer as it lies ready for the relay."""
    from canonical.messages import Header
    from canonical.questions import ReadingsAnswer, Unanswered

    header = Header(uuid(5), "AMIHUB", "reply", "MeterReadings", uuid(6), created_at=NOW)
    found = ReadingsAnswer((), (Unanswered("up-1", "1113 NOT_SUPPORTED_HERE", "no"),))
    return AnswerEncoder({"reply:cis": own}, "AMIHUB")(Message(header, found), reply_to="reply:cis")


@every_edition
@everywhere
def test_an_answer_is_carried_to_a_reply_address_of_every_kind(
    tls: tuple[str, str], tmp_path: Path, binding: BindingName, edition: str
) -> None:
    with partner(tls) as running:
        own = peer(running, tls, binding, edition)
        (outcome,) = ReplyAddress(own).carry([parcel(own)], spool=tmp_path, timeout_s=5)

    (asked,) = running.asked
    assert outcome.state == "confirmed", outcome
    assert (asked.binding, edition_of(asked), asked.text("CorrelationID")) == (binding, seen(binding, edition), uuid(6))


OUTCOMES: dict[str, tuple[Answer, str, str]] = {
    "failed": (lambda a: Said(response(a, result="FAILED", errors=error("2.12"))), "rejected", "PARTNER_REFUSED"),
    "failed for now": (
        lambda a: Said(response(a, result="FAILED", errors=error("5.1"))),
        "unavailable",
        "PARTNER_AWAY",
    ),
    "client fault": (lambda a: Said(fault(a, "Client", "1.8"), 500), "rejected", "PARTNER_REFUSED"),
    "another correlation": (lambda a: Said(response(a, correlation=uuid(9))), "rejected", "CORRELATION_MISMATCH"),
    "hung": (lambda _: Said(b"", wait_s=20), "unavailable", "PARTNER_AWAY"),
    "cut": (cut, "unavailable", "PARTNER_AWAY"),
    "forbidden": (lambda _: Said(b"", 403), "unavailable", "WRONG_CREDENTIALS"),
}


@everywhere
@pytest.mark.parametrize("case", OUTCOMES)
def test_a_reply_address_that_fails_has_its_outcome(
    tls: tuple[str, str], tmp_path: Path, case: str, binding: BindingName
) -> None:
    answer, state, code = OUTCOMES[case]
    with partner(tls, answer) as running:
        own = peer(running, tls, binding)
        (outcome,) = ReplyAddress(own).carry([parcel(own)], spool=tmp_path, timeout_s=1.5)

    assert (outcome.state, outcome.code.partition(" ")[2]) == (state, code), outcome


@pytest.mark.parametrize("tier", ["token", "signature"])
def test_an_answer_proves_itself_as_its_reply_address_asks(tls: tuple[str, str], tmp_path: Path, tier: Tier) -> None:
    pair = Pair("hub")
    with CimPartner(*tls) as running:
        own = replace(peer(running, tls), tier=tier)
        if tier == "signature":
            own = replace(own, user="", password="", signing_key=pair.key_pem, signing_certificate=pair.pem)
        (outcome,) = ReplyAddress(own).carry([parcel(own)], spool=tmp_path, timeout_s=5)

    (asked,) = running.asked
    root, now = etree.fromstring(asked.raw), datetime.now(UTC)
    assert outcome.state == "confirmed", outcome
    assert "authorization" not in asked.headers
    if tier == "signature":
        verify(root, certificate=pair.pem, client="hub", nonces=NonceCache(), now=now)
    else:
        (security,) = root.iter("{*}Security")
        assert token_caller(security, {"hub": Client(SECRET, "token")}, NonceCache(), now=now) == "hub"


@pytest.fixture
def site(tls: tuple[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `amihub cim call` in a site whose MDMS is a partner."""

    def run(mdms: str, *arguments: str, more: str = "", **secrets: str) -> subprocess.CompletedProcess[str]:
        text = (
            SITE.format(mdms=mdms, port=8443, certificate=tls[1], key=tls[0]).replace("GetMeterReadings", "cim") + more
        )
        (tmp_path / "site.toml").write_text(text)
        values = {**os.environ, "AMIHUB_SITE": str(tmp_path / "site.toml"), "MDMS_PASSWORD": SECRET, **secrets}
        return subprocess.run(
            [str(AMIHUB), "cim", "call", *arguments],
            env=values,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("binding", "edition"), [("typed", "2011"), ("generic", "www"), ("string", "2017"), ("bare", "2011")]
)
def test_a_person_calls_a_role_or_an_address_by_hand(
    tls: tuple[str, str], tmp_path: Path, site: Any, binding: str, edition: str
) -> None:
    query = tmp_path / "query.xml"
    query.write_bytes(etree.tostring(get_meter_readings.to_xml(GetMeterReadings(("up-1",)))))
    what = ("--noun", "MeterReadings", "--verb", "get", "--payload", str(query))
    how = (*what, "--binding", binding, "--edition", edition)
    with partner(tls, readings_answer) as running:
        address = (f"{running.base}/cim", *how, "--user", "hub", "--ca-file", tls[1])
        runs = [
            site(running.base, "mdms", *how),
            site(running.base, *address, AMIHUB_CALL_PASSWORD=SECRET),
            site(running.base, *address, AMIHUB_CALL_PASSWORD="wrong"),
        ]

    assert [run.returncode for run in runs[:2]] == [0, 0], runs[0].stderr + runs[1].stderr
    assert runs[2].returncode not in (0, 1) or "WRONG_CREDENTIALS" in runs[2].stderr
    assert all("7.250" in run.stdout for run in runs[:2])
    assert {asked.binding for asked in running.asked} == {binding}
    assert all(SECRET not in run.stdout + run.stderr for run in runs)


def test_a_refusal_ends_a_call_by_hand_with_1_and_no_address_is_shown_with_its_user(
    tls: tuple[str, str], tmp_path: Path, site: Any
) -> None:
    how = ("--noun", "MeterConfig", "--verb", "get")
    with partner(tls, lambda a: Said(response(a, result="FAILED", errors=error("2.4")))) as running:
        failed = site(running.base, "mdms", *how)
        running.answer = lambda a: Said(fault(a, "Client", "1.8"), 500)
        refused = site(running.base, "mdms", *how)
    foreign = site("https://127.0.0.1:1", f"https://hub:{SECRET}@127.0.0.1:1/", *how)
    plain = site("https://127.0.0.1:1", f"http://hub:{SECRET}@127.0.0.1:1/", *how)

    assert (failed.returncode, "2.4" in failed.stdout) == (1, True), failed.stderr
    assert refused.returncode != 0
    assert "PARTNER_REFUSED" in refused.stderr
    assert (foreign.returncode != 0, plain.returncode != 0) == (True, True)
    for run in (failed, refused, foreign, plain):
        assert SECRET not in run.stdout + run.stderr
        assert "Traceback" not in run.stderr


def test_a_role_that_needs_tokens_is_called_at_its_own_services_with_tokens(
    tls: tuple[str, str], tmp_path: Path, site: Any
) -> None:
    role = """
[roles.cis]
adapter = "cis_cim"
kind = "customer_system"
clock = "UTC"
multiplier = "raw"
[roles.cis.settings]
url = "{url}"
user = "hub"
password = "env:MDMS_PASSWORD"
ca_file = "{ca_file}"
edition = "2017"
tier = "token"
"""
    with CimPartner(*tls) as running:
        more = role.format(url=running.base, ca_file=tls[1])
        run = site(running.base, "cis", "--noun", "MeterConfig", "--verb", "create", more=more)

    assert run.returncode == 0, run.stderr
    (asked,) = running.asked
    assert (asked.path, asked.binding, edition_of(asked)) == ("/ExecuteMeterConfig", "typed", "2017")
    assert b"PasswordDigest" in asked.raw
    assert "authorization" not in asked.headers
    assert SECRET.encode() not in asked.raw
