"""UsagePointConfig (IEC 61968-9:2013): usage points as they are set up."""

from decimal import Decimal

from iec61968.nouns import kinds
from iec61968.nouns.elements import (
    ConfigurationEvent,
    Identified,
    Name,
    ReadingType,
    Reference,
    ServiceCategoryReference,
)
from iec61968.nouns.shape import Attribute, Extension, part
from iec61968.nouns.tree import pair


@part
class MetrologyRequirement:
    """What is to be measured, and why."""

    ref: Attribute = None
    mrid: str | None = None
    reason: kinds.ReadingReasonKind | None = None
    names: tuple[Name, ...] = ()
    reading_types: tuple[Reference, ...]


@part
class PricingStructure:
    """How usage is priced."""

    mrid: str | None = None
    code: str | None = None
    names: tuple[Name, ...] = ()


@part
class ServiceMultiplier:
    """A ratio between meter and service."""

    mrid: str | None = None
    kind: kinds.ServiceMultiplierKind | None = None
    value: Decimal | None = None
    names: tuple[Name, ...] = ()


@part
class ServiceSupplier:
    """Who supplies the service."""

    mrid: str | None = None
    kind: kinds.SupplierKind | None = None
    names: tuple[Name, ...] = ()


@part
class UsagePoint:
    """A place where a service is used."""

    mrid: str | None = None
    ami_billing_ready: kinds.AmiBillingReadyKind | None = None
    check_billing: bool | None = None
    connection_state: kinds.UsagePointConnectedKind | None = None
    estimated_load: kinds.CurrentFlow | None = None
    grounded: bool | None = None
    is_sdp: bool | None = None
    is_virtual: bool | None = None
    minimal_usage_expected: bool | None = None
    nominal_service_voltage: kinds.Voltage | None = None
    outage_region: str | None = None
    phase_code: kinds.PhaseCode | None = None
    rated_current: kinds.CurrentFlow | None = None
    rated_power: kinds.ActivePower | None = None
    read_cycle: str | None = None
    read_route: str | None = None
    service_delivery_remark: str | None = None
    service_priority: str | None = None
    configuration_events: ConfigurationEvent | None = None
    equipments: Identified | None = None
    metrology_requirements: tuple[MetrologyRequirement, ...] = ()
    names: tuple[Name, ...] = ()
    pricing_structures: PricingStructure | None = None
    service_category: ServiceCategoryReference | None = None
    service_location: Identified | None = None
    service_multipliers: tuple[ServiceMultiplier, ...] = ()
    service_supplier: ServiceSupplier | None = None
    usage_point_location: Identified | None = None


@part
class UsagePointConfig:
    """Usage points, and the reading types that they refer to."""

    reading_type: tuple[ReadingType, ...] = ()
    usage_point: tuple[UsagePoint, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(UsagePointConfig)
