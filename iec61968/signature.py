"""X.509 signatures of SOAP messages (WS-Security 1.1): SHA-256, a pinned certificate; only what was signed counts."""

import base64
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968.editions import SOAP_11
from iec61968.envelope import child_text, local_name
from iec61968.security import NonceCache

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
WSSE = f"{_OASIS}-wssecurity-secext-1.0.xsd"
WSU = f"{_OASIS}-wssecurity-utility-1.0.xsd"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
_X509 = f"{_OASIS}-x509-token-profile-1.0#X509v3"
_BASE64 = f"{_OASIS}-soap-message-security-1.0#Base64Binary"
_ID = f"{{{WSU}}}Id"
_METHODS = frozenset((SignatureMethod.RSA_SHA256, SignatureMethod.ECDSA_SHA256))
_WHERE = "/Envelope/Header/Security/Signature"


def sign(envelope: etree._Element, *, key: bytes, certificate: bytes, now: datetime, valid_s: int = 300) -> None:
    """Sign Body and a fresh Timestamp of a SOAP envelope in place, with SHA-256 and an RSA or EC key; both are PEM."""
    body = envelope.find(f"{{{SOAP_11}}}Body")
    if body is None:
        raise RejectedError("no Body to sign", code=codes.EXPORT_IMPOSSIBLE, where="/Envelope")
    head = envelope.find(f"{{{SOAP_11}}}Header")
    if head is None:
        head = etree.Element(f"{{{SOAP_11}}}Header")
        envelope.insert(0, head)
    security = etree.SubElement(head, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE, "wsu": WSU})
    security.set(f"{{{SOAP_11}}}mustUnderstand", "1")
    token = etree.SubElement(security, f"{{{WSSE}}}BinarySecurityToken", EncodingType=_BASE64, ValueType=_X509)
    token.set(_ID, "token")
    shown = x509.load_pem_x509_certificate(certificate)
    token.text = base64.b64encode(shown.public_bytes(Encoding.DER)).decode("ascii")
    stamp = etree.SubElement(security, f"{{{WSU}}}Timestamp")
    stamp.set(_ID, "timestamp")
    body.set(_ID, "body")
    for name, instant in (("Created", now), ("Expires", now + timedelta(seconds=valid_s))):
        text = instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        etree.SubElement(stamp, f"{{{WSU}}}{name}").text = text
    info = etree.Element(f"{{{DSIG}}}KeyInfo", nsmap={"ds": DSIG})
    reference = etree.SubElement(info, f"{{{WSSE}}}SecurityTokenReference")
    etree.SubElement(reference, f"{{{WSSE}}}Reference", URI="#token", ValueType=_X509)
    is_curve = isinstance(shown.public_key(), EllipticCurvePublicKey)
    signer = XMLSigner(
        method=SignatureConstructionMethod.detached,
        signature_algorithm=SignatureMethod.ECDSA_SHA256 if is_curve else SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    made = signer.sign(
        envelope, key=key, cert=certificate.decode(), reference_uri=["#body", "#timestamp"], key_info=info
    )
    security.append(made)


def is_certificate(pem: bytes) -> bool:
    """Return whether a PEM text is a certificate that a signature can be held against."""
    try:
        x509.load_pem_x509_certificate(pem)
    except ValueError:
        return False
    return True


def verify(envelope: etree._Element, *, certificate: bytes, client: str, nonces: NonceCache, now: datetime) -> None:
    """Check that the Body which will be read, and a fresh Timestamp, are signed with the key of the pinned certificate.

    The certificate that the message shows is not asked: only the pinned one (PEM) counts. `now` is machine time.

    Raises:
        RejectedError: no signature or more than one, other algorithms, a wrong value, a certificate out of its time,
            the signed elements are not the ones that are read (SIGNATURE_REFUSED), or it was seen (MESSAGE_REPLAYED).
    """
    signatures = list(envelope.iter(f"{{{DSIG}}}Signature"))
    security = envelope.find(f"{{{SOAP_11}}}Header/{{{WSSE}}}Security")
    if len(signatures) != 1 or security is None or signatures[0].getparent() is not security:
        raise _refused("not exactly one Signature in the Security header")
    stamp, wanted = _covered(envelope, security, signatures[0])
    pinned = x509.load_pem_x509_certificate(certificate)
    if not pinned.not_valid_before_utc <= now <= pinned.not_valid_after_utc:
        raise _refused("the pinned certificate is out of its time")
    config = SignatureConfiguration(
        require_x509=True,
        expect_references=wanted,
        signature_methods=_METHODS,
        digest_algorithms=frozenset((DigestAlgorithm.SHA256,)),
        ignore_ambiguous_key_info=False,
    )
    try:
        XMLVerifier().verify(envelope, x509_cert=pinned, expect_config=config, id_attribute="Id")
    except (SignXMLException, ValueError, LookupError, etree.LxmlError) as error:
        raise _refused(type(error).__name__) from error
    value = "".join(child_text(signatures[0], "SignatureValue").split())
    created, expires = _instant(stamp, "Created"), _instant(stamp, "Expires")
    if now > expires:
        raise RejectedError("the Timestamp has expired", code=codes.MESSAGE_REPLAYED, where=_WHERE)
    nonces.take(client, f"signature {value}", created, now=now, where=_WHERE)


def _covered(
    envelope: etree._Element, security: etree._Element, signature: etree._Element
) -> tuple[etree._Element, int]:
    """Return the Timestamp and the number of references, if these name exactly the elements that are read.

    Signature wrapping moves what was signed to where nobody reads it. So ids must be unique in the whole document,
    and the Body of this envelope and the Timestamp of this header must be among what they name.
    """
    values = [v for e in envelope.iter() for k, v in e.attrib.items() if str(k).rpartition("}")[2].lower() == "id"]
    if len(set(values)) != len(values):
        raise _refused("an Id comes twice")
    uris = [node.get("URI", "") for node in signature.iterfind(f"{{{DSIG}}}SignedInfo/{{{DSIG}}}Reference")]
    bodies = envelope.findall(f"{{{SOAP_11}}}Body")
    stamps = [child for child in security if local_name(child) == "Timestamp"]
    if len(bodies) != 1 or len(stamps) != 1 or len(set(uris)) != len(uris):
        raise _refused("not one Body and one Timestamp")
    for one in (bodies[0], stamps[0]):
        if not one.get(_ID) or f"#{one.get(_ID)}" not in uris:
            raise _refused(f"{local_name(one)} is not signed")
    allowed = {f"{CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0.value}"}
    used = {node.get("Algorithm", "") for node in signature.iter(f"{{{DSIG}}}Transform")}
    if not used <= allowed:
        raise _refused("a transform other than exclusive canonicalization")
    return stamps[0], len(uris)


def _instant(stamp: etree._Element, name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(child_text(stamp, name))
        found = instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _refused(f"Timestamp/{name} is no instant") from error
    if instant.tzinfo is None:
        raise _refused(f"Timestamp/{name} has no offset")
    return found


def _refused(reason: str) -> RejectedError:
    return RejectedError(reason, code=codes.SIGNATURE_REFUSED, where=_WHERE)
