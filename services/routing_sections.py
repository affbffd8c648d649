"""What a site file may say of master data, territories and routes; the rules between them are in `site_routing`."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SystemKind = Literal["cis", "wams", "mdms", "hub"]


class _Section(BaseModel):
    """A section whose unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MasterDataSection(_Section):
    """Master data that other systems tell: without this section nobody takes it."""

    search_interval_minutes: float = Field(240.0, gt=0)
    """Between two looks for an object that is not there yet, in business time."""

    search_attempts: int = Field(6, ge=1)
    """Looks before what waits becomes work for a person."""

    origins: dict[Literal["link", "exchange"], SystemKind] = Field(default_factory=dict)
    """Which kind of system begins links and meter exchanges; any where it is not said."""


class TerritorySection(_Section):
    """A part of the site that has a CIS or an MDMS of its own."""

    customer_system: str = ""
    """Role of its CIS."""

    meter_data: str = ""
    """Role of its MDMS."""

    districts: tuple[str, ...] = ()
    """Districts, as masters state them, of the usage points that lie in it."""

    names: tuple[str, ...] = ()
    """Patterns, such as `N-*`, of mRIDs and names of the usage points that lie in it; they go before districts."""

    created_by: tuple[str, ...] = ()
    """Roles whose usage points lie in it, where neither name nor district says where."""


class WhereSection(_Section):
    """What an object must be for a route to carry it; every key that is given must fit."""

    territory: tuple[str, ...] = ()
    district: tuple[str, ...] = ()
    customer_class: tuple[str, ...] = ()
    commodity: tuple[Literal["ELECTRICITY", "GAS", "WATER"], ...] = ()


class RouteSection(_Section):
    """One route; routes are looked at in the file's order."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    to: tuple[str, ...] = ()
    """Roles; `customer_system` and `meter_data` mean those of the object's territory."""

    nouns: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    """Imperatives, such as `create`; what is announced (`created`) is meant with them. Empty: any."""

    sources: tuple[str, ...] = Field(default=(), alias="from")
    """Callers or roles that it comes from; empty: any."""

    where: WhereSection = WhereSection()
    last: bool = False
    """Whether routes behind it are not looked at for what it carries."""


SECTIONS: dict[str, type[BaseModel]] = {
    "master_data": MasterDataSection,
    "territories": TerritorySection,
    "routes": RouteSection,
}


def keys_of(section: str, path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand in one of these sections, for "did you mean"."""
    if section == "routes" and path[2:3] == ("where",):
        return list(WhereSection.model_fields)
    fields: dict[str, Any] = SECTIONS[section].model_fields
    return [field.alias or name for name, field in fields.items()]
