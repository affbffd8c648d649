"""How one partner uses what the standard leaves open: which instant counts, its days, and the types of its Names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError
from canonical.reading_types import Commodity
from canonical.rollout import UnableReason
from canonical.serials import SerialPolicy

LinkageTime = Literal["", "effective", "created"]
Granularity = Literal["second", "minute", "day"]
DayBelongsTo = Literal["new", "old"]
UsagePointMultipliers = Literal["refuse", "ignore"]
ExchangeAs = Literal["exchange", "operation_set"]
CommissionAs = Literal["status", "linkage"]
MOST_OPERATIONS = 1000
"""As many refusals as the reason of a delivery names (`canonical.refusals.MOST`)."""

WorkState = Literal["done", "unable", "reversed", "waiting"]
"""What became of field work; `waiting`: nothing yet, it is only planned or under way."""


@dataclass(frozen=True, slots=True)
class NameTypes:
    """NameType of each Name that says what CIM15 has no attribute for."""

    usage_point: str = "usagePoint"
    """What the trade calls a usage point (NMI, POD, MPAN, ESI id); a Name without type counts as well."""

    zone: str = "timeZone"
    serial: str = "serial"
    """Meter serial; its NameTypeAuthority is the manufacturer."""

    customer: str = "customerId"
    """The master's id of a customer where it is no UUID."""

    account: str = "accountId"
    agreement: str = "agreementId"
    location: str = "locationId"
    customer_name: str = "customerName"
    customer_class: str = "customerClass"
    tariff: str = "tariff"
    tou_calendar: str = "touCalendar"
    net_metering: str = "netMetering"
    register: str = "register"
    unit: str = "unit"
    """Unit of a register, where its reading type does not say it."""

    multiplier: str = "multiplier"
    """Multiplier of a meter in an exchange, where the profile has no MeterMultipliers."""

    work_order: str = "workOrder"
    installer: str = "installer"
    multiplier_seen: str = "multiplierSeen"
    """CT x PT as a crew read it from the plates."""

    seal: str = "seal"
    latitude: str = "latitude"
    longitude: str = "longitude"
    work_address: str = "workAddress"
    """Where a crew was, as it wrote it."""

    photo: str = "photo"
    """Reference of a picture; as often as there are some."""

    wave: str = "wave"
    planned_day: str = "plannedDay"
    """Local day of an order, `YYYY-MM-DD`."""

    district: str = "district"
    route: str = "route"
    contractor: str = "contractor"
    attempt: str = "attempt"
    commodity: str = "commodity"
    com_module: str = "comModule"
    """Serial of a communication module."""

    module_kind: str = "moduleKind"
    key_reference: str = "keyReference"
    wrapped_key: str = "wrappedKey"
    """Keys wrapped by the key that its NameTypeAuthority names."""


@dataclass(frozen=True, slots=True)
class MasterDataReading:
    """What has to be known of a partner before its master data can be understood, or said to it."""

    linkage_time: LinkageTime = ""
    """Which instant of a ConfigurationEvent counts where they differ (ruling 7); empty: not stated, so they may not."""

    granularity: Granularity = "second"
    """How finely the partner keeps time; instants are cut to it on the way in and out."""

    day_belongs_to: DayBelongsTo = "new"
    """With `day`: whether a day of change belongs to what begins (from its first instant) or to what ends."""

    zone: str = "UTC"
    """IANA zone of its days, and of usage points for which it states none."""

    commodity: Commodity = "ELECTRICITY"
    """What is delivered or measured where a message does not say."""

    read_source: Literal["AMI", "MANUAL", "NONE"] = "AMI"
    """How a usage point is read where a message does not say."""

    customer_class: str = "RESIDENTIAL"
    usage_point_multipliers: UsagePointMultipliers = "refuse"
    """What is done with a ServiceMultiplier other than 1: the hub applies that of the meter alone (I3)."""

    multiplier_kinds: tuple[str, ...] = ("ctRatio", "ptRatio", "kR")
    """MeterMultiplier kinds whose product is the meter's multiplier; transformerRatio stands for ctRatio x ptRatio."""

    tou_buckets: Mapping[str, str] = field(
        default_factory=lambda: {"1": "ON", "2": "MID", "3": "OFF", "4": "CRIT"}, hash=False
    )
    """Bucket of each TOU tier of a reading type, where the register does not name its tier."""

    work_states: Mapping[str, WorkState] = field(default_factory=dict, hash=False)
    """What the partner's own states of field work mean, beside those of `field_work.STATES`."""

    unable_reasons: Mapping[str, UnableReason] = field(default_factory=dict, hash=False)
    """What the partner's own words for why work could not be done mean, beside those of `field_work.REASONS`."""

    exchange_as: ExchangeAs = "exchange"
    """Whether the partner is told both halves of an exchange as one work, or as one transactional OperationSet."""

    operations_per_message: int = 1
    """How many steps of exchanges the partner is told in one OperationSet, each done by itself; 1: never one."""

    commission_as: CommissionAs = "status"
    """Whether the partner is told of a commissioning as a change of the meter's status, or as a link."""

    commissioned: str = "Active"
    """Status of a meter that is taken into service."""

    decommissioned: str = "Decommissioned"
    """Status of a meter that is taken out of service."""

    wrapped_keys: bool = False
    """Whether a meter's wrapped keys are told to the partner, beside where they are kept; never keys in clear."""

    names: NameTypes = field(default_factory=NameTypes)
    serials: SerialPolicy = field(default_factory=SerialPolicy, hash=False)


