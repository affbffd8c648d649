"""The site's billing interfaces as the flow takes them: policy, roles, owners, how each feed is to be read."""

from dataclasses import replace
from datetime import timedelta

from flows.billing_exchange import Interface
from services.billing_policy import policy_of
from services.feeds import multipliers_of
from services.site_file import Site

KINDS = {
    "meter_data_system": "mdms",
    "customer_system": "cis",
    "meter_data_files": "mdms_files",
    "work_system": "wams",
    "head_end": "hes",
    "outage_system": "oms",
    "route_reader": "route_reader",
    "partner": "partner",
}
"""What a role of each kind is called on the ladder."""


def billing_interface(site: Site, name: str) -> Interface:
    """Return the billing interface of that name.

    Raises:
        MisconfiguredError: a key of its table is unknown or does not fit; file and line are named.
    """
    section, roles = site.model.billing[name], site.model.roles
    policy = policy_of(name, section.policy_values, where=site.where(("billing", name)))
    policy = replace(
        policy,
        customer_system=section.customer_system,
        partner=section.partner,
        inboxes=section.inboxes,
        meter_data=section.meter_data,
        # What people read ranks behind what meters said, whether a feed was named for it or a route reader brought it.
        manual_sources=policy.manual_sources | {name for name, said in roles.items() if said.kind == "route_reader"},
    )
    return Interface(
        name=name,
        policy=policy,
        sender=site.model.site.sender,
        env=site.model.site.env,
        multipliers=multipliers_of(site.model, otherwise=section.meter_data),
        owners=site.model.work.owners,
        sync_wait=timedelta(hours=section.sync_wait_hours),
        roles=frozenset(roles) | {KINDS[said.kind] for said in roles.values()},
        timeout_s=section.timeout_seconds,
    )
