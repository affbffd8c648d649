"""What a site file may say of reconciliation: `[reconcile]`, its systems, and what is repaired without a person."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from canonical.holdings import FIELDS, Kind

KindName = Kind
ClassName = Literal["MISSING_IN_X", "EXTRA_IN_X", "FIELD_DIFF", "EFFECTIVE_DATE_DIFF"]


class ReconcileSystemSection(BaseModel):
    """How the extract of one role is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: tuple[KindName, ...] = tuple(FIELDS)
    """Kinds that are compared."""

    fields: dict[KindName, tuple[str, ...]] = Field(default_factory=dict)
    """Fields that it holds; of a kind that is not named, those that its extract states are compared where stated."""

    dates: tuple[KindName, ...] = ("installation", "agreement", "topology")
    """Kinds whose begin and end are compared."""

    @model_validator(mode="after")
    def _fields_exist(self) -> "ReconcileSystemSection":
        """Check that each kind has the fields that are named."""
        for kind, names in self.fields.items():
            wrong = sorted(set(names) - set(FIELDS[kind]))
            if wrong:
                raise ValueError(f"{kind} has no field {wrong[0]!r}; it has {', '.join(FIELDS[kind])}")
        return self


class RepairSection(BaseModel):
    """Differences that are repaired without a person; an empty key means any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: tuple[ClassName, ...] = ()
    kinds: tuple[KindName, ...] = ()
    fields: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    """Roles that are told, or `hub`."""


class ReconcileSection(BaseModel):
    """How the systems of a site are compared; the defaults where it says nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    in_transit_hours: float = Field(4.0, gt=0)
    """How long a change may be on its way before it is a difference, business time."""

    portion: int = Field(64, ge=1, le=1024)
    """Partitions, of 1,024, that one pass compares."""

    snapshot_hours: float = Field(36.0, gt=0)
    """Age of a system's last extract above which a person is told."""

    mapping_from: int = Field(5, ge=2)
    """Objects of which one value is always held as the same other one, from which it counts as a wrong translation."""

    automatic: bool = False
    """Whether each round ends with the repairs that [[reconcile.repair]] allows."""

    pairs: tuple[tuple[str, str], ...] = ()
    """Roles that are compared with each other directly; each is compared with the hub anyway."""

    owners: dict[str, str] = Field(default_factory=dict)
    """System of record by `kind.field` or `kind`, where it is not that of [masters.records]."""

    systems: dict[str, ReconcileSystemSection] = Field(default_factory=dict)
    repair: tuple[RepairSection, ...] = ()

    @field_validator("owners")
    @classmethod
    def _owners_are_of_things(cls, owners: dict[str, str]) -> dict[str, str]:
        """Check that each owner is one of a kind, or of one of its fields."""
        known: dict[str, tuple[str, ...]] = dict(FIELDS.items())
        for name in owners:
            kind, _, field = name.partition(".")
            if kind not in known or (field and field not in known[kind]):
                raise ValueError(f"there is no {name!r}")
        return owners


def keys_of(path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand in the section at `path`, for "did you mean"."""
    if path[1:2] == ("systems",):
        return list(ReconcileSystemSection.model_fields)
    return list((RepairSection if path[1:2] == ("repair",) else ReconcileSection).model_fields)
