"""A CIS that is told master data: every binding and edition, every answer it may give, every way to prove ourselves."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cim_partner import Answer, CimPartner, Said, edition_of, error, fault, readings_answer, response
from partner_calls import SECRET, cut, partner, seen
from security_tiers import Tiers, running_tiers
from soap_certificates import certificate
from ws_security import Pair

from adapters.registry import load
from canonical.codes import identity
from canonical.codes import message as codes
from canonical.ids import mint
from canonical.master_data import Link, MasterData, Verb
from canonical.messages import Header, Message, Outcome
from canonical.metering import MeterReadings, ReadingQuestion, RegisterReading
from canonical.periods import Period
from canonical.quality import Quality
from iec61968.bindings import BINDINGS, BindingName
from iec61968.editions import EDITIONS

pytestmark = pytest.mark.slow
AT = datetime(2026, 3, 1, 5, tzinfo=UTC)
LINK = Link(mint("usage-point", "told"), meter=mint("meter", "told"))
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return certificate(tmp_path_factory.mktemp("told"))


def told(adapter: Any, spool: Path, payload: Any, verb: str = "created", *, timeout_s: float = 10) -> Outcome:
    message = Message(Header(mint("told", repr(payload), verb), "AMIHUB", verb, "", created_at=AT), payload)
    (outcome,) = adapter.carry([adapter.encode(message, spool=spool)], spool=spool, timeout_s=timeout_s)
    return outcome  # type: ignore[no-any-return]


def cis(running: CimPartner, tls: tuple[str, str], **settings: Any) -> Any:
    own = {"url": f"{running.base}/cim", "user": "hub", "password": SECRET, "ca_file": tls[1]}
    return load("cis_cim", {**own, **settings})


def link(verb: Verb = "create") -> MasterData:
    return MasterData(verb, "MasterDataLinkageConfig", AT, (LINK,))


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("edition", EDITIONS)
def test_a_message_goes_out_in_the_binding_and_edition_of_its_partner(
    tls: tuple[str, str], tmp_path: Path, binding: BindingName, edition: str
) -> None:
    with partner(tls) as running:
        port = cis(running, tls, binding=binding, edition=edition, operation={"namespace": "http://mdm.example/"})

        outcome = told(port, tmp_path, link())

    (asked,) = running.asked
    assert (outcome.state, asked.binding, edition_of(asked)) == ("confirmed", binding, seen(binding, edition))
    assert asked.path == ("/cim/ReceiveMasterDataLinkageConfig" if binding == "typed" else "/cim")
    effective = next(asked.message.iter("{*}effectiveDateTime"))
    created = next(asked.message.iter("{*}createdDateTime"))
    assert (effective.text, created.text) == ("2026-03-01T05:00:00Z", "2026-03-01T05:00:00Z")


def answer_of(*, code: str, side: str = "Client", status: int = 500) -> Answer:
    return lambda asked: Said(fault(asked, side, code), status)


def plain(status: int) -> Answer:
    return lambda _asked: Said(b"out of order", status, {"Content-Type": "text/plain"})


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (answer_of(code="SIM7007"), "confirmed", ""), (answer_of(code="SIM7008"), "rejected", codes.PARTNER_REFUSED),
        (answer_of(code="5.1"), "unavailable", codes.PARTNER_AWAY),
        (answer_of(code="2.4", side="Server"), "unavailable", codes.PARTNER_AWAY),
        (plain(503), "unavailable", codes.PARTNER_AWAY), (plain(404), "rejected", codes.PARTNER_REFUSED),
        (plain(401), "unavailable", codes.WRONG_CREDENTIALS), (cut, "unavailable", codes.PARTNER_AWAY),
        (lambda asked: Said(response(asked, correlation=mint("x", 1))), "rejected", codes.CORRELATION_MISMATCH),
        (lambda _: Said(b"<html><p>"), "rejected", codes.NOT_XML),
        (lambda a: Said(response(a, result="PARTIAL", errors=error("2.4"))), "rejected", codes.PARTNER_TOOK_PART),
        (lambda a: Said(response(a, result="FAILED")), "rejected", codes.PARTNER_REFUSED),
        (lambda _: Said(b"", wait_s=30), "unavailable", codes.PARTNER_AWAY),
    ],
)  # fmt: skip
def test_whatever_a_partner_answers_is_an_outcome(
    tls: tuple[str, str], tmp_path: Path, answer: Answer, state: str, code: object
) -> None:
    with partner(tls, answer) as running:
        outcome = told(cis(running, tls), tmp_path, link(), timeout_s=2)

    assert (outcome.state, outcome.code) == (state, str(code))
    assert SECRET not in repr(outcome)


def test_a_code_that_says_already_counts_for_links_alone(tls: tuple[str, str], tmp_path: Path) -> None:
    readings = (MeterReadings(LINK.usage_point, LINK.meter, ()),)
    with partner(tls, answer_of(code="SIM7007")) as running:
        assert told(cis(running, tls), tmp_path, readings).state == "rejected"


def test_a_certificate_is_shown_to_who_asks_for_one(tls: tuple[str, str], tmp_path: Path) -> None:
    own_key, shown = Pair("hub").files(tmp_path, "hub")
    both = tmp_path / "both.pem"
    both.write_text(Path(own_key).read_text() + Path(shown).read_text())
    with partner(tls, client_ca=shown) as running:
        with_it = told(cis(running, tls, client_certificate=str(both)), tmp_path, link())
        without = told(cis(running, tls), tmp_path, link())

    assert (with_it.state, without.state) == ("confirmed", "unavailable")


def test_an_mdms_that_wants_a_certificate_is_asked_and_told_with_it(tls: tuple[str, str], tmp_path: Path) -> None:
    own_key, shown = Pair("hub").files(tmp_path, "hub")
    both = tmp_path / "both.pem"
    both.write_text(Path(own_key).read_text() + Path(shown).read_text())
    with CimPartner(*tls, answer=readings_answer, client_ca=shown) as running:
        port = load(
            "mdms_cim",
            {"services_url": f"{running.base}/cim", "ca_file": tls[1], "client_certificate": str(both)},
        )

        (found,) = port.readings([ReadingQuestion(LINK.usage_point, Period(AT, AT))], timeout_s=10)
        outcome = told(port, tmp_path, link())

    assert (found.usage_point, outcome.state) == (LINK.usage_point, "confirmed")
    assert [asked.path for asked in running.asked] == ["/cim/GetMeterReadings", "/cim/ExecuteMasterDataLinkageConfig"]


@pytest.fixture(scope="module")
def tiers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    with running_tiers(tmp_path_factory.mktemp("tiers")) as running:
        yield running


@pytest.mark.parametrize("tier", ["token", "signature", "stranger"])
def test_a_hub_told_by_a_hub_believes_its_token_and_its_signature(tiers: Tiers, tmp_path: Path, tier: str) -> None:
    signer = tiers.signer if tier == "signature" else Pair("stranger")
    key, shown = signer.files(tmp_path, "signer")
    port = load("cis_cim", {
        "url": f"https://127.0.0.1:{tiers.hub.port}/cim", "ca_file": tiers.hub.ca_file, "user": "tokens",
        "password": "token-word", "tier": "token" if tier == "token" else "signature", "signing_key": str(key),
        "signing_certificate": str(shown), "machine_now": lambda: datetime.now(UTC),
    })  # fmt: skip
    reading = RegisterReading(LINK.usage_point, LINK.meter, KWH, AT, Decimal(1), Quality.VALIDATED, "", "cis")

    outcome = told(port, tmp_path, (MeterReadings(LINK.usage_point, LINK.meter, (reading,)),))

    # Whoever is believed comes as far as what its message says: readings of a usage point that nobody told the hub of.
    believed = str(identity.READINGS_UNRESOLVED) in outcome.reason
    assert (believed, outcome.code == str(codes.WRONG_CREDENTIALS)) == (tier != "stranger", tier == "stranger")
