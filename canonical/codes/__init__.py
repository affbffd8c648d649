"""The catalogue of error codes, one file for each area of numbers; `ALL` holds every entry by number.

Add a code to the file of its area as a module constant; docs/errors.md is generated from here and tested both ways.
"""

from types import ModuleType

from canonical.codes import (
    billing,
    configuration,
    exchange,
    file,
    identity,
    linkage,
    master_load,
    message,
    messaging,
    reconciliation,
    rollout,
    rollout_corrections,
    rollout_steps,
    rollout_waves,
    shipments,
    transport,
)
from canonical.errors import ErrorCode

MODULES = (
    message,
    exchange,
    messaging,
    identity,
    linkage,
    master_load,
    configuration,
    billing,
    file,
    transport,
    reconciliation,
    rollout,
    rollout_corrections,
    rollout_steps,
    rollout_waves,
    shipments,
)
"""The areas of the catalogue."""


def of_module(module: ModuleType) -> tuple[ErrorCode, ...]:
    """Return the codes that one area's module defines, in order of number."""
    return tuple(sorted((c for c in vars(module).values() if isinstance(c, ErrorCode)), key=lambda c: c.number))


ALL: dict[str, ErrorCode] = {code.number: code for module in MODULES for code in of_module(module)}
"""Every code of the catalogue by its four digits."""
