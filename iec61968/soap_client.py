"""Calling a partner's web service: zeep binds our WSDL to its address, the answer is read as a stream."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import requests
import urllib3
import zeep
from lxml import etree
from zeep.transports import Transport

from canonical.codes import message as codes
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import Header
from iec61968 import validation, wsdl
from iec61968.addresses import place, require_plain, tls_reason
from iec61968.dialects.reply_codes import is_retryable
from iec61968.editions import SOAP_11, Edition
from iec61968.nouns.meter_readings import Answer, open_answer
from iec61968.nouns.reading_stream import StreamLimits
from iec61968.services_spoken import SERVICES
from iec61968.soap import SoapFault
from iec61968.validation import Policy

_DOCUMENTS = "http://documents.invalid/"
"""Base under which zeep asks for our own documents; nothing is ever fetched."""


@dataclass(frozen=True, slots=True)
class Partner:
    """Where and how a partner is called."""

    url: str
    user: str
    password: str = field(repr=False)
    ca_file: str
    """PEM of the certificates that may vouch for it; empty: the machine's own."""

    edition: Edition
    policy: Policy = "strict"
    limits: StreamLimits = field(default_factory=StreamLimits)
    client_certificate: str = ""
    """PEM file with certificate and key that we show (mTLS); empty: none."""

    def __post_init__(self) -> None:
        """Refuse an address with user or password in it."""
        require_plain(self.url)

    @property
    def place(self) -> str:
        """Return its address as errors name it: without a query, which may hold a secret."""
        return place(self.url)


class _OwnDocuments(Transport):
    """Gives zeep our WSDLs and schemas, and posts with answers left unread."""

    def __init__(self, session: requests.Session, edition: Edition) -> None:
        super().__init__(session=session)  # type: ignore[no-untyped-call]
        self._edition = edition

    def load(self, url: str) -> bytes:
        """Return one of our documents.

        Raises:
            MisconfiguredError: a document that is not ours was asked for.
        """
        name = url.removeprefix(_DOCUMENTS)
        if name in wsdl.schema_names():
            return wsdl.schema(name, self._edition).encode()
        service = SERVICES.get(name.removesuffix(".wsdl"))
        if service is None:
            raise MisconfiguredError(f"no document {url}", code=codes.EXPORT_IMPOSSIBLE)
        return wsdl.wsdl(service, self._edition, address="https://unset.invalid/").encode()

    def post(self, address: str, message: Any, headers: Mapping[str, str]) -> requests.Response:
        """Send an envelope; the answer's body stays on the wire until it is read."""
        return self.session.post(
            address,
            data=message,
            headers=headers,
            timeout=self.operation_timeout,
            stream=True,
            allow_redirects=False,
        )

    def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> requests.Response:
        """Send an envelope element, if its schema allows it: zeep checks neither enumerations nor patterns.

        Raises:
            RejectedError: what we were about to send is not valid.
        """
        validation.require_valid(envelope, self._edition, where="message to send")
        return self.post(address, etree.tostring(envelope, xml_declaration=True, encoding="UTF-8"), headers)


