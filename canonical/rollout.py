"""Mass meter rollout: what is planned, shipped, ordered, done in the field and verified (domain 2).

Instants are UTC, days are local days of the wave's zone, register values are raw (no multiplier applied).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from canonical.metering import Register
from canonical.reading_types import Commodity

WaveState = Literal[
    "DRAFT", "PLANNED", "FROZEN", "RELEASED", "RUNNING", "PAUSED", "COMPLETED", "CLOSED", "ABORTED"
]  # fmt: skip
"""Life of a wave (domain 2.2): its list is fixed at FROZEN; CLOSED is signed after reconciliation."""

OrderState = Literal[
    "PLANNED", "ELIGIBLE", "EXCLUDED", "RELEASED", "DISPATCHED", "DONE_IN_FIELD", "UNABLE", "VALIDATED", "REJECTED",
    "CIS_EXCHANGED", "MDM_SYNCED", "HES_COMMISSIONED", "HEARD", "VERIFIED", "CERTIFIED", "CLOSED",
    "ON_HOLD", "CORRECTING", "REVERSED", "CANCELLED",
]  # fmt: skip
"""Life of an exchange order (domain 2.2). ON_HOLD and CORRECTING remember the state that they interrupt."""

UnableReason = Literal[
    "NO_ACCESS", "REFUSED", "UNSAFE", "WRONG_METER", "NO_METER", "ROOM_LOCKED", "NO_SPACE", "OTHER"
]  # fmt: skip
"""Why a crew could not complete an exchange; a source's own word for it is kept beside."""

Origin = Literal["hub", "cis", "wams", "mdms"]
"""Who sends a link message (ruling 8): the hub sends a step only where it is the origin, else it waits for it."""

Shortfall = Literal["BILL_THROUGH", "SHORT_BILL"]
"""Whether one bill covers both meters, or the old meter's part is billed at the exchange (domain 2.5)."""


@dataclass(frozen=True, slots=True)
class MeterSeen:
    """A meter as somebody in the field, or a manufacturer, names it; not yet found among the meters known."""

    serial: str
    """As it was written."""

    manufacturer: str = ""
    """Empty where the source does not say: then the serial may name several."""

    meter: str = ""
    """mRID, where the source gives one; then the serial may be empty."""


@dataclass(frozen=True, slots=True)
class RegisterValue:
    """What stood on one register, raw."""

    register: str
    """The register's id on the meter; a source that says only `total` or one value leaves it empty."""

    value: Decimal
    reading_type: str = ""
    """CIM reading type code, where the source gives that instead of a register."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What the field reports of one exchange: done, could not be done, or taken back (domain 2.1 ExchangeResult).

    Its business key is (usage point, removed meter, installed meter, effective instant); domain 1.5.
    """

    order: str
    """The hub's order id; empty where the contractor gives none."""

    usage_point: str
    """mRID; empty where only its name is given."""

    outcome: Literal["DONE", "UNABLE", "REVERSED"]
    """REVERSED: the old meter was put back; the exchange named by the same key is taken back."""

    effective_at: datetime
    """When the new meter was installed; of UNABLE when the visit was, of REVERSED when the old one hung again."""

    usage_point_name: str = ""
    """NMI or other name."""

    removed: MeterSeen | None = None
    """None: a first installation, or not told."""

    removed_at: datetime | None = None
    final_readings: tuple[RegisterValue, ...] = ()
    installed: MeterSeen | None = None
    """None: a removal for good, or not told."""

    installed_at: datetime | None = None
    first_readings: tuple[RegisterValue, ...] = ()
    """Not always zero."""

    multiplier_seen: Decimal | None = None
    """CT x PT as read from the plates; None: not told."""

    comms_ok: bool | None = None
    """Whether the installer's communication test passed; None: not told."""

    unable_reason: UnableReason | None = None
    source_reason: str = ""
    """The source's own word for why not."""

    installer: str = ""
    seal: str = ""
    latitude: Decimal | None = None
    """WGS 84 degrees of where the work was done."""

    longitude: Decimal | None = None
    address: str = ""
    """Where the crew was, as it wrote it; personal data, never in logs."""

    photos: tuple[str, ...] = ()
    """References of pictures, never pictures."""

    remarks: str = ""
    reported_at: datetime | None = None
    raw: str = ""
    """The line, or the object, as it came."""


