"""Master data as systems tell each other: what a master says of things, and what belongs together from when on.

A message says one thing of many objects: they exist (`create`), differ (`change`), end (`close`) or were a mistake
(`delete`). A `change` says only what is not empty (or False); commodity and zone are said by `create` alone. Order of
application is (effective_at, then the header's created_at); nothing is overwritten (ruling 6, domain 2.6).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from canonical.customers import CustomerAgreement
from canonical.field_reports import FieldReport
from canonical.metering import Register, RegisterReading, TopologyLink, UsagePoint
from canonical.names import Name
from canonical.reading_types import Commodity
from canonical.rollout import Completion

Verb = Literal["create", "change", "close", "cancel", "delete"]
"""What is said of objects, in the imperative; whether it was asked or announced is the header's."""


@dataclass(frozen=True, slots=True)
class Address:
    """A postal place, as far as a person needs it to find the premise. Personal data: never in logs."""

    street: str = ""
    number: str = ""
    suite: str = ""
    town: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """Who has agreements (CIM Customer). Name and telephone are personal data: never in logs."""

    customer: str
    """The CIS's id of the customer."""

    kind: str
    """CIM CustomerKind, such as `residential`; empty where the master does not say."""

    name: str = ""
    telephone: str = ""
    special_need: str = ""
    """Why the customer must not be disconnected lightly, such as `life support`."""

    valid_from: datetime | None = None
    """First instant at which this version holds; None: that of the message."""


@dataclass(frozen=True, slots=True)
class CustomerAccount:
    """What is billed together (CIM CustomerAccount)."""

    account: str
    """The CIS's id of the account."""

    customer: str
    """Id of its customer; empty where a partial change does not repeat it."""

    cycle: str = ""
    """Bill cycle."""

    valid_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServiceLocation:
    """The premise (CIM ServiceLocation)."""

    location: str
    """The master's id of the premise."""

    address: Address = Address()
    access_method: str = ""
    """How a person gets to the meter."""

    needs_inspection: bool = False
    valid_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter and how it is configured (CIM Meter with its functions), wherever it hangs."""

    meter: str
    """mRID: minted from manufacturer and normalized serial; empty where its master gives a serial alone."""

    manufacturer: str
    """Empty where its master does not say: then the serial is not unique."""

    serial: str
    """As the master writes it."""

    commodity: Commodity
    multiplier: Decimal
    """CT x PT (x constant); 1 for a whole-current meter; 0 where a partial change does not say it."""

    registers: tuple[Register, ...] = ()
    """Empty where a partial change does not say them; said, they replace all."""

    model: str = ""
    firmware: str = ""
    status: str = ""
    """Life cycle state as its master words it, such as `In stock`, `Active`, `Removed`."""

    valid_from: datetime | None = None
    """First instant at which this configuration holds; None: that of the message."""


@dataclass(frozen=True, slots=True)
class Link:
    """A meter belongs to a usage point from an instant on, or until it (CIM MasterDataLinkageConfig).

    With an agreement instead of a meter: the agreement is served by the usage point. Empty ids are not meant.
    """

    usage_point: str
    """mRID; empty where the sender knows it by `usage_point_name` alone."""

    meter: str = ""
    """mRID."""

    agreement: str = ""
    location: str = ""
    usage_point_name: str = ""
    """NMI or other name; given only where there is no mRID, for the flow to find it."""

    serial: str = ""
    """Serial of a meter whose manufacturer the sender does not give; then there is no `meter`."""


@dataclass(frozen=True, slots=True)
class MeterExchange:
    """One meter taken away and another hung in its place (CIM MeterServiceRequests; domain 2.3)."""

    usage_point: str
    """mRID."""

    removed: Meter | None
    """None: a first installation."""

    installed: Meter | None
    """None: a removal for good."""

    removed_at: datetime
    installed_at: datetime
    final_readings: tuple[RegisterReading, ...] = ()
    """Of the removed meter at `removed_at`, raw."""

    first_readings: tuple[RegisterReading, ...] = ()
    """Of the installed meter at `installed_at`, raw; not always zero."""

    order: str = ""
    """Id of the work order."""

    installer: str = ""
    remarks: str = ""
    usage_point_name: str = ""
    """NMI or other name; given only where there is no mRID, for the flow to find it."""

    report: FieldReport | None = None
    """What the crew told beside; None: nothing."""


MasterThing = (
    Customer
    | CustomerAccount
    | ServiceLocation
    | CustomerAgreement
    | UsagePoint
    | Meter
    | Link
    | MeterExchange
    | Completion
    | TopologyLink
)
"""Whatever a master-data message, or a file of masters, speaks of. A Completion stands for work that exchanged
nothing: it could not be done, or was taken back."""


@dataclass(frozen=True, slots=True)
class ThingVerdict:
    """What became of one object of a master-data message (I5): told to its sender as one Error per refused object."""

    object_id: str
    object_type: str
    """CIM class, such as `UsagePoint`."""

    disposition: Literal["APPLIED", "DUPLICATE", "SUPERSEDED", "REJECTED", "WAITING"]
    """WAITING: it speaks of something that is not there yet, and is tried again (domain 1.3)."""

    code: str = ""
    """Number and name of the catalogue entry; empty when applied."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class KnownAs:
    """What the sender of a message calls a thing, where that is another id than the hub's."""

    object_id: str
    """mRID of the hub."""

    object_type: str
    """CIM class, such as `Meter`."""

    name: Name
    """The sender's own id: system, value, and its scheme, such as `mRID`."""


@dataclass(frozen=True, slots=True)
class MasterData:
    """The payload of a master-data message in canonical words."""

    verb: Verb
    noun: str
    """IEC 61968-9 noun it came as or goes as, such as `UsagePointConfig`."""

    effective_at: datetime
    """Instant from which (create, change) or until which (close, delete) it holds; ruling 7 says how it is read."""

    things: tuple[MasterThing, ...]
    reason: str = ""
    """Why, as the sender words it, such as `moveIn`."""

    stated: tuple[frozenset[str], ...] = ()
    """With any verb but `create`: names of the fields that the message states of each thing, in order of `things`; the
    others only hold their place. Empty: all fields are stated."""

    refused: tuple[ThingVerdict, ...] = ()
    """Objects of the message that could not be understood, each with its code; the others are kept."""

    known_as: tuple[KnownAs, ...] = ()
    """Ids that the sender uses of its own accord, for the crosswalk."""


def usage_point_of(thing: MasterThing) -> str:
    """Return the mRID of the usage point that a thing names itself; empty where it names none."""
    return getattr(thing, "usage_point", "")