_WORDS: Mapping[str, tuple[str, ...]] = {
    "linkage_time": get_args(LinkageTime),
    "granularity": get_args(Granularity),
    "day_belongs_to": get_args(DayBelongsTo),
    "commodity": get_args(Commodity),
    "read_source": ("AMI", "MANUAL", "NONE"),
    "usage_point_multipliers": get_args(UsagePointMultipliers),
    "exchange_as": get_args(ExchangeAs),
    "commission_as": get_args(CommissionAs),
}

SETTINGS = (*(one.name for one in fields(MasterDataReading) if one.name != "serials"), "serial_digits")
"""Settings of a role of which a MasterDataReading is made."""


def master_data_reading(given: Mapping[str, object], *, where: str) -> MasterDataReading:
    """Return the conventions that a role's settings state; other settings are not looked at.

    `serial_digits` maps a manufacturer to the number of digits of its all-digit serials.

    Raises:
        MisconfiguredError: one has no meaning; `where` names the section.
    """
    values: dict[str, Any] = {name: given[name] for name in SETTINGS if name in given}
    for name, words in _WORDS.items():
        if name in values and values[name] not in words:
            raise _wrong(f"{name} {values[name]!r}, known are {', '.join(filter(None, words))}", where)
    for name in ("zone", "customer_class", "commissioned", "decommissioned"):
        if name in values and not (isinstance(values[name], str) and values[name]):
            raise _wrong(f"{name} {values[name]!r} is no text", where)
    try:
        ZoneInfo(values.get("zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _wrong(f"zone {values['zone']!r} is no IANA zone", where) from error
    _check_tables(values, where)
    if "names" in values:
        values["names"] = _name_types(values["names"], where)
    digits = _table(values.pop("serial_digits", {}), int, "serial_digits", where)
    return MasterDataReading(**values, serials=SerialPolicy(digits))


def _check_tables(values: dict[str, Any], where: str) -> None:
    """Bring lists and tables among the settings into their form.

    Raises:
        MisconfiguredError: one has no meaning.
    """
    if "multiplier_kinds" in values:
        values["multiplier_kinds"] = tuple(_texts(values["multiplier_kinds"], "multiplier_kinds", where))
    if "tou_buckets" in values:
        values["tou_buckets"] = _table(values["tou_buckets"], str, "tou_buckets", where)
    for name, known in (("work_states", get_args(WorkState)), ("unable_reasons", get_args(UnableReason))):
        if name in values:
            values[name] = _words_table(values[name], known, name, where)
    several = values.get("operations_per_message", 1)
    if not isinstance(several, int) or isinstance(several, bool) or not 1 <= several <= MOST_OPERATIONS:
        raise _wrong(f"operations_per_message {several!r} is not 1 to {MOST_OPERATIONS}", where)
    if not isinstance(values.get("wrapped_keys", False), bool):
        raise _wrong(f"wrapped_keys {values['wrapped_keys']!r} is neither true nor false", where)


def _name_types(given: Any, where: str) -> NameTypes:
    """Return types of Names; each must be a text, and no two the same."""
    table = _table(given, str, "names", where)
    unknown = sorted(set(table) - {one.name for one in fields(NameTypes)})
    if unknown:
        raise _wrong(f"names: unknown {', '.join(unknown)}", where)
    found = NameTypes(**table)
    words = [getattr(found, one.name).lower() for one in fields(NameTypes)]
    if len(set(words)) != len(words):
        raise _wrong("names: two of them have the same NameType", where)
    return found


def _texts(given: Any, name: str, where: str) -> list[str]:
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise _wrong(f"{name} {given!r} is no list of texts", where)
    return list(given)


def _table(given: Any, kind: type, name: str, where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not all(isinstance(one, kind) and one for one in given.values()):
        raise _wrong(f"{name} {given!r} is no table of {kind.__name__}", where)
    return {str(key): value for key, value in given.items()}


def _words_table(given: Any, known: tuple[str, ...], name: str, where: str) -> dict[str, Any]:
    """Return a table from the partner's words to ours."""
    found = _table(given, str, name, where)
    for word in found.values():
        if word not in known:
            raise _wrong(f"{name} {word!r}, known are {', '.join(known)}", where)
    return found


def _wrong(reason: str, where: str) -> MisconfiguredError:
    return MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where=where)