@dataclass(frozen=True, slots=True)
class FieldOrder:
    """An exchange that a crew is asked to do, as a work system is told (MeterServiceRequests, kind `meter`)."""

    order: str
    wave: str
    verb: Literal["create", "change", "cancel"]
    usage_point: str
    usage_point_name: str
    commodity: Commodity
    planned_day: date
    window_from: datetime
    window_until: datetime
    old_meter: str
    """mRID of the meter that should hang there; empty for a first installation."""

    old_manufacturer: str = ""
    old_serial: str = ""
    new_model: str = ""
    """Model, or configuration, that must be hung."""

    district: str = ""
    route: str = ""
    location: str = ""
    contractor: str = ""
    attempt: int = 1
    remarks: str = ""


@dataclass(frozen=True, slots=True)
class ShippedMeter:
    """One meter of a manufacturer's shipment."""

    manufacturer: str
    serial: str
    commodity: Commodity
    model: str
    firmware: str
    configuration: str
    """Id of the configuration (reading types, registers) with which it left the factory."""

    multiplier: Decimal
    registers: tuple[Register, ...]
    lot: str
    test_result: Literal["PASS", "FAIL"]
    tested_at: datetime | None = None
    module: str = ""
    """Serial of its communication module; empty for a meter without."""

    module_kind: str = ""
    """Technology of the module, such as `RF_MESH`, `NBIOT`, `PLC`."""

    key_reference: str = ""
    """Where its security keys are kept, such as `vault:lot-17/0001`; never a key."""

    wrapped_key: str = ""
    """Keys wrapped by a key of the site (base64), with `wrapped_by`; never a key in clear. Never logged."""

    wrapped_by: str = ""
    """Id of the wrapping key."""

    @property
    def has_keys(self) -> bool:
        """Return whether its keys are known to somebody (EX20)."""
        return bool(self.key_reference or (self.wrapped_key and self.wrapped_by))


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one shipment file says of itself."""

    shipment: str
    """The manufacturer's number of the delivery note."""

    manufacturer: str
    shipped_at: datetime
    order_number: str = ""
    lots: Mapping[str, Literal["PASS", "FAIL"]] | None = None
    """Result of each lot's acceptance test, where the file states lots by themselves."""


@dataclass(frozen=True, slots=True)
class ShippedLot:
    """What the acceptance test of one lot said."""

    manufacturer: str
    lot: str
    result: Literal["PASS", "FAIL"]


@dataclass(frozen=True, slots=True)
class RouteStop:
    """One meter that a meter reader is asked to read."""

    usage_point: str
    usage_point_name: str
    meter: str
    manufacturer: str
    serial: str
    route: str
    stop: int
    """Order in the walk, from 1."""

    registers: tuple[Register, ...]
    location: str = ""
    address: str = ""
    """Personal data, never in logs."""

    access_method: str = ""
    expected_low: Decimal | None = None
    expected_high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RouteExtract:
    """What a route reader is given for one day of one route (route_file, outward)."""

    route: str
    business_date: date
    extracted_at: datetime
    """Business time; whoever is exchanged after it makes its stop stale (ROUTE_STALE)."""

    sequence: int
    stops: tuple[RouteStop, ...]


@dataclass(frozen=True, slots=True)
class ManualRead:
    """One value that a meter reader brought back (route_file, inward), or why there is none."""

    route: str
    usage_point: str
    usage_point_name: str
    meter: MeterSeen
    register: str
    value: Decimal | None
    """None: not read, then `skip_reason` says why."""

    read_at: datetime
    reader: str = ""
    skip_reason: str = ""
    business_date: date | None = None
    """Day of the extract that it answers."""
