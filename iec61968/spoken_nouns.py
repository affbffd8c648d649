"""Every noun that is spoken: its classes, its objects, and the query that asks for it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Noun:
    """One noun and where it is written down."""

    name: str
    module: str
    """Module under iec61968.nouns."""

    objects: tuple[str, ...]
    """Elements under the root that count as objects: what the noun is about, not what it refers to."""

    @property
    def is_query(self) -> bool:
        """Return whether it asks for another noun."""
        return self.name.startswith("Get")

    @property
    def answer(self) -> str:
        """Return the noun that answers it: a query's, else its own name."""
        return self.name.removeprefix("Get")

    @property
    def type(self) -> type:
        """Return its class."""
        found: type = getattr(self._module, self.name)
        return found

    @property
    def from_xml(self) -> Callable[..., Any]:
        """Return its reader (`nouns.tree.FromXml`)."""
        reader: Callable[..., Any] = self._module.from_xml
        return reader

    @property
    def to_xml(self) -> Callable[..., Any]:
        """Return its writer (`nouns.tree.ToXml`)."""
        writer: Callable[..., Any] = self._module.to_xml
        return writer

    @property
    def _module(self) -> Any:
        return import_module(f"iec61968.nouns.{self.module}")


def _noun(name: str, module: str, *objects: str) -> Noun:
    return Noun(name, module, objects)


_ASKED = ("Customer", "CustomerAccount", "CustomerAgreement", "EndDevice", "EndDeviceGroup", "Meter", "ServiceLocation")
_PLACES = ("TransformerTank", "UsagePoint", "UsagePointGroup")
_LINKED = (
    *("AuxiliaryAgreement", "ComModule", *_ASKED, "PricingStructure", "ServiceSupplier", "TransformerTank"),
    *("UsagePoint", "UsagePointLocation"),
)

NOUNS: dict[str, Noun] = {
    noun.name: noun
    for noun in (
        _noun("MeterReadings", "whole_meter_readings", "MeterReading"),
        _noun("GetMeterReadings", "whole_get_meter_readings", *_ASKED, *_PLACES),
        _noun("MeterConfig", "meter_config", "Meter"),
        _noun("GetMeterConfig", "get_meter_config", *_ASKED, *_PLACES),
        _noun("UsagePointConfig", "usage_point_config", "UsagePoint"),
        _noun("GetUsagePointConfig", "get_usage_point_config", *_ASKED, *_PLACES),
        _noun("MasterDataLinkageConfig", "master_data_linkage_config", *_LINKED),
        _noun("CustomerAgreementConfig", "customer_agreement_config", "CustomerAgreement"),
        _noun("EndDeviceControls", "end_device_controls", "EndDeviceControl"),
        _noun("EndDeviceEvents", "end_device_events", "EndDeviceEvent"),
        _noun("GetEndDeviceEvents", "get_end_device_events", *_ASKED, *_PLACES, "EndDeviceEvent", "ServiceCategory"),
        _noun("MeterServiceRequests", "meter_service_requests", "MeterServiceWork"),
        _noun("ComModuleConfig", "com_module_config", "ComModule"),
        _noun("EndDeviceConfig", "end_device_config", "EndDevice"),
        _noun("MeterReadSchedule", "meter_read_schedule", "TimeSchedule"),
        _noun("CustomerConfig", "customer_config", "Customer"),
        _noun("CustomerAccountConfig", "customer_account_config", "CustomerAccount"),
        _noun("ServiceLocationConfig", "service_location_config", "ServiceLocation"),
        _noun("ServiceCategoryConfig", "service_category_config", "ServiceCategory"),
        _noun("ServiceSupplierConfig", "service_supplier_config", "ServiceSupplier"),
        _noun("PricingStructureConfig", "pricing_structure_config", "PricingStructure"),
        _noun("UsagePointLocationConfig", "usage_point_location_config", "UsagePointLocation"),
        _noun("EndDeviceGroups", "end_device_groups", "EndDeviceGroup"),
        _noun("UsagePointGroups", "usage_point_groups", "UsagePointGroup"),
    )
}
"""Every noun by name."""

QUERY_MESSAGES = ("GetMeterReadings", "GetEndDeviceEvents")
"""Queries with typed messages of their own; every other query travels in the messages of the noun it asks for."""
