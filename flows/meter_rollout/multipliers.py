"""Multipliers that differ, where the site has them overwritten (EX06, `multiplier_policy = "APPLY"`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from canonical.master_data import Meter
from flows.master_columns import multiplier_text
from flows.master_data_sync import record
from flows.master_data_sync.masters import MASTERS
from flows.meter_rollout.facts import Facts
from flows.meter_rollout.stays import Stays
from flows.reference_rows import configurations_of
from store.master_changes import Provenance
from store.session import Session


@dataclass(frozen=True, slots=True)
class Applied:
    """The multiplier that a meter has from its installation on."""

    value: Decimal
    at: datetime
    by: Provenance


def wanted(facts: Facts, by: Provenance) -> Applied | None:
    """Return the multiplier that counts where one differs: the one that the CIS told, else the one that was seen."""
    told = facts.multipliers.get(facts.new_meter, {})
    cis = [Decimal(text) for system, text in sorted(told.items()) if system in facts.policy.sources.get("cis", ())]
    value = cis[-1] if cis else facts.completion.multiplier_seen
    known = facts.configuration(facts.new_meter, facts.installed_at)
    if value is None or known is None or value == Decimal(known["multiplier"]):
        return None
    return Applied(value, facts.installed_at, by)


def apply(session: Session, meters: Mapping[str, Applied], stays: Stays, *, now: datetime) -> None:
    """Overwrite the multipliers of meters, before it is written how they hang."""
    for meter, one in sorted(meters.items()):
        record.state_fields(
            session,
            MASTERS[Meter],
            meter,
            {"multiplier": multiplier_text(one.value)},
            at=one.at,
            stamp=f"{now.astimezone(UTC).isoformat(timespec='microseconds')} {one.by.message_id}",
            begins=False,
            by=one.by,
            now=now,
        )
    stays.configurations = {**stays.configurations, **configurations_of(session, meters)}
