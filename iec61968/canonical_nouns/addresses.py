"""Postal places and telephone numbers: CIM's compounds to plain lines and back."""

from canonical.master_data import Address
from iec61968.nouns.customer_elements import StreetAddress, StreetDetail, TelephoneNumber, TownDetail


def address_from_street(address: StreetAddress) -> Address:
    """prefix, name, type and suffix of a street are one line, the town's code the post code."""
    street, town = address.street_detail or StreetDetail(), address.town_detail or TownDetail()
    line = " ".join(filter(None, (street.prefix, street.name, street.type, street.suffix)))
    return Address(
        street=line or street.address_general or "",
        number=street.number or "",
        suite=street.suite_number or "",
        town=town.name or "",
        region=town.state_or_province or "",
        postal_code=town.code or "",
        country=town.country or "",
    )


def street_from_address(address: Address) -> StreetAddress:
    """Return the postal place as CIM15 has it; its StreetAddress has no post code, so the town's code bears it."""
    street = StreetDetail(
        name=address.street or None, number=address.number or None, suite_number=address.suite or None
    )
    town = TownDetail(
        code=address.postal_code or None,
        country=address.country or None,
        name=address.town or None,
        state_or_province=address.region or None,
    )
    return StreetAddress(
        street_detail=street if street != StreetDetail() else None,
        town_detail=town if town != TownDetail() else None,
    )


def telephone_from_parts(number: TelephoneNumber) -> str:
    """Return a telephone number in the order in which it is dialed."""
    parts = (number.country_code, number.area_code, number.city_code, number.local_number, number.extension)
    return " ".join(filter(None, parts))


def parts_from_telephone(number: str) -> TelephoneNumber:
    """Return a telephone number whose parts are not known: all of it is the local number."""
    return TelephoneNumber(local_number=number)
