"""One stay of a meter at a usage point, in parts where the configuration of the meter changes while it hangs."""

from collections.abc import Mapping, Sequence
from typing import Any

from canonical.metering import FAR_FUTURE

Columns = dict[str, Any]

_CONFIGURED = ("multiplier", "registers")
"""Columns whose change parts an installation: register reads belong to it."""

OF_METER = ("manufacturer", "serial", "serial_normal", "commodity", *_CONFIGURED)
"""Columns of an installation that its meter's master says."""


def parted(stay: Columns, configurations: Sequence[Mapping[str, Any]]) -> list[Columns]:
    """Return one stay as its parts, each with the configuration that holds in it.

    `configurations` are versions of the meter's master in order of `valid_from`, at least one.
    """
    begun = [one for one in configurations if one["valid_from"] <= stay["installed_at"]]
    parts = [{**stay, **_said_by((begun or list(configurations))[-1 if begun else 0], stay)}]
    end = stay["removed_at"] or FAR_FUTURE
    for one in configurations:
        at, last = one["valid_from"], parts[-1]
        fresh = _said_by(one, last)
        if not last["installed_at"] < at < end or all(last[name] == fresh[name] for name in _CONFIGURED):
            continue
        parts[-1] = {**last, "removed_at": at}
        parts.append({**last, **fresh, "installed_at": at, "removed_at": stay["removed_at"], "split": True})
    return parts


def merged(stays: Sequence[Columns]) -> list[Columns]:
    """Return stays whole: parts that begin because of a configuration only are put back."""
    found: list[Columns] = []
    for stay in stays:
        if stay["split"] and found and found[-1]["usage_point"] == stay["usage_point"]:
            found[-1] = {**found[-1], "removed_at": stay["removed_at"]}
        else:
            found.append(stay)
    return found


def _said_by(configuration: Mapping[str, Any], stay: Columns) -> Columns:
    """Return what a configuration says of a stay; what it does not say stays as it is."""
    own = {name: configuration[name] for name in OF_METER}
    return {name: stay[name] if value in ("", "[]") and name in stay else value for name, value in own.items()}
