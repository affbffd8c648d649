"""The port of a CIS over IEC 61968-9 web services: told of master data, exchanges and readings. No state."""

from collections.abc import Mapping

from adapters.cis_cim.settings import settings_from
from iec61968.system_port import SystemPort

PINGED = ("ReceiveCustomerAgreementConfig", "ReceiveMeterReadings")
"""Services that tell whether it is there."""


def build(settings: Mapping[str, object]) -> SystemPort:
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing or wrong.
    """
    return SystemPort(settings_from(settings), pinged=PINGED)
