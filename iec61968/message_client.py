"""Calling a partner in any of the four bindings: one message out, one message back, over TLS."""

from dataclasses import dataclass, field
from datetime import datetime

import requests
from lxml import etree

from canonical.codes import message as codes
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from iec61968 import safe_xml, signature, validation
from iec61968.bindings import BindingName, StringOperation, unwrap_tree, wrap
from iec61968.dialects.reply_codes import is_retryable
from iec61968.editions import SOAP_11, Edition
from iec61968.message_codec import message_from_xml
from iec61968.message_writer import message_to_xml
from iec61968.safe_xml import XmlLimits
from iec61968.security import Tier
from iec61968.soap import SoapFault, fault_from_xml
from iec61968.username_token import add_token
from iec61968.validation import Policy
from iec61968.wire import WireMessage


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a partner is, how it is spoken to, and how we prove ourselves."""

    url: str
    edition: Edition
    binding: BindingName = "typed"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    """PEM of the certificates that may vouch for it; empty: the machine's own."""

    client_certificate: str = ""
    """PEM file with certificate and key that we show (mTLS); empty: none."""

    signing_key: bytes = field(default=b"", repr=False)
    signing_certificate: bytes = b""
    """PEM; both given, SOAP messages are signed."""

    tier: Tier = "basic"
    """With `token`, a UsernameToken stands in for HTTP Basic in SOAP messages."""

    operation: StringOperation = field(default_factory=StringOperation)
    policy: Policy = "strict"
    limits: XmlLimits = field(default_factory=XmlLimits)


def exchange(
    peer: Peer, message: WireMessage, *, typed: str = "", timeout_s: float, machine_now: datetime | None = None
) -> WireMessage:
    """Send a message and return the answer; `typed` is the noun of its typed messages.

    Raises:
        RejectedError: what we would send is invalid, or the answer is a refusal, invalid or not one to this message.
        UnavailableError: no answer, a server error, or a refusal that may pass.
        MisconfiguredError: the partner's certificate is not the pinned one, or it refuses our credentials.
    """
    if message.header is None:
        raise RejectedError("a message to send needs a Header", code=codes.EXPORT_IMPOSSIBLE)
    root = message_to_xml(message, edition=peer.edition, typed=typed if peer.binding == "typed" else "")
    validation.require_valid(root, peer.edition, where="message to send")
    action = peer.edition.soap_action(typed, message.name) if peer.binding == "typed" else ""
    answer = answer_of(post(peer, root, action=action, timeout_s=timeout_s, machine_now=machine_now), peer)
    if answer.header is not None and answer.header.correlation_id != message.header.correlation_id:
        raise RejectedError("the answer is to another message", code=codes.CORRELATION_MISMATCH, where=peer.url)
    return answer


def post(
    peer: Peer, root: etree._Element, *, action: str = "", timeout_s: float, machine_now: datetime | None = None
) -> bytes:
    """Send a message element in the partner's binding; return the body that answers, whatever its status below 500.

    Raises:
        UnavailableError: no answer in time, or a server error without XML.
        MisconfiguredError: the certificate is not the pinned one, or our credentials are refused.
        RejectedError: a refusal without XML, or an answer beyond the limit.
    """
    body = wrap(root, peer.binding, operation=peer.operation)
    if peer.signing_key and peer.binding != "bare" and machine_now is not None:
        envelope = safe_xml.parse(body)
        signature.sign(envelope, key=peer.signing_key, certificate=peer.signing_certificate, now=machine_now)
        body = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
    if peer.tier == "token" and peer.binding != "bare" and machine_now is not None:
        envelope = safe_xml.parse(body)
        add_token(envelope, user=peer.user, password=peer.password, now=machine_now)
        body = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    if peer.binding != "bare":
        headers["SOAPAction"] = f'"{action}"'
    try:
        with requests.Session() as session:
            session.trust_env = False
            response = session.post(
                peer.url,
                data=body,
                headers=headers,
                auth=(peer.user, peer.password) if peer.user and peer.tier != "token" else None,
                verify=peer.ca_file or True,
                cert=peer.client_certificate or None,
                timeout=(min(10.0, timeout_s), timeout_s),
                allow_redirects=False,
                stream=True,
            )
            with response:
                return _content(response, peer)
    except requests.exceptions.SSLError as error:
        raise MisconfiguredError(str(error), code=codes.TLS_REFUSED, where=peer.url) from error
    except (requests.RequestException, OSError) as error:
        raise UnavailableError(type(error).__name__, code=codes.PARTNER_AWAY, where=peer.url) from error


