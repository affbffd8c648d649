"""Codes of shipments of new meters, of returned ones, and of routes that people walk to read meters."""

from canonical.errors import ErrorCode

KEY_IN_CLEAR = ErrorCode(
    "8090",
    "KEY_IN_CLEAR",
    "A shipment file carries a security key in clear, or one of which nobody says how it is wrapped.",
    "Treat the key as known to others: have the manufacturer change it, and send the file with wrapped keys.",
)
LOT_FAILED = ErrorCode(
    "8091",
    "LOT_FAILED",
    "The lot of a meter failed its acceptance test: none of its meters must be hung.",
    "Send it back, or release the lot by `amihub shipments release LOT --by NAME --reason WHY`.",
    acts="operator",
)
LOT_UNKNOWN = ErrorCode(
    "8092",
    "LOT_UNKNOWN",
    "No shipment has a lot of that name, or several manufacturers have one.",
    "Look at `amihub shipments list`; name the manufacturer where two use the same name.",
    acts="operator",
)
STOCK_STATE = ErrorCode(
    "8093",
    "STOCK_STATE",
    "A meter is not where it would have to be: only what came back, or is blocked, can be disposed of.",
    "Look at `amihub shipments show METER`.",
    acts="operator",
)
SHIPPED_OTHERWISE = ErrorCode(
    "8094",
    "SHIPPED_OTHERWISE",
    "A shipment says other things of a meter that left the stock already.",
    "Compare both shipments; what was hung stays as it was shipped.",
)
METER_NOT_TAKEN = ErrorCode(
    "8095",
    "METER_NOT_TAKEN",
    "A system refused meters of a shipment, or did not take all of a message.",
    "Look at what it says of each, mend it there, and replay the delivery.",
    acts="operator",
)
ROUTE_STALE = ErrorCode(
    "8096",
    "ROUTE_STALE",
    "A meter reader brought a read of a meter that was exchanged after the route was handed out.",
    "Nothing is billed by it. Look whether it is the final read of the old meter; the route is right the next time.",
    acts="billing",
)
METER_FAILED = ErrorCode(
    "8097",
    "METER_FAILED",
    "A meter failed its own test at the factory: it must not be hung, whatever becomes of its lot.",
    "Send it back, or dispose of it by `amihub shipments dispose METER`.",
    acts="operator",
)
