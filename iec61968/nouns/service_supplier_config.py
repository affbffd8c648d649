"""ServiceSupplierConfig: who supplies services (no published structure; from CIM15)."""

from iec61968.nouns import kinds
from iec61968.nouns.customer_elements import StreetAddress, TelephoneNumber
from iec61968.nouns.elements import ConfigurationEvent, ElectronicAddress, Identified, Name, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class ServiceSupplier:
    """A supplier."""

    mrid: str | None = None
    issuer_identification_number: str | None = None
    kind: kinds.SupplierKind | None = None
    configuration_events: ConfigurationEvent | None = None
    electronic_address: ElectronicAddress | None = None
    names: tuple[Name, ...] = ()
    phone1: TelephoneNumber | None = None
    phone2: TelephoneNumber | None = None
    postal_address: StreetAddress | None = None
    status: Status | None = None
    street_address: StreetAddress | None = None
    customer_agreements: tuple[Identified, ...] = ()


@part
class ServiceSupplierConfig:
    """Suppliers."""

    service_supplier: tuple[ServiceSupplier, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(ServiceSupplierConfig)
