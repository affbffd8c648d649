"""CustomerAccountConfig: accounts of customers (no published structure; from CIM15)."""

from datetime import datetime

from iec61968.nouns.elements import ConfigurationEvent, Identified, Name, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class CustomerAccount:
    """An account."""

    mrid: str | None = None
    billing_cycle: str | None = None
    budget_bill: str | None = None
    created_date_time: datetime | None = None
    last_modified_date_time: datetime | None = None
    revision_number: str | None = None
    configuration_events: ConfigurationEvent | None = None
    names: tuple[Name, ...] = ()
    status: Status | None = None
    customer: Identified | None = None
    customer_agreements: tuple[Identified, ...] = ()


@part
class CustomerAccountConfig:
    """Accounts."""

    customer_account: tuple[CustomerAccount, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(CustomerAccountConfig)
