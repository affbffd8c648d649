"""The UsernameToken that we show: a password digest with a fresh nonce (OASIS UsernameToken Profile 1.1)."""

import base64
import secrets
from datetime import UTC, datetime

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968.editions import SOAP_11
from iec61968.security import password_digest
from iec61968.signature import WSSE, WSU

_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_DIGEST = f"{_PROFILE}-username-token-profile-1.0#PasswordDigest"
_BASE64 = f"{_PROFILE}-soap-message-security-1.0#Base64Binary"


def add_token(envelope: etree._Element, *, user: str, password: str, now: datetime) -> None:
    """Add a token to a SOAP envelope in place; `now` is machine time.

    Raises:
        RejectedError: it is no SOAP envelope.
    """
    body = envelope.find(f"{{{SOAP_11}}}Body")
    if body is None:
        raise RejectedError("no Body to send a token with", code=codes.EXPORT_IMPOSSIBLE, where="/Envelope")
    head = envelope.find(f"{{{SOAP_11}}}Header")
    if head is None:
        head = etree.Element(f"{{{SOAP_11}}}Header")
        envelope.insert(0, head)
    nonce = secrets.token_bytes(16)
    created = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    security = etree.SubElement(head, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE, "wsu": WSU})
    security.set(f"{{{SOAP_11}}}mustUnderstand", "1")
    token = etree.SubElement(security, f"{{{WSSE}}}UsernameToken")
    etree.SubElement(token, f"{{{WSSE}}}Username").text = user
    digest = etree.SubElement(token, f"{{{WSSE}}}Password", Type=_DIGEST)
    digest.text = password_digest(password, nonce, created)
    etree.SubElement(token, f"{{{WSSE}}}Nonce", EncodingType=_BASE64).text = base64.b64encode(nonce).decode("ascii")
    etree.SubElement(token, f"{{{WSU}}}Created").text = created
