"""MasterDataLinkageConfig (IEC 61968-9:2013): what belongs together, from when or until when."""

from iec61968.nouns.elements import ConfigurationEvent, Identified
from iec61968.nouns.shape import Extension, part
from iec61968.nouns.tree import pair


@part
class MasterDataLinkageConfig:
    """Things that are linked (create) or unlinked (close) with each other."""

    auxiliary_agreement: tuple[Identified, ...] = ()
    com_module: tuple[Identified, ...] = ()
    configuration_event: ConfigurationEvent | None = None
    customer: tuple[Identified, ...] = ()
    customer_account: tuple[Identified, ...] = ()
    customer_agreement: tuple[Identified, ...] = ()
    end_device: tuple[Identified, ...] = ()
    meter: tuple[Identified, ...] = ()
    pricing_structure: tuple[Identified, ...] = ()
    service_location: tuple[Identified, ...] = ()
    service_supplier: tuple[Identified, ...] = ()
    transformer_tank: tuple[Identified, ...] = ()
    usage_point: tuple[Identified, ...] = ()
    usage_point_location: tuple[Identified, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(MasterDataLinkageConfig)
