"""How good a value is: the hub's quality words, and the source's own code kept beside them."""

from enum import StrEnum


class Quality(StrEnum):
    """Canonical quality of a reading; each format maps its own letters to it and keeps the original."""

    VALIDATED = "VALIDATED"
    RAW = "RAW"
    ESTIMATED = "ESTIMATED"
    FINAL_SUBSTITUTE = "FINAL_SUBSTITUTE"
    SUBSTITUTED = "SUBSTITUTED"
    EDITED = "EDITED"
    QUESTIONABLE = "QUESTIONABLE"
    MISSING = "MISSING"
    UNUSABLE = "UNUSABLE"
    PRELIMINARY = "PRELIMINARY"
    CUSTOMER = "CUSTOMER"

    @property
    def is_estimate(self) -> bool:
        """Whether the value was computed rather than measured (an estimate or a substitute)."""
        return self in _ESTIMATES

    @property
    def is_usable(self) -> bool:
        """Whether a bill may rest on the value."""
        return self not in _UNUSABLE


_ESTIMATES = frozenset({Quality.ESTIMATED, Quality.FINAL_SUBSTITUTE, Quality.SUBSTITUTED, Quality.PRELIMINARY})
_UNUSABLE = frozenset({Quality.MISSING, Quality.UNUSABLE})
