"""Who may call a running hub: TLS, client certificates, Basic, digest tokens, signatures, ReplayDetection."""

import base64
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cim_hub import CimHub, cim_hub
from lxml import etree
from ws_security import SOAP, WSSE, WSU, Pair, signed, stamp, username_token, with_security

from iec61968.signature import sign

pytestmark = pytest.mark.servers

MESSAGE, ENVELOPE = "http://iec.ch/TC57/2011/MeterReadingsMessage", "http://iec.ch/TC57/2011/schema/message"
SITE = """
[serve.clients.plain]
password = "right"
[serve.clients.tokens]
password = "env:TOKEN_WORD"
tier = "token"
[serve.clients.signer]
tier = "signature"
certificate = "{certificate}"
[serve.clients.careful]
password = "careful-word"
replay_detection = true
[serve.clients.loose]
password = "right"
policy = "report"
"""
NUMBERS = count(1)
REFUSED = {"credentials": "1112 WRONG_CREDENTIALS", "replay": "1143 MESSAGE_REPLAYED", "signature": "1144 SIGNATURE"}


def now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


def message(*, header: str = "", verb: str = "created") -> bytes:
    """Return an envelope with an empty MeterReadings under a new id."""
    number = f"11111111-2222-3333-4444-{next(NUMBERS):012}"
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><{verb.capitalize()}MeterReadings xmlns="{MESSAGE}" '
        f'xmlns:e="{ENVELOPE}"><Header><e:Verb>{verb}</e:Verb><e:Noun>MeterReadings</e:Noun>{header}'
        f"<e:Timestamp>2026-03-02T12:00:00Z</e:Timestamp><e:MessageID>{number}</e:MessageID>"
        f"<e:CorrelationID>{number}</e:CorrelationID></Header><Payload>"
        '<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#"/></Payload>'
        f"</{verb.capitalize()}MeterReadings></s:Body></s:Envelope>"
    ).encode()


