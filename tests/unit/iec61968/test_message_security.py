"""Tokens, signatures and nonces: what is genuine is taken once, everything else is refused by code."""

import base64
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

from canonical.errors import RejectedError
from iec61968.editions import SOAP_11
from iec61968.security import Client, NonceCache, caller_of, password_digest, token_caller
from iec61968.signature import WSSE, WSU, sign, verify

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLIENTS = {"cis": Client("secret", "token"), "mdms": "right"}


def pair(name: str) -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        made.public_bytes(Encoding.PEM),
    )


PAIR, OTHER = pair("cis"), pair("other")


def envelope() -> etree._Element:
    return etree.fromstring(f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body><a xmlns="urn:x">1</a></s:Body></s:Envelope>')


def signed(keys: tuple[bytes, bytes] = PAIR) -> etree._Element:
    root = envelope()
    sign(root, key=keys[0], certificate=keys[1], now=NOW)
    return etree.fromstring(etree.tostring(root))


def check(root: etree._Element, nonces: NonceCache | None = None, now: datetime = NOW) -> None:
    verify(root, certificate=PAIR[1], client="cis", nonces=nonces or NonceCache(), now=now)


def code(root: etree._Element, now: datetime = NOW) -> str:
    with pytest.raises(RejectedError) as caught:
        check(root, now=now)
    return str(caught.value.code)


def test_what_the_pinned_key_signed_is_taken_and_only_once() -> None:
    root, nonces = signed(), NonceCache()

    check(root, nonces)

    with pytest.raises(RejectedError, match="came before"):
        check(root, nonces)


def test_another_key_a_changed_body_and_an_old_stamp_are_refused() -> None:
    changed = signed()
    changed[1][0].text = "2"

    assert code(signed(OTHER)) == "1144 SIGNATURE_REFUSED"
    assert code(changed) == "1144 SIGNATURE_REFUSED"
    assert code(envelope()) == "1144 SIGNATURE_REFUSED"
    assert code(signed(), NOW + timedelta(minutes=6)) == "1143 MESSAGE_REPLAYED"


def test_a_signed_body_that_was_moved_away_does_not_vouch_for_another() -> None:
    same_id, other_id, no_id = signed(), signed(), signed()
    for root, identity in ((same_id, "body"), (other_id, "other"), (no_id, "")):
        body = root[1]
        etree.SubElement(root[0], "{urn:x}Wrapper").append(deepcopy(body))
        body[0].text = "evil"
        body.attrib.clear()
        if identity:
            body.set(f"{{{WSU}}}Id", identity)

    assert {code(root) for root in (same_id, other_id, no_id)} == {"1144 SIGNATURE_REFUSED"}


def token(nonce: bytes = b"n-1", word: str = "secret", kind: str = "#PasswordDigest") -> etree._Element:
    created = "2026-03-02T12:00:00Z"
    digest = password_digest(word, nonce, created)
    return etree.fromstring(
        f'<Security xmlns="{WSSE}"><UsernameToken><Username>cis</Username>'
        f'<Password Type="urn:x{kind}">{digest}</Password><Nonce>{base64.b64encode(nonce).decode()}</Nonce>'
        f'<Created xmlns="{WSU}">{created}</Created></UsernameToken></Security>'
    )


def test_a_digest_token_proves_its_user_once_inside_its_window() -> None:
    nonces = NonceCache()

    assert token_caller(token(), CLIENTS, nonces, now=NOW) == "cis"
    assert token_caller(token(b"n-2"), CLIENTS, nonces, now=NOW) == "cis"
    for wrong, now in (
        (token(), NOW),
        (token(b"n-3"), NOW + timedelta(minutes=6)),
        (token(b"n-3", "guess"), NOW),
        (token(b"n-3", kind="#PasswordText"), NOW),
    ):
        with pytest.raises(RejectedError):
            token_caller(wrong, CLIENTS, nonces, now=now)


def test_a_password_alone_does_not_prove_a_caller_of_a_higher_tier() -> None:
    def basic(user: str, password: str) -> str:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    assert caller_of(basic("mdms", "right"), CLIENTS) == "mdms"
    assert caller_of(basic("cis", "secret"), CLIENTS) is None
    assert caller_of(basic("nobody", ""), {"nobody": Client("")}) is None