def _content(response: requests.Response, peer: Peer) -> bytes:
    """Return the body of an answer, bounded."""
    status = response.status_code
    if status in (401, 403):
        raise MisconfiguredError(f"HTTP {status}", code=codes.WRONG_CREDENTIALS, where=peer.url)
    data = bytearray()
    for chunk in response.iter_content(65_536):
        data += chunk
        if len(data) > peer.limits.total_bytes:
            raise RejectedError("the answer is too large", code=codes.MESSAGE_TOO_LARGE, where=peer.url)
    if status != 200 and not data.lstrip().startswith(b"<"):
        if status >= 500 or status in (408, 429):
            raise UnavailableError(f"HTTP {status}", code=codes.PARTNER_AWAY, where=peer.url)
        raise RejectedError(f"HTTP {status}", code=codes.PARTNER_REFUSED, where=peer.url)
    return bytes(data)


def answer_of(raw: bytes, peer: Peer) -> WireMessage:
    """Return the message that answers.

    Raises:
        RejectedError: it is a fault, or cannot be read.
        UnavailableError: a fault that may pass.
    """
    found = answer_or_fault(raw, peer)
    if isinstance(found, SoapFault):
        raise refusal(found, peer)
    return found


def answer_or_fault(raw: bytes, peer: Peer) -> WireMessage | SoapFault:
    """Return the message that answers, or the fault with what its detail says; a fault message is one of the Client.

    Raises:
        RejectedError: it cannot be read.
    """
    root = safe_xml.parse(raw, limits=peer.limits, where=peer.url)
    found = root.find(f"{{{SOAP_11}}}Body/{{{SOAP_11}}}Fault")
    if found is not None:
        return fault_from_xml(found)
    message = message_from_xml(
        unwrap_tree(root, limits=peer.limits).message, strict=peer.policy == "strict", limits=peer.limits
    )
    if message.kind == "fault" and message.reply is not None:
        return SoapFault("Client", "", message.reply)
    return message


def refusal(fault: SoapFault, peer: Peer) -> RejectedError | UnavailableError:
    """Return what a fault means: Server, or a reply code that says "later", is worth another try."""
    errors = fault.reply.errors if fault.reply else ()
    said = "; ".join(f"{e.code} {e.reason}".strip() for e in errors)
    reason = f"{fault.side}: {fault.text} {said}".strip()
    if fault.side == "Server" or any(is_retryable(error.code) for error in errors):
        return UnavailableError(reason, code=codes.PARTNER_AWAY, where=peer.url)
    return RejectedError(reason, code=codes.PARTNER_REFUSED, where=peer.url)


def reach(peer: Peer, *, timeout_s: float) -> int:
    """Return the HTTP status with which a partner answers a GET of its address, with our certificate and credentials.

    Raises:
        UnavailableError: it does not answer.
        MisconfiguredError: its certificate is not the pinned one.
    """
    try:
        with requests.Session() as session:
            session.trust_env = False
            response = session.get(
                f"{peer.url}?wsdl",
                auth=(peer.user, peer.password) if peer.user and peer.tier != "token" else None,
                verify=peer.ca_file or True,
                cert=peer.client_certificate or None,
                timeout=timeout_s,
                allow_redirects=False,
                stream=True,
            )
            response.close()
            return response.status_code
    except requests.exceptions.SSLError as error:
        raise MisconfiguredError(str(error), code=codes.TLS_REFUSED, where=peer.url) from error
    except (requests.RequestException, OSError) as error:
        raise UnavailableError(type(error).__name__, code=codes.PARTNER_AWAY, where=peer.url) from error
