"""Calling a partner in any of the four bindings: one message out, one message back, over TLS."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Timer
from typing import Protocol

import requests
from lxml import etree

from canonical.codes import message as codes
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from iec61968 import safe_xml, signature, validation
from iec61968.addresses import place, require_plain, tls_reason
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
    packed: bool = False
    """Whether payloads go compressed."""

    part_objects: int = 0
    """MeterReadings in one message to it; 0 for any number."""

    def __post_init__(self) -> None:
        """Refuse an address with user or password in it."""
        require_plain(self.url)

    @property
    def place(self) -> str:
        """Return its address as errors name it: without a query, which may hold a secret."""
        return place(self.url)


class Readable(Protocol):
    """A body of known length that is read while it is sent."""

    def __len__(self) -> int:
        """Return the number of bytes."""
        ...

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, none at the end."""
        ...


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
    require_answer_to(answer, message.header.correlation_id, peer)
    return answer


def require_answer_to(answer: WireMessage, correlation_id: str, peer: Peer) -> None:
    """Refuse an answer that is to another message.

    Raises:
        RejectedError: its CorrelationID is another one (CORRELATION_MISMATCH).
    """
    if answer.header is not None and answer.header.correlation_id != correlation_id:
        raise RejectedError("the answer is to another message", code=codes.CORRELATION_MISMATCH, where=peer.place)


def line() -> requests.Session:
    """Return a line to partners, which is kept open from one message to the next until it is closed."""
    session = requests.Session()
    session.trust_env = False
    return session


def post(
    peer: Peer,
    root: etree._Element,
    *,
    action: str = "",
    timeout_s: float,
    machine_now: datetime | None = None,
    kept: requests.Session | None = None,
) -> bytes:
    """Send a message element in the partner's binding; return the body that answers, whatever its status below 500.

    `kept` is a line that stays open for what follows; without one a line is opened for this message alone.

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
    return send(peer, body, action=action, timeout_s=timeout_s, kept=kept)


def send(
    peer: Peer,
    body: "bytes | Readable",
    *,
    action: str = "",
    timeout_s: float,
    kept: requests.Session | None = None,
) -> bytes:
    """Send bytes, or what is read as they go out, that are in the partner's binding already; else as `post`."""
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    if peer.binding != "bare":
        headers["SOAPAction"] = f'"{action}"'
    try:
        with line() if kept is None else nullcontext(kept) as session:
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
            with response, _ended_after(response, timeout_s):
                return _content(response, peer)
    except requests.exceptions.SSLError as error:
        raise MisconfiguredError(tls_reason(error), code=codes.TLS_REFUSED, where=peer.place) from error
    except (requests.RequestException, OSError) as error:
        raise UnavailableError(type(error).__name__, code=codes.PARTNER_AWAY, where=peer.place) from error


@contextmanager
def _ended_after(response: requests.Response, timeout_s: float) -> Iterator[None]:
    """Hang up when a body has not come whole within `timeout_s`: one that drips would keep us for ever.

    Raises:
        UnavailableError: it has not.
    """
    late = Event()

    def hang_up() -> None:
        late.set()
        response.raw.shutdown()

    watch = Timer(timeout_s, hang_up)
    watch.daemon = True
    watch.start()
    try:
        yield
    except (requests.RequestException, OSError, ValueError) as error:
        # A connection that is shut while it is read says so in several ways.
        if not late.is_set():
            raise
        place_ = place(response.url)
        raise UnavailableError("the answer did not end in time", code=codes.PARTNER_AWAY, where=place_) from error
    finally:
        watch.cancel()


def _content(response: requests.Response, peer: Peer) -> bytes:
    """Return the body of an answer, bounded."""
    status = response.status_code
    if status in (401, 403):
        raise MisconfiguredError(f"HTTP {status}", code=codes.WRONG_CREDENTIALS, where=peer.place)
    data = bytearray()
    for chunk in response.iter_content(65_536):
        data += chunk
        if len(data) > peer.limits.total_bytes:
            raise RejectedError("the answer is too large", code=codes.MESSAGE_TOO_LARGE, where=peer.place)
    if status != 200 and not data.lstrip().startswith(b"<"):
        if status >= 500 or status in (408, 429):
            raise UnavailableError(f"HTTP {status}", code=codes.PARTNER_AWAY, where=peer.place)
        raise RejectedError(f"HTTP {status}", code=codes.PARTNER_REFUSED, where=peer.place)
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
    root = safe_xml.parse(raw, limits=peer.limits, where=peer.place)
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
        return UnavailableError(reason, code=codes.PARTNER_AWAY, where=peer.place)
    return RejectedError(reason, code=codes.PARTNER_REFUSED, where=peer.place)


def reach(peer: Peer, *, timeout_s: float) -> int:
    """Return the HTTP status with which a partner answers a GET of its address, with our certificate and credentials.

    Raises:
        UnavailableError: it does not answer.
        MisconfiguredError: its certificate is not the pinned one.
    """
    try:
        with line() as session:
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
        raise MisconfiguredError(tls_reason(error), code=codes.TLS_REFUSED, where=peer.place) from error
    except (requests.RequestException, OSError) as error:
        raise UnavailableError(type(error).__name__, code=codes.PARTNER_AWAY, where=peer.place) from error
