"""Settings of a CIS over IEC 61968-9, as the site file gives them (docs/adapters/cis_cim.md)."""

from collections.abc import Mapping

from iec61968.system_port import System, system_from


def settings_from(given: Mapping[str, object]) -> System:
    """Return the settings of a role; it is told by events unless they say otherwise.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning.
    """
    return system_from(given, where="cis_cim settings", form="event", source="cis")
