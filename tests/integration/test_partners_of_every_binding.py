"""Our client against partners of every binding and edition: what goes well, and whatever a partner does wrong."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from cim_partner import (
    Answer,
    Asked,
    Said,
    edition_of,
    error,
    fault,
    gzipped,
    ok,
    readings_answer,
    response,
)
from lxml import etree
from partner_calls import NOW, SECRET, cut, partner, peer, seen, uuid
from soap_certificates import certificate
from ws_security import Pair, canonical

from canonical.errors import HubError, MisconfiguredError, RejectedError, UnavailableError
from canonical.periods import Period
from iec61968.bindings import BINDINGS, BindingName
from iec61968.editions import EDITIONS
from iec61968.message_client import Peer, exchange
from iec61968.nouns import get_meter_readings
from iec61968.nouns.get_meter_readings import GetMeterReadings
from iec61968.safe_xml import XmlLimits
from iec61968.samples import sample_message
from iec61968.spoken_nouns import NOUNS
from iec61968.wire import WireHeader, WireMessage, WirePayload, WireRequest

pytestmark = pytest.mark.slow
everywhere = pytest.mark.parametrize("binding", BINDINGS)
every_edition = pytest.mark.parametrize("edition", EDITIONS)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return certificate(tmp_path_factory.mktemp("partner"))


def question(edition: str = "2011") -> WireMessage:
    asked = GetMeterReadings(("up-1",), Period(NOW.replace(day=1), NOW), "inquiry")
    part = get_meter_readings.to_xml(asked, edition=EDITIONS[edition])
    return WireMessage(
        "request",
        WireHeader("get", "MeterReadings", uuid(1), uuid(2), NOW, source="AMIHUB"),
        "GetMeterReadings",
        WireRequest(parts=(part,)),
    )


def event(noun: str, edition: str) -> WireMessage:
    payload = sample_message(NOUNS[noun], kind="payload", edition=EDITIONS[edition], full=True)
    head = WireHeader("created", noun, uuid(3), uuid(4), NOW, source="AMIHUB")
    return WireMessage("event", head, f"Created{noun}", payload=WirePayload((payload,)))


@every_edition
@everywhere
def test_a_question_is_asked_and_answered_in_the_partners_own_way(
    tls: tuple[str, str], binding: BindingName, edition: str
) -> None:
    with partner(tls, readings_answer) as running:
        answer = exchange(
            peer(running, tls, binding, edition), question(edition), typed="GetMeterReadings", timeout_s=10
        )

    (asked,) = running.asked
    assert (asked.binding, edition_of(asked), asked.text("Verb")) == (binding, seen(binding, edition), "get")
    assert ("soapaction" in asked.headers) is (binding != "bare")
    assert answer.reply is not None
    assert answer.reply.result == "OK"
    (payload,) = answer.payload.parts
    assert [one.text for one in payload.iter("{*}value")] == ["7.250"]


@every_edition
@everywhere
@pytest.mark.parametrize("noun", ["EndDeviceEvents", "MasterDataLinkageConfig", "MeterConfig", "EndDeviceControls"])
def test_an_event_of_a_noun_is_told_whole(tls: tuple[str, str], noun: str, binding: BindingName, edition: str) -> None:
    message = event(noun, edition)
    with partner(tls) as running:
        answer = exchange(peer(running, tls, binding, edition), message, typed=noun, timeout_s=10)

    (asked,) = running.asked
    assert (asked.binding, edition_of(asked)) == (binding, seen(binding, edition))
    assert answer.reply is not None
    assert answer.reply.result == "OK"
    (came,) = asked.message.find("{*}Payload")
    assert canonical(came) == canonical(etree.fromstring(etree.tostring(message.payload.parts[0])))
    if binding == "typed":
        assert asked.headers["soapaction"].strip('"').endswith(f"/{noun}/Created{noun}")


def oversize(asked: Asked) -> Said:
    return Said(response(asked) + b" " * 300_000)


BROKEN: dict[str, tuple[Answer, type[HubError], str]] = {
    "client fault": (lambda a: Said(fault(a, "Client", "2.12"), 500), RejectedError, "PARTNER_REFUSED"),
    "fault that may pass": (lambda a: Said(fault(a, "Client", "5.1"), 500), UnavailableError, "PARTNER_AWAY"),
    "fault in an answer of status 200": (lambda a: Said(fault(a, "Client", "1.8")), RejectedError, "PARTNER_REFUSED"),
    "another correlation": (lambda a: Said(response(a, correlation=uuid(9))), RejectedError, "CORRELATION_MISMATCH"),
    "hung": (lambda _: Said(b"", wait_s=20), UnavailableError, "PARTNER_AWAY"),
    "cut": (cut, UnavailableError, "PARTNER_AWAY"),
    "oversize": (oversize, RejectedError, "MESSAGE_TOO_LARGE"),
    "not xml": (lambda _: Said(b"hello"), RejectedError, "NOT_XML"),
    "empty": (lambda _: Said(b""), RejectedError, "NOT_XML"),
    "document type": (lambda _: Said(b"<!DOCTYPE a []><a/>"), RejectedError, "DTD_REFUSED"),
    "not soap": (lambda _: Said(b"<a/>"), RejectedError, "NOT_SOAP"),
    "server error": (lambda _: Said(b"away", 503), UnavailableError, "PARTNER_AWAY"),
    "too many requests": (lambda _: Said(b"later", 429), UnavailableError, "PARTNER_AWAY"),
    "not found": (lambda _: Said(b"no", 404), RejectedError, "PARTNER_REFUSED"),
    "sent elsewhere": (
        lambda _: Said(b"", 302, {"Location": f"https://elsewhere.example/?{SECRET}"}),
        RejectedError,
        "PARTNER_REFUSED",
    ),
    "forbidden": (lambda _: Said(b"no", 403), MisconfiguredError, "WRONG_CREDENTIALS"),
}
"""How a partner fails, what is raised, and the name of the code."""


@everywhere
@pytest.mark.parametrize("case", BROKEN)
def test_whatever_a_partner_does_wrong_has_its_class_and_code(
    tls: tuple[str, str], case: str, binding: BindingName
) -> None:
    answer, kind, code = BROKEN[case]
    with partner(tls, answer) as running:
        own = replace(peer(running, tls, binding), limits=XmlLimits(total_bytes=200_000))
        own = replace(own, url=f"{own.url}?token={SECRET}")
        began = time.monotonic()
        with pytest.raises(HubError) as caught:
            exchange(own, question(), typed="GetMeterReadings", timeout_s=1.5)

    assert (type(caught.value), caught.value.code.name) == (kind, code), caught.value
    assert time.monotonic() - began < 10
    assert caught.value.where.removesuffix(":1") in ("", f"{running.base}/cim", "/"), caught.value.where
    assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.reason} {own!r}".replace(own.url, "")


@pytest.mark.parametrize("binding", ["typed", "generic"])
def test_a_server_fault_is_worth_another_try(tls: tuple[str, str], binding: BindingName) -> None:
    with partner(tls, lambda a: Said(fault(a, "Server", "5.3"), 500)) as running, pytest.raises(UnavailableError):
        exchange(peer(running, tls, binding), question(), typed="GetMeterReadings", timeout_s=5)


@everywhere
def test_a_packed_answer_is_read_and_a_failed_one_is_an_answer(tls: tuple[str, str], binding: BindingName) -> None:
    with partner(tls, gzipped) as running:
        assert exchange(peer(running, tls, binding), question(), typed="GetMeterReadings", timeout_s=5).reply
        running.answer = lambda asked: Said(response(asked, result="FAILED", errors=error("2.12", "unknown")))
        failed = exchange(peer(running, tls, binding), question(), typed="GetMeterReadings", timeout_s=5).reply

    assert failed is not None
    assert (failed.result, [(one.code, one.reason) for one in failed.errors]) == ("FAILED", [("2.12", "unknown")])


def test_an_answer_that_drips_is_given_up(tls: tuple[str, str]) -> None:
    def dripping(asked: Asked) -> Said:
        return replace(ok(asked), drip_s=0.3)

    with partner(tls, dripping) as running:
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            exchange(peer(running, tls), question(), typed="GetMeterReadings", timeout_s=2)

    assert time.monotonic() - began < 10


def test_credentials_and_certificates_that_are_wrong_stop_the_flow(tls: tuple[str, str], tmp_path: Path) -> None:
    other = Pair("127.0.0.1").files(tmp_path, "other")
    with partner(tls) as running:
        own = peer(running, tls)
        for wrong, code in (
            (replace(own, password="wrong"), "WRONG_CREDENTIALS"),
            (replace(own, ca_file=other[1]), "TLS_REFUSED"),
        ):
            with pytest.raises(MisconfiguredError) as caught:
                exchange(wrong, question(), typed="GetMeterReadings", timeout_s=5)
            assert caught.value.code.name == code
    with pytest.raises(UnavailableError):
        exchange(own, question(), typed="GetMeterReadings", timeout_s=5)


def test_a_partner_that_asks_for_a_certificate_gets_ours(tls: tuple[str, str], tmp_path: Path) -> None:
    hub = Pair("hub")
    key, cert = hub.files(tmp_path, "hub")
    both = tmp_path / "both.pem"
    both.write_bytes(Path(key).read_bytes() + Path(cert).read_bytes())
    with partner(tls, client_ca=cert) as running:
        own = peer(running, tls)
        assert exchange(
            replace(own, client_certificate=str(both)), question(), typed="GetMeterReadings", timeout_s=5
        ).reply
        with pytest.raises(HubError):
            exchange(own, question(), typed="GetMeterReadings", timeout_s=5)


@pytest.mark.parametrize("url", ["https://hub:word@partner.example/", "https://word@partner.example:8443?x=@"])
def test_an_address_with_a_user_in_it_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        Peer(url, EDITIONS["2011"])

    assert "word@" not in str(caught.value)
