"""GetMeterConfig (IEC 61968-9:2013): whose meters are asked for."""

from iec61968.nouns.elements import CustomerReference, Identified, Name
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class Meter:
    """A meter by mRID, system or names."""

    mrid: str | None = None
    amr_system: str | None = None
    names: tuple[Name, ...] = ()


@part
class GetMeterConfig:
    """A question for meters."""

    customer: tuple[CustomerReference, ...] = ()
    customer_account: tuple[Identified, ...] = ()
    customer_agreement: tuple[Identified, ...] = ()
    end_device_group: tuple[Identified, ...] = ()
    meter: tuple[Meter, ...] = ()
    service_location: tuple[Identified, ...] = ()
    usage_point: tuple[Identified, ...] = ()
    usage_point_group: tuple[Identified, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(GetMeterConfig)
