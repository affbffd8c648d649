"""Codes of the waves of a meter rollout: why a usage point is not planned, why a wave or an order stands still."""

from canonical.errors import ErrorCode

ROLLOUT_STATE = ErrorCode(
    "8040",
    "ROLLOUT_STATE",
    "A wave or an exchange order was to go to a state that does not follow its own.",
    "Look at `amihub rollout status` what state it is in, and do what that state allows.",
    acts="operator",
)
WAVE_UNKNOWN = ErrorCode(
    "8041",
    "WAVE_UNKNOWN",
    "No wave of this name stands in the site file, or it was never planned.",
    "Write [rollout.waves.NAME] into the site file and run `amihub rollout plan NAME`.",
    acts="operator",
)
ORDER_UNKNOWN = ErrorCode(
    "8042",
    "ORDER_UNKNOWN",
    "No exchange order has this id.",
    "Look at `amihub rollout explain USAGE_POINT` for the orders of the usage point.",
    acts="operator",
)
