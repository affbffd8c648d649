"""Meters by way of which others are read: they are replaced with all that hangs on them, never just taken away."""

from flows.meter_rollout.facts import Facts
from store.rows import Row


def gateway_in_use(facts: Facts) -> str:
    """GATEWAY: a meter was removed for good, by which gas or water meters are read still."""
    if facts.completion.installed is not None:
        return ""
    left = behind(facts)
    return f"{len(left)} meters are read by it: {', '.join(one['slave'] for one in left)}" if left else ""


def behind(facts: Facts) -> list[Row]:
    """Return the meters that are read by way of the removed one when it goes."""
    at = facts.removed_at
    return [
        row
        for row in facts.slaves.get(facts.old_meter, ())
        if row["since"] <= at and (row["until"] is None or at < row["until"])
    ]
