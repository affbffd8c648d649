"""WS-Security as a partner writes it: tokens, X.509 signatures, certificates; by hand, without code of the hub."""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
WSSE, WSU = f"{OASIS}-wssecurity-secext-1.0.xsd", f"{OASIS}-wssecurity-utility-1.0.xsd"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ALGORITHMS: dict[str, tuple[str, str, str]] = {
    "sha256": (
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "sha256",
    ),
    "sha1": (f"{DSIG}rsa-sha1", f"{DSIG}sha1", "sha1"),
    "hmac": ("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "http://www.w3.org/2001/04/xmlenc#sha256", "sha256"),
}
_HASHES: dict[str, Any] = {"sha256": hashes.SHA256(), "sha1": hashes.SHA1()}  # noqa: S303 - what must be refused


class Pair:
    """An RSA key and the certificate that goes with it, also as files."""

    def __init__(self, name: str, *, issuer: "Pair | None" = None, days: int = 30) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        start = datetime.now(UTC) - timedelta(days=2)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer or self).key.public_key()), critical=False
            )
        )
        self.certificate: x509.Certificate = made.sign((issuer or self).key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def files(self, folder: Path, name: str) -> tuple[str, str]:
        """Write key file and certificate file and return their names."""
        folder.mkdir(parents=True, exist_ok=True)
        key, certificate = folder / f"{name}.key.pem", folder / f"{name}.pem"
        key.write_bytes(self.key_pem)
        certificate.write_bytes(self.pem)
        return str(key), str(certificate)


def stamp(instant: datetime) -> str:
    """Return an instant as WS-Security writes it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def with_security(envelope: bytes, inside: str) -> bytes:
    """Return an envelope with a Security header that holds some XML."""
    header = f'<s:Header xmlns:s="{SOAP}"><o:Security xmlns:o="{WSSE}" xmlns:u="{WSU}">{inside}</o:Security></s:Header>'
    return envelope.replace(b"<s:Body", header.encode() + b"<s:Body", 1)


def username_token(
    user: str, password: str, *, nonce: bytes = b"", created: datetime | None = None, kind: str = "PasswordDigest"
) -> str:
    """Return a UsernameToken (OASIS UsernameToken Profile 1.1)."""
    nonce, created_text = nonce or secrets.token_bytes(16), stamp(created or datetime.now(UTC))
    digest = hashlib.sha1(nonce + created_text.encode() + password.encode()).digest()  # noqa: S324 - the profile's
    said = base64.b64encode(digest).decode() if kind == "PasswordDigest" else password
    profile = f"{OASIS}-username-token-profile-1.0#{kind}"
    return (
        f'<o:UsernameToken><o:Username>{user}</o:Username><o:Password Type="{profile}">{said}</o:Password>'
        f'<o:Nonce EncodingType="{OASIS}-soap-message-security-1.0#Base64Binary">{base64.b64encode(nonce).decode()}'
        f"</o:Nonce><u:Created>{created_text}</u:Created></o:UsernameToken>"
    )


def canonical(element: Any) -> bytes:
    """Return an element in exclusive canonical form."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def signed(
    envelope: bytes,
    pair: Pair,
    *,
    algorithm: str = "sha256",
    covers: tuple[str, ...] = ("body", "stamp"),
    created: datetime | None = None,
    shown: Pair | None = None,
) -> Any:
    """Return the root of an envelope whose parts are signed with a key; `shown` is the certificate in the token."""
    method, digest_method, name = ALGORITHMS[algorithm]
    begin = created or datetime.now(UTC)
    token = base64.b64encode((shown or pair).certificate.public_bytes(serialization.Encoding.DER)).decode()
    root: Any = etree.fromstring(
        with_security(
            envelope,
            f'<o:BinarySecurityToken u:Id="token" ValueType="{OASIS}-x509-token-profile-1.0#X509v3" '
            f'EncodingType="{OASIS}-soap-message-security-1.0#Base64Binary">{token}</o:BinarySecurityToken>'
            f'<u:Timestamp u:Id="stamp"><u:Created>{stamp(begin)}</u:Created>'
            f"<u:Expires>{stamp(begin + timedelta(minutes=5))}</u:Expires></u:Timestamp>",
        )
    )
    root.find(f"{{{SOAP}}}Body").set(f"{{{WSU}}}Id", "body")
    security = root.find(f"{{{SOAP}}}Header/{{{WSSE}}}Security")
    references = "".join(
        f'<d:Reference URI="#{one}"><d:Transforms><d:Transform Algorithm="{C14N}"/></d:Transforms>'
        f'<d:DigestMethod Algorithm="{digest_method}"/><d:DigestValue>{_digest(root, one, name)}</d:DigestValue>'
        "</d:Reference>"
        for one in covers
    )
    security.append(
        etree.fromstring(
            f'<d:Signature xmlns:d="{DSIG}"><d:SignedInfo><d:CanonicalizationMethod Algorithm="{C14N}"/>'
            f'<d:SignatureMethod Algorithm="{method}"/>{references}</d:SignedInfo><d:SignatureValue/><d:KeyInfo>'
            f'<o:SecurityTokenReference xmlns:o="{WSSE}"><o:Reference URI="#token"/></o:SecurityTokenReference>'
            "</d:KeyInfo></d:Signature>"
        )
    )
    info, value = security[-1][0], security[-1][1]
    value.text = base64.b64encode(_sign(canonical(info), pair, algorithm, name)).decode()
    return root


def _digest(root: Any, identifier: str, name: str) -> str:
    (element,) = root.xpath("//*[@u:Id=$one]", namespaces={"u": WSU}, one=identifier)
    return base64.b64encode(hashlib.new(name, canonical(element)).digest()).decode()


def _sign(data: bytes, pair: Pair, algorithm: str, name: str) -> bytes:
    if algorithm == "hmac":  # the public certificate as secret: a known confusion
        return hmac.digest(pair.pem, data, "sha256")
    return pair.key.sign(data, padding.PKCS1v15(), _HASHES[name])
