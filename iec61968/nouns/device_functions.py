"""What meters and other devices are made of, shared by MeterConfig and EndDeviceConfig (IEC 61968-9:2013)."""

from datetime import datetime, time

from iec61968.nouns import kinds
from iec61968.nouns.elements import Identified, Name, Reference
from iec61968.nouns.shape import Attribute, chosen_as, compound, part


@part
class ComFunction:
    """A device's function of communicating."""

    mrid: str | None = None
    amr_address: str | None = None
    amr_router: str | None = None
    config_id: str | None = None
    direction: kinds.ComDirectionKind | None = None
    enabled: bool | None = None
    firmware_id: str | None = None
    hardware_id: str | None = None
    password: str | None = None
    program_id: str | None = None
    technology: kinds.ComTechnologyKind | None = None
    names: tuple[Name, ...] = ()


@compound
class RemoteConnectDisconnectInfo:
    """How a switch is worked from afar."""

    armed_timeout: kinds.Seconds | None = None
    customer_voltage_limit: kinds.Voltage | None = None
    energy_limit: kinds.RealEnergy | None = None
    energy_usage_start_date_time: datetime | None = None
    energy_usage_warning: kinds.RealEnergy | None = None
    is_arm_connect: bool | None = None
    is_arm_disconnect: bool | None = None
    is_energy_limiting: bool | None = None
    needs_power_limit_check: bool | None = None
    needs_voltage_limit_check: bool | None = None
    power_limit: kinds.ActivePower | None = None
    use_pushbutton: bool | None = None


@part
class ConnectDisconnectFunction:
    """A device's function of connecting and disconnecting."""

    mrid: str | None = None
    enabled: bool | None = None
    event_count: int | None = None
    is_connected: bool | None = None
    is_delayed_discon: bool | None = None
    is_local_auto_discon_op: bool | None = None
    is_local_auto_recon_op: bool | None = None
    is_remote_auto_discon_op: bool | None = None
    is_remote_auto_recon_op: bool | None = None
    password: str | None = None
    names: tuple[Name, ...] = ()
    rcd_info: RemoteConnectDisconnectInfo | None = None


@part
class Channel:
    """One quantity of a register."""

    mrid: str | None = None
    is_virtual: bool | None = None
    names: tuple[Name, ...] = ()
    reading_type: Reference | None = None


@compound
class TimeInterval:
    """Hours of a day; the end stands first."""

    end: time | None = None
    start: time | None = None


@part
class Register:
    """A register of a meter."""

    mrid: str | None = None
    is_virtual: bool | None = None
    left_digit_count: int | None = None
    right_digit_count: int | None = None
    tou_tier_name: str | None = None
    channels: tuple[Channel, ...] = ()
    names: tuple[Name, ...] = ()
    tou_tier: TimeInterval | None = None


@chosen_as("ComFunction")
@part
class ComFunctionReference:
    """A function of communicating, by reference."""

    ref: Attribute = None


@chosen_as("ConnectDisconnectFunction")
@part
class ConnectDisconnectFunctionReference:
    """A function of connecting, by reference."""

    ref: Attribute = None


@chosen_as("SimpleEndDeviceFunction")
@part
class SimpleEndDeviceFunctionReference:
    """A simple function, by reference."""

    ref: Attribute = None


FunctionReference = ComFunctionReference | ConnectDisconnectFunctionReference | SimpleEndDeviceFunctionReference


@part
class ProductAssetModel:
    """A product of a manufacturer."""

    corporate_standard_kind: kinds.CorporateStandardKind | None = None
    model_number: str | None = None
    model_version: str | None = None
    usage_kind: kinds.AssetModelUsageKind | None = None
    manufacturer: Identified | None = None


@compound
class EndDeviceCapability:
    """What a device can do."""

    autonomous_dst: bool | None = None
    communication: bool | None = None
    connect_disconnect: bool | None = None
    demand_response: bool | None = None
    electric_metering: bool | None = None
    gas_metering: bool | None = None
    metrology: bool | None = None
    on_request_read: bool | None = None
    outage_history: bool | None = None
    pressure_compensation: bool | None = None
    pricing_info: bool | None = None
    pulse_output: bool | None = None
    relays_programming: bool | None = None
    reverse_flow: bool | None = None
    super_compressibility_compensation: bool | None = None
    temperature_compensation: bool | None = None
    text_message: bool | None = None
    water_metering: bool | None = None


@part
class EndDeviceInfo:
    """The model and ratings of a device."""

    is_solid_state: bool | None = None
    phase_count: int | None = None
    rated_current: kinds.CurrentFlow | None = None
    rated_voltage: kinds.Voltage | None = None
    asset_model: ProductAssetModel | None = None
    capability: EndDeviceCapability | None = None
