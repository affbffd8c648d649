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
NOT_OF_WAVE = ErrorCode(
    "8043",
    "NOT_OF_WAVE",
    "The rules of the wave do not choose this usage point: its district, route, cycle, model, class or commodity.",
    "Nothing; put it into `include` of the wave if it is to be done anyway.",
    severity="INFO",
)
EXCLUDED_BY_RULE = ErrorCode(
    "8044",
    "EXCLUDED_BY_RULE",
    "The site has excluded this usage point from the wave: an opt-out, a special need, net metering.",
    "Nothing; what is installed there all the same is a deviation (EX18).",
    severity="INFO",
)
NOTHING_TO_EXCHANGE = ErrorCode(
    "8045",
    "NOTHING_TO_EXCHANGE",
    "No meter hangs at the usage point, several do, or the new model hangs there already.",
    "Have the masters put right, or allow first installations in the rules of the wave.",
    acts="operator",
    severity="WARNING",
)
IN_OTHER_WAVE = ErrorCode(
    "8046",
    "IN_OTHER_WAVE",
    "Another wave has an open order at the usage point.",
    "Nothing; it is done by the other wave.",
    severity="INFO",
)
WAVE_FULL = ErrorCode(
    "8047",
    "WAVE_FULL",
    "All days of the wave on which the usage point could be visited are full.",
    "Raise the capacity, move the last day, or plan another wave for the rest.",
    acts="operator",
    severity="WARNING",
)
NO_CLEAR_DAY = ErrorCode(
    "8048",
    "NO_CLEAR_DAY",
    "On every day of the wave the usage point is being billed, or its customer moves.",
    "Move the wave's days, or narrow `clear_before_days` and `clear_after_days`.",
    acts="operator",
    severity="WARNING",
)
CHANGED_SINCE_FROZEN = ErrorCode(
    "8049",
    "CHANGED_SINCE_FROZEN",
    "What the masters say of the usage point is not what it was when the wave's list was frozen.",
    "Look at `amihub rollout explain USAGE_POINT`; end what stands in the way, or `amihub rollout drop`.",
    acts="operator",
    severity="WARNING",
)
STOCK_SHORT = ErrorCode(
    "8050",
    "STOCK_SHORT",
    "Fewer meters lie in stock than the orders need that are to be released.",
    "Wait for the next shipment, release fewer days, or set `stock` of the wave to `warn`.",
    acts="operator",
)
NOT_TAKEN_BY_FIELD = ErrorCode(
    "8051",
    "NOT_TAKEN_BY_FIELD",
    "The work system refused an exchange order, or did not confirm it in time.",
    "Look at the delivery by `amihub messages`; replay it, or `amihub rollout again` for another day, or `drop`.",
    acts="operator",
)
ATTEMPTS_USED = ErrorCode(
    "8052",
    "ATTEMPTS_USED",
    "Crews were there as often as the wave allows, and could not exchange the meter.",
    "Speak to the customer; then `amihub rollout again` for another visit, or `amihub rollout drop`.",
    acts="operator",
)
WAVE_NOT_DONE = ErrorCode(
    "8053",
    "WAVE_NOT_DONE",
    "A wave cannot be closed: orders of it are open, or its frozen list does not hold.",
    "Look at `amihub rollout status WAVE`, and end what is open first.",
    acts="operator",
)
APPROVAL_MISSING = ErrorCode(
    "8054",
    "APPROVAL_MISSING",
    "This site has a person decide it, and nobody did.",
    "Give your name with `--by`.",
    acts="operator",
)
USAGE_POINT_UNKNOWN = ErrorCode(
    "8055",
    "USAGE_POINT_UNKNOWN",
    "No usage point that exists now has this mRID or name.",
    "Look for it with `amihub explain`, or give its mRID.",
    acts="operator",
)
