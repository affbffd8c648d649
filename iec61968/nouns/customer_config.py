"""CustomerConfig: customers (no published structure; from CIM15)."""

from iec61968.nouns import kinds
from iec61968.nouns.customer_elements import StreetAddress, TelephoneNumber
from iec61968.nouns.elements import ConfigurationEvent, ElectronicAddress, Identified, Name, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class Organisation:
    """How a customer is reached."""

    electronic_address: ElectronicAddress | None = None
    phone1: TelephoneNumber | None = None
    phone2: TelephoneNumber | None = None
    postal_address: StreetAddress | None = None
    street_address: StreetAddress | None = None


@part
class Customer:
    """A customer."""

    mrid: str | None = None
    kind: kinds.CustomerKind | None = None
    puc_number: str | None = None
    special_need: str | None = None
    vip: bool | None = None
    configuration_events: ConfigurationEvent | None = None
    names: tuple[Name, ...] = ()
    status: Status | None = None
    customer_agreements: tuple[Identified, ...] = ()
    organisation: Organisation | None = None


@part
class CustomerConfig:
    """Customers."""

    customer: tuple[Customer, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(CustomerConfig)
