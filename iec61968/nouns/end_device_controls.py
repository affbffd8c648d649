"""EndDeviceControls (IEC 61968-9:2013): what devices are told to do."""

from datetime import datetime
from decimal import Decimal

from iec61968.nouns import kinds
from iec61968.nouns.elements import DateTimeInterval, ElectronicAddress, Identified, Name, Reference
from iec61968.nouns.shape import Expected, Extension, compound, part
from iec61968.nouns.tree import pair


@compound
class ControlledAppliance:
    """Which appliances are controlled."""

    is_electric_vehicle: bool | None = None
    is_exterior_lighting: bool | None = None
    is_generation_system: bool | None = None
    is_hvac_compressor_or_furnace: bool | None = None
    is_interior_lighting: bool | None = None
    is_irrigation_pump: bool | None = None
    is_managed_commercial_industrial_load: bool | None = None
    is_pool_pump_spa_jacuzzi: bool | None = None
    is_simple_misc_load: bool | None = None
    is_smart_appliance: bool | None = None
    is_strip_and_baseboard_heater: bool | None = None
    is_water_heater: bool | None = None


@part
class PanDemandResponse:
    """Less load for a while."""

    avg_load_adjustment: kinds.PerCent | None = None
    cancel_control_mode: str | None = None
    cancel_date_time: datetime | None = None
    cancel_now: bool | None = None
    command: Expected[str] = None
    cooling_offset: kinds.Temperature | None = None
    cooling_setpoint: kinds.Temperature | None = None
    criticality_level: str | None = None
    duration: kinds.Minutes | None = None
    duration_indefinite: bool | None = None
    duty_cycle: kinds.PerCent | None = None
    enrollment_group: str | None = None
    heating_offset: kinds.Temperature | None = None
    heating_setpoint: kinds.Temperature | None = None
    start_date_time: Expected[datetime] = None
    appliance: ControlledAppliance | None = None


@part
class PanDisplay:
    """A text to show."""

    command: Expected[str] = None
    confirmation_required: bool | None = None
    duration: kinds.Minutes | None = None
    duration_indefinite: bool | None = None
    priority: str | None = None
    start_date_time: Expected[datetime] = None
    text_message: Expected[str] = None
    transmission_mode: Expected[kinds.TransmissionModeKind] = None


@part
class PanPricingDetail:
    """A price to show."""

    alternate_cost_delivered: Decimal | None = None
    alternate_cost_unit: str | None = None
    current_time_date: datetime | None = None
    generation_price: kinds.Money | None = None
    generation_price_ratio: Decimal | None = None
    price: kinds.Money | None = None
    price_ratio: Decimal | None = None
    price_tier: int | None = None
    price_tier_count: int | None = None
    price_tier_label: str | None = None
    rate_label: str | None = None
    register_tier: str | None = None
    unit_of_measure: Expected[str] = None


@part
class PanPricing:
    """Prices to show."""

    command: Expected[str] = None
    duration: kinds.Minutes | None = None
    duration_indefinite: bool | None = None
    provider_id: int | None = None
    start_date_time: Expected[datetime] = None
    pan_pricing_details: tuple[PanPricingDetail, ...] = ()


@part
class EndDevice:
    """A device that is told."""

    mrid: str | None = None
    install_code: str | None = None
    is_pan: bool | None = None
    electronic_address: ElectronicAddress | None = None
    names: tuple[Name, ...] = ()


@compound
class EndDeviceTiming:
    """When, and for how long."""

    duration: kinds.Minutes | None = None
    duration_indefinite: bool | None = None
    randomisation: Expected[kinds.RandomisationKind] = None
    interval: DateTimeInterval | None = None


@part
class EndDeviceControl:
    """One command to devices, groups of them, or usage points."""

    mrid: str | None = None
    dr_program_level: int | None = None
    dr_program_mandatory: bool | None = None
    issuer_id: str | None = None
    issuer_tracking_id: str | None = None
    price_signal: kinds.FloatQuantity | None = None
    reason: str | None = None
    pan_action: PanDemandResponse | PanDisplay | PanPricing | None = None
    end_device_control_type: Reference
    end_device_groups: tuple[Identified, ...] = ()
    end_devices: tuple[EndDevice, ...] = ()
    primary_device_timing: EndDeviceTiming | None = None
    secondary_device_timing: EndDeviceTiming | None = None
    usage_point_groups: tuple[Identified, ...] = ()
    usage_points: tuple[Identified, ...] = ()


@part
class EndDeviceControlType:
    """A code of commands, taken apart."""

    mrid: str | None = None
    domain: Expected[str] = None
    event_or_action: Expected[str] = None
    sub_domain: Expected[str] = None
    type: Expected[str] = None
    names: tuple[Name, ...]


@part
class EndDeviceControls:
    """Commands, and the types that they refer to."""

    end_device_control: tuple[EndDeviceControl, ...] = ()
    end_device_control_type: tuple[EndDeviceControlType, ...] = ()
    extensions: tuple[Extension, ...] = ()


from_xml, to_xml = pair(EndDeviceControls)