class SoapClient:
    """One service of one partner; open until closed. Usable by one thread at a time."""

    def __init__(self, partner: Partner, service: str) -> None:
        """Bind a service such as `GetMeterReadings` to the partner's address.

        Raises:
            MisconfiguredError: the certificate file cannot be read.
        """
        self._partner = partner
        self._service = SERVICES[service]
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = (partner.user, partner.password) if partner.user else None
        self._session.cert = partner.client_certificate or None
        if partner.ca_file and not Path(partner.ca_file).is_file():
            raise MisconfiguredError(f"{partner.ca_file} is not there", code=codes.TLS_REFUSED, where="ca_file")
        # A path makes these certificates the only ones that may vouch for the partner.
        self._session.verify = partner.ca_file or True
        self._transport = _OwnDocuments(self._session, partner.edition)
        settings = zeep.Settings(raw_response=True, strict=True, xml_huge_tree=False)
        client = zeep.Client(f"{_DOCUMENTS}{service}.wsdl", transport=self._transport, settings=settings)  # type: ignore[no-untyped-call]
        binding = f"{{{partner.edition.wsdl(service)}}}{self._service.message_noun}_Binding"
        self._bound = client.create_service(binding, partner.url)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Hang up at once: by itself the HTTP library waits until nothing refers to an answer any more."""
        adapter: Any = self._session.get_adapter("https://")
        pools = adapter.poolmanager.pools
        for pool in [pools[key] for key in list(pools.keys())]:  # it can be indexed but not iterated
            pool.close()
        self._session.close()

    @contextmanager
    def call(self, operation: str, header: Header, timeout_s: float, **parts: Any) -> Iterator[Answer]:
        """Call an operation; give the answer while its readings are still arriving. Read them inside the block.

        `parts` are what stands beside the Header, as nested values or elements.

        Raises:
            UnavailableError: no answer in time, the connection was cut, a server error or a Server fault.
            RejectedError: a Client fault, a 4xx answer, an invalid answer, or one to another question.
            MisconfiguredError: the partner's certificate is not a pinned one, or it refuses our credentials.
        """
        with self._translated(), self._answered(self._post(operation, header, timeout_s, parts), header) as answer:
            yield answer

    @contextmanager
    def send(self, operation: str, message: etree._Element, header: Header, timeout_s: float) -> Iterator[Answer]:
        """Call an operation with a whole typed message, as it was decided earlier; else as `call`.

        Raises:
            UnavailableError: as `call`.
            RejectedError: as `call`.
            MisconfiguredError: as `call`.
        """
        self._set_timeout(timeout_s)
        root = etree.Element(f"{{{SOAP_11}}}Envelope", nsmap={"soap": SOAP_11})
        etree.SubElement(root, f"{{{SOAP_11}}}Body").append(message)
        action = self._partner.edition.soap_action(self._service.message_noun, operation)
        headers = {"SOAPAction": f'"{action}"', "Content-Type": "text/xml; charset=utf-8"}
        with self._translated():
            response = self._transport.post_xml(self._partner.url, root, headers)
            with self._answered(response, header) as answer:
                yield answer

    def reach(self, *, timeout_s: float) -> int:
        """Return the HTTP status with which the partner answers a GET of the service's WSDL.

        Raises:
            UnavailableError: it does not answer.
            MisconfiguredError: its certificate is not a pinned one.
        """
        with self._translated():
            response = self._session.get(f"{self._partner.url}?wsdl", timeout=timeout_s, stream=True)
            response.close()
            return int(response.status_code)

    @contextmanager
    def _answered(self, response: requests.Response, header: Header) -> Iterator[Answer]:
        """Give the opened answer; hang up when the block ends."""
        try:
            yield self._answer(response, header)
        finally:
            response.close()

    def _set_timeout(self, timeout_s: float) -> None:
        """Limit connecting, and every wait for the next bytes."""
        self._transport.operation_timeout = (min(10.0, timeout_s), timeout_s)

    def _post(self, operation: str, header: Header, timeout_s: float, parts: Mapping[str, Any]) -> requests.Response:
        """Build the message by the WSDL and send it."""
        self._set_timeout(timeout_s)
        try:
            response: requests.Response = getattr(self._bound, operation)(Header=_values(header), **parts)
        except zeep.exceptions.ValidationError as error:
            raise RejectedError(str(error), code=codes.EXPORT_IMPOSSIBLE, where=operation) from error
        return response

    def _answer(self, response: requests.Response, question: Header) -> Answer:
        """Return the opened answer, or raise what the partner's refusal means."""
        status = response.status_code
        if status in (401, 403):
            raise MisconfiguredError(f"HTTP {status}", code=codes.WRONG_CREDENTIALS, where=self._partner.place)
        stream = _body(response)
        if status != 200 and "xml" not in response.headers.get("content-type", ""):
            raise self._refused(f"HTTP {status}", retry=status >= 500 or status in (408, 429))
        partner = self._partner
        try:
            answer = open_answer(
                stream, edition=partner.edition, policy=partner.policy, limits=partner.limits, where=partner.place
            )
        except RejectedError as error:
            if status >= 500:
                raise self._refused(f"HTTP {status}: {error.reason}", retry=True) from error
            raise
        if isinstance(answer, SoapFault):
            raise self._fault(answer)
        if status != 200:
            raise self._refused(f"HTTP {status}", retry=status >= 500)
        if answer.header.correlation_id != question.correlation_id:
            raise RejectedError(
                f"asked {question.correlation_id}, answered {answer.header.correlation_id}",
                code=codes.CORRELATION_MISMATCH,
                where=partner.place,
            )
        return answer

    def _fault(self, fault: SoapFault) -> UnavailableError | RejectedError:
        """Return what a SOAP fault means: Server, or a reply code that says "later", is worth another try."""
        errors = fault.reply.errors if fault.reply else ()
        later = fault.side == "Server" or any(is_retryable(error.code) for error in errors)
        said = "; ".join(f"{e.code} {e.reason}".strip() for e in errors)
        return self._refused(f"SOAP fault {fault.side}: {fault.text} {said}".strip(), retry=later)

    def _refused(self, reason: str, *, retry: bool) -> UnavailableError | RejectedError:
        if retry:
            return UnavailableError(reason, code=codes.PARTNER_AWAY, where=self._partner.place)
        return RejectedError(reason, code=codes.PARTNER_REFUSED, where=self._partner.place)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the HTTP library raises, at any moment of the call, into our errors."""
        where = self._partner.place
        try:
            yield
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise MisconfiguredError(tls_reason(error), code=codes.TLS_REFUSED, where=where) from error
            raise UnavailableError(tls_reason(error), code=codes.PARTNER_AWAY, where=where) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise UnavailableError(type(error).__name__, code=codes.PARTNER_AWAY, where=where) from error


def _values(header: Header) -> dict[str, Any]:
    """Return a header as nested values, in the strict form."""
    values = {
        "Verb": header.verb,
        "Noun": header.noun,
        "Timestamp": header.created_at,
        "Source": header.source,
        "AsyncReplyFlag": bool(header.reply_address),
        "ReplyAddress": header.reply_address,
        "MessageID": header.message_id,
        "CorrelationID": header.correlation_id,
    }
    return {name: value for name, value in values.items() if value}


class _Body(io.RawIOBase):
    """A response body as a stream that notices when it ends too early."""

    def __init__(self, response: requests.Response) -> None:
        self._raw = response.raw

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, decompressed; raises what the HTTP library raises when the line is cut."""
        data: bytes = self._raw.read(size if size >= 0 else None, decode_content=True)
        return data


def _body(response: requests.Response) -> BinaryIO:
    """Return the body of an answer; a body shorter than its Content-Length raises instead of ending."""
    response.raw.enforce_content_length = True
    return _Body(response)  # type: ignore[return-value]
