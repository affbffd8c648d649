"""The port of a head-end over IEC 61968-9 web services: told of shipped meters, commissionings and links. No state."""

from collections.abc import Mapping

from adapters.hes_cim.settings import settings_from
from iec61968.system_port import SystemPort

PINGED = ("ExecuteMeterConfig",)
"""Services that tell whether it is there."""


def build(settings: Mapping[str, object]) -> SystemPort:
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing or wrong.
    """
    return SystemPort(settings_from(settings), pinged=PINGED)
