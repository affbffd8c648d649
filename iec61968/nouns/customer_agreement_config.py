"""CustomerAgreementConfig: agreements with customers (no published structure; from CIM15)."""

from datetime import datetime

from iec61968.nouns.elements import ConfigurationEvent, DateTimeInterval, Identified, Name, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class CustomerAgreement:
    """An agreement about a service."""

    mrid: str | None = None
    billing_cycle: str | None = None
    budget_bill: str | None = None
    load_mgmt: str | None = None
    sign_date: datetime | None = None
    validity_interval: DateTimeInterval | None = None
    configuration_events: ConfigurationEvent | None = None
    names: tuple[Name, ...] = ()
    status: Status | None = None
    customer: Identified | None = None
    customer_account: Identified | None = None
    demand_response_programs: tuple[Identified, ...] = ()
    pricing_structures: tuple[Identified, ...] = ()
    service_category: Identified | None = None
    service_locations: tuple[Identified, ...] = ()
    service_supplier: Identified | None = None
    usage_points: tuple[Identified, ...] = ()


@part
class CustomerAgreementConfig:
    """Agreements."""

    customer_agreement: tuple[CustomerAgreement, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(CustomerAgreementConfig)
