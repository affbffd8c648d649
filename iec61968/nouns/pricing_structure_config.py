"""PricingStructureConfig: how usage is priced (no published structure; from CIM15)."""

from decimal import Decimal

from iec61968.nouns import kinds
from iec61968.nouns.elements import ConfigurationEvent, Identified, Name, Status
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class PricingStructure:
    """A pricing structure."""

    mrid: str | None = None
    code: str | None = None
    daily_ceiling_usage: Decimal | None = None
    daily_estimated_usage: Decimal | None = None
    daily_floor_usage: Decimal | None = None
    revenue_kind: kinds.RevenueKind | None = None
    tax_exemption: bool | None = None
    configuration_events: ConfigurationEvent | None = None
    names: tuple[Name, ...] = ()
    status: Status | None = None
    service_category: Identified | None = None
    tariffs: tuple[Identified, ...] = ()


@part
class PricingStructureConfig:
    """Pricing structures."""

    pricing_structure: tuple[PricingStructure, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(PricingStructureConfig)
