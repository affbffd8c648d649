"""GetUsagePointConfig: which usage points are asked for, formed as GetMeterConfig is (no published structure)."""

from iec61968.nouns.elements import CustomerReference, Identified
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class GetUsagePointConfig:
    """A question for usage points."""

    customer: tuple[CustomerReference, ...] = ()
    customer_account: tuple[Identified, ...] = ()
    customer_agreement: tuple[Identified, ...] = ()
    meter: tuple[Identified, ...] = ()
    service_location: tuple[Identified, ...] = ()
    usage_point: tuple[Identified, ...] = ()
    usage_point_group: tuple[Identified, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(GetUsagePointConfig)
