"""One inbound call: what its carrier knows of it, and what reading it found."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from canonical.errors import RejectedError
from canonical.messages import Header
from iec61968.bindings import BindingName, StringOperation
from iec61968.editions import Edition
from iec61968.plain_call import PlainHeader
from iec61968.safe_xml import XmlLimits
from iec61968.services_spoken import Service
from iec61968.validation import Finding, Policy
from iec61968.wire import WireHeader

_LIMITS, _STRING_OPERATION = XmlLimits(), StringOperation()


@dataclass(slots=True)
class Call:
    """One inbound call: what the carrier knows of it, and what reading it found."""

    service: Service
    edition: Edition
    caller: str | None
    """Authenticated user, None when the credentials prove none."""

    soap_action: str
    """The SOAPAction header without quotes; empty when it was not sent."""

    too_large: bool = False
    """Whether the body went on behind the limit; what is here is its beginning."""

    supported: Collection[str] = ()
    """Operations that something at this site takes."""

    policy: Policy = "strict"
    limits: XmlLimits = _LIMITS
    content_encoding: str = ""
    """The Content-Encoding header in lower case; nothing is unpacked, so that a bomb stays packed."""

    operation: str = ""
    """Name of the body element, as soon as it has been read."""

    reported: tuple[Finding, ...] = ()
    """With policy `report`: where the message breaks its schema."""

    binding: BindingName = "typed"
    """How the message came, and how it is answered."""

    string_operation: StringOperation = _STRING_OPERATION
    any_service: bool = False
    """Whether the address is that of all services, so that the message itself says which one it means."""

    refused: RejectedError | None = None
    """Why the sender is not the one it says it is; WRONG_CREDENTIALS where nothing better is known."""

    plain: PlainHeader | None = None
    """What the header of a message says that needed no tree."""

    received_at: datetime | None = None
    """When it came, in business time: for a tolerated header that does not say when it was written."""

    proof: Callable[["Call"], None] = lambda _call: None
    """Looks at the header's ReplayDetection, where the caller has to give one; raises when it is not fresh."""

    _wire: WireHeader | None = field(default=None, init=False)

    @property
    def wire(self) -> WireHeader | None:
        """Return the message's header, whole, as soon as it has been read."""
        if self._wire is None and self.plain is not None:
            self._wire = self.plain.wire()
        return self._wire

    @wire.setter
    def wire(self, read: WireHeader | None) -> None:
        self._wire = read

    @property
    def ids(self) -> tuple[str, str]:
        """Return MessageID and CorrelationID of the message's header; empty as long as it has not been read."""
        if self.plain is not None:
            return self.plain.message_id, self.plain.correlation_id
        return (self._wire.message_id, self._wire.correlation_id) if self._wire is not None else ("", "")

    @property
    def header(self) -> Header | None:
        """The message's header in canonical words, as soon as it has been read."""
        return self.wire.canonical() if self.wire is not None else None
