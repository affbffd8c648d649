"""The port of a work system over IEC 61968-9 web services: told of field orders, exchanges and stock. No state."""

from collections.abc import Mapping

from adapters.wams_cim.settings import settings_from
from iec61968.system_port import SystemPort

PINGED = ("ExecuteMeterServiceRequests", "ExecuteMeterConfig")
"""Services that tell whether it is there."""


def build(settings: Mapping[str, object]) -> SystemPort:
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing or wrong.
    """
    return SystemPort(settings_from(settings), pinged=PINGED)