def basic(user: str, password: str) -> str:
    """Return an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class Tiers:
    """A running hub and who calls it."""

    hub: CimHub
    signer: Pair

    def call(self, body: bytes | Any, authorization: str = "", *, tls: ssl.SSLContext | None = None) -> tuple[int, str]:
        """Return status and text of the answer."""
        raw = body if isinstance(body, bytes) else etree.tostring(body)
        headers = {"Content-Type": "text/xml; charset=utf-8"} | (
            {"Authorization": authorization} if authorization else {}
        )
        line = http.client.HTTPSConnection("127.0.0.1", self.hub.port, timeout=60, context=tls or self.hub.tls())
        try:
            line.request("POST", "/cim/ReceiveMeterReadings", raw, headers)
            answer = line.getresponse()
            return answer.status, answer.read().decode()
        finally:
            line.close()

    def taken(self, body: bytes | Any, authorization: str = "") -> None:
        """Check that a message is taken."""
        status, text = self.call(body, authorization)
        assert (status, "Result>OK<" in text) == (200, True), text

    def refused(self, why: str, body: bytes | Any, authorization: str = "") -> None:
        """Check that a message is refused by its code, archived and without effect."""
        archived, before = self.hub.archive(), self.hub.effects()
        status, text = self.call(body, authorization)
        assert (status, REFUSED[why] in text) == (401, True), text
        (new,) = [row for entry, row in self.hub.archive().items() if entry not in archived]
        assert (new[1], new[2][: len(REFUSED[why])]) == ("parked", REFUSED[why])
        assert self.hub.effects() == before


@pytest.fixture(scope="module")
def tiers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    folder = tmp_path_factory.mktemp("tiers")
    signer = Pair("signer")
    _, file = signer.files(folder, "signer")
    server = Pair("127.0.0.1").files(folder, "server")
    with cim_hub(folder / "site", server, SITE.format(certificate=file), TOKEN_WORD="token-word") as hub:
        yield Tiers(hub, signer)


def test_basic_is_good_for_those_callers_alone_who_use_it(tiers: Tiers) -> None:
    tiers.taken(message(), basic("plain", "right"))
    for user, word in (("plain", "wrong"), ("nobody", "right"), ("tokens", "token-word"), ("signer", "")):
        tiers.refused("credentials", message(), basic(user, word))
    tiers.refused("credentials", message())


def test_a_digest_token_is_good_once_and_in_its_time(tiers: Tiers) -> None:
    token = username_token("tokens", "token-word")

    tiers.taken(with_security(message(), token))
    tiers.refused("replay", with_security(message(), token))
    for age in (timedelta(minutes=-6), timedelta(minutes=6)):
        tiers.refused("replay", with_security(message(), username_token("tokens", "token-word", created=now() + age)))


@pytest.mark.parametrize(
    ("user", "word", "kind"),
    [
        ("tokens", "wrong", "PasswordDigest"),
        ("tokens", "token-word", "PasswordText"),
        ("nobody", "token-word", "PasswordDigest"),
        ("plain", "right", "PasswordDigest"),
    ],
)
def test_a_token_that_proves_nothing_is_refused(tiers: Tiers, user: str, word: str, kind: str) -> None:
    tiers.refused("credentials", with_security(message(), username_token(user, word, kind=kind)))


@pytest.mark.parametrize("part", ["Nonce", "Created", "Password", "Username"])
def test_a_token_without_a_part_of_it_is_refused(tiers: Tiers, part: str) -> None:
    root = etree.fromstring(with_security(message(), username_token("tokens", "token-word")))
    (found,) = root.iter(f"{{*}}{part}")
    parent: Any = found.getparent()
    parent.remove(found)

    tiers.refused("credentials", root)


def test_what_the_pinned_key_signed_is_taken_once(tiers: Tiers) -> None:
    root = signed(message(), tiers.signer)

    tiers.taken(root)
    tiers.refused("replay", root)


def test_what_our_own_client_signs_is_taken(tiers: Tiers) -> None:
    root = etree.fromstring(message())
    sign(root, key=tiers.signer.key_pem, certificate=tiers.signer.pem, now=now())

    tiers.taken(root)


@pytest.mark.parametrize("age", [timedelta(minutes=-6), timedelta(minutes=6)])
def test_a_signature_out_of_its_time_is_refused(tiers: Tiers, age: timedelta) -> None:
    tiers.refused("replay", signed(message(), tiers.signer, created=now() + age))


@pytest.mark.parametrize("algorithm", ["sha1", "hmac"])
def test_weak_or_confused_algorithms_are_refused(tiers: Tiers, algorithm: str) -> None:
    tiers.refused("signature", signed(message(), tiers.signer, algorithm=algorithm))


@pytest.mark.parametrize("covers", [("body",), ("stamp",), ("stamp", "token")])
def test_a_signature_that_does_not_cover_body_and_timestamp_is_refused(tiers: Tiers, covers: tuple[str, ...]) -> None:
    tiers.refused("signature", signed(message(), tiers.signer, covers=covers))


def test_another_certificate_is_refused_whatever_it_shows(tiers: Tiers) -> None:
    other = Pair("signer")

    tiers.refused("signature", signed(message(), other))
    tiers.refused("signature", signed(message(), other, shown=tiers.signer))


def moved(root: Any, place: Callable[[Any, Any], None], identifier: str | None) -> Any:
    """Return a signed envelope whose Body was moved away, and an unsigned one put where the Body is read."""
    body = root.find(f"{{{SOAP}}}Body")
    evil, own = deepcopy(body), deepcopy(body)
    (fresh,) = evil.iter("{*}MessageID")
    fresh.text = "99999999-2222-3333-4444-555555555555"
    evil.attrib.clear()
    if identifier is not None:
        evil.set(f"{{{WSU}}}Id", identifier)
    root.replace(body, evil)
    place(root, own)
    return root


def _in_header(root: Any, body: Any) -> None:
    etree.SubElement(root[0], "{urn:x}Wrapper").append(body)


def _in_security(root: Any, body: Any) -> None:
    root.find(f"{{{SOAP}}}Header/{{{WSSE}}}Security").append(body)


def _in_signature(root: Any, body: Any) -> None:
    (found,) = root.iter("{http://www.w3.org/2000/09/xmldsig#}Signature")
    etree.SubElement(found, "{http://www.w3.org/2000/09/xmldsig#}Object").append(body)


def _in_header_of_its_own(root: Any, body: Any) -> None:
    root.insert(1, etree.Element(f"{{{SOAP}}}Header"))
    root[1].append(body)


def _behind(root: Any, body: Any) -> None:
    root.append(body)


def _before(root: Any, body: Any) -> None:
    root.insert(1, body)


def _in_the_body(root: Any, body: Any) -> None:
    root.find(f"{{{SOAP}}}Body").append(body)


PLACES = (_in_header, _in_security, _in_signature, _in_header_of_its_own, _behind, _before, _in_the_body)


@pytest.mark.parametrize("identifier", [None, "body", "other"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__.strip("_"))
def test_a_signed_body_that_was_moved_away_does_not_vouch_for_another(
    tiers: Tiers, place: Callable[[Any, Any], None], identifier: str | None
) -> None:
    tiers.refused("signature", moved(signed(message(), tiers.signer), place, identifier))


def test_an_old_signed_timestamp_does_not_hide_behind_a_fresh_one(tiers: Tiers) -> None:
    root = signed(message(), tiers.signer, created=now() - timedelta(minutes=30))
    (old,) = root.iter(f"{{{WSU}}}Timestamp")
    fresh = deepcopy(old)
    for name, at in (("Created", now()), ("Expires", now() + timedelta(minutes=5))):
        fresh.find(f"{{{WSU}}}{name}").text = stamp(at)
    security = old.getparent()
    security.replace(old, fresh)
    etree.SubElement(root[0], "{urn:x}Wrapper").append(old)
    tiers.refused("signature", root)

    fresh.set(f"{{{WSU}}}Id", "fresh")
    tiers.refused("signature", root)


def test_an_altered_body_and_a_second_signature_are_refused(tiers: Tiers) -> None:
    altered, doubled = signed(message(), tiers.signer), signed(message(), tiers.signer)
    (noun,) = altered.iter("{*}Comment", "{*}Noun")
    noun.text = "MeterReadings "
    (signature,) = doubled.iter("{http://www.w3.org/2000/09/xmldsig#}Signature")
    signature.getparent().append(deepcopy(signature))

    tiers.refused("signature", altered)
    tiers.refused("signature", doubled)


def test_no_password_opens_what_needs_a_signature(tiers: Tiers) -> None:
    tiers.refused("credentials", with_security(message(), username_token("signer", "")))
    tiers.refused("credentials", message(), basic("signer", "token-word"))


def replay(nonce: str, created: str) -> str:
    """Return a ReplayDetection."""
    inside = f"<e:Nonce>{nonce}</e:Nonce><e:Created>{created}</e:Created>"
    return f"<e:ReplayDetection>{inside}</e:ReplayDetection>"


def test_replay_detection_is_asked_of_who_must_give_it(tiers: Tiers) -> None:
    careful = basic("careful", "careful-word")

    tiers.taken(message(header=replay("n-1", stamp(now()))), careful)
    tiers.refused("replay", message(header=replay("n-1", stamp(now()))), careful)
    tiers.refused("replay", message(header=replay("n-2", stamp(now() - timedelta(minutes=6)))), careful)
    tiers.refused("replay", message(), careful)
    tiers.taken(message(header=replay("n-1", stamp(now()))), basic("plain", "right"))


def test_an_element_behind_the_body_is_refused_or_where_the_site_says_so_reported(tiers: Tiers) -> None:
    def stray() -> bytes:
        return message().replace(b"</s:Envelope>", b'<x xmlns="urn:x"/></s:Envelope>')

    _, text = tiers.call(stray(), basic("plain", "right"))
    assert "1106 NOT_SOAP" in text
    tiers.taken(stray(), basic("loose", "right"))
    assert "first at /Envelope/x" in tiers.hub.log


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_of_tls_are_not_spoken(tiers: Tiers, version: ssl.TLSVersion) -> None:
    context = tiers.hub.tls()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = context.maximum_version = version

    with pytest.raises((ssl.SSLError, ConnectionError)):
        tiers.call(message(), basic("plain", "right"), tls=context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_present_versions_of_tls_are_spoken(tiers: Tiers, version: ssl.TLSVersion) -> None:
    context = tiers.hub.tls()
    context.minimum_version = context.maximum_version = version

    assert tiers.call(message(), basic("plain", "right"), tls=context)[0] == 200


def test_with_a_client_authority_only_its_certificates_come_in(tmp_path: Path) -> None:
    authority, foreign = Pair("authority"), Pair("foreign")
    server = Pair("127.0.0.1").files(tmp_path, "server")
    _, authority_file = authority.files(tmp_path, "authority")
    good = Pair("cis", issuer=authority).files(tmp_path, "good")
    late = Pair("cis", issuer=authority, days=1).files(tmp_path, "late")
    bad = Pair("cis", issuer=foreign).files(tmp_path, "bad")
    more = f'client_ca = "{authority_file}"\n[serve.clients.plain]\npassword = "right"\n'

    with cim_hub(tmp_path / "site", server, more) as hub:
        tiers = Tiers(hub, authority)
        assert tiers.call(message(), basic("plain", "right"), tls=hub.tls(certificate=good))[0] == 200
        assert tiers.call(message(), basic("plain", "wrong"), tls=hub.tls(certificate=good))[0] == 401
        before = hub.archive()
        for context in (hub.tls(), hub.tls(certificate=bad), hub.tls(certificate=late)):
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                tiers.call(message(), basic("plain", "right"), tls=context)
        assert hub.archive() == before


def test_plain_http_is_not_answered(tiers: Tiers) -> None:
    with socket.create_connection(("127.0.0.1", tiers.hub.port), timeout=10) as line:
        line.sendall(b"GET /cim/ReceiveMeterReadings?wsdl HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert not line.recv(100).startswith(b"HTTP/1.1 200")
