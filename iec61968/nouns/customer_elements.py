"""Addresses and other compounds of the customer's nouns (CIM15)."""

from iec61968.nouns.shape import compound, part


@compound
class StreetDetail:
    """House and street."""

    address_general: str | None = None
    building_name: str | None = None
    code: str | None = None
    name: str | None = None
    number: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    suite_number: str | None = None
    type: str | None = None
    within_town_limits: bool | None = None


@compound
class TownDetail:
    """Town and country."""

    code: str | None = None
    country: str | None = None
    name: str | None = None
    section: str | None = None
    state_or_province: str | None = None


@compound
class StreetAddress:
    """A postal place."""

    street_detail: StreetDetail | None = None
    town_detail: TownDetail | None = None


@compound
class TelephoneNumber:
    """A telephone number in parts."""

    area_code: str | None = None
    city_code: str | None = None
    country_code: str | None = None
    extension: str | None = None
    local_number: str | None = None


@part
class CoordinateSystem:
    """What coordinates are counted in."""

    crs_urn: str | None = None


@part
class PositionPoint:
    """A point of a place."""

    sequence_number: int | None = None
    x_position: str | None = None
    y_position: str | None = None
    z_position: str | None = None
