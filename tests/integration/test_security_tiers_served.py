"""Who may call a running hub: TLS, client certificates, Basic, digest tokens, signatures, ReplayDetection."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cim_hub import cim_hub
from lxml import etree
from security_tiers import Tiers, basic, message, now, running_tiers
from ws_security import Pair, signed, stamp, username_token, with_security

from iec61968.signature import sign

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def tiers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    with running_tiers(tmp_path_factory.mktemp("tiers")) as running:
        yield running


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
