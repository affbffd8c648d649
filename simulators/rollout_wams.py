"""A work and asset management system: takes field orders and meters in stock, and tells what its crews did.

    CIM_PASSWORD=... CIM_HUB_PASSWORD=... python -m simulators.rollout_wams --name WAMS --port N --books DIR
        --cert WAMS.pem --hub https://127.0.0.1:N/cim --ca CA.pem [--queue wams, with CIM_BROKER=amqp://...]

An order that changes or withdraws one that it does not know is refused by 2.15, a change of a meter that it does not
have by 2.4. Its books are `work` (orders, with how often each was told), `object` (meters) and `sent`.

POST /control/completions   {"works": [...], "batch": 50}: tells what crews did, so many in a message; each work as in
                            `simulators.cim_nouns.work`: usage_point, order, removed, installed, removed_at,
                            installed_at, or state `unable` / `reversed` with `at` and `reason`. The book says DONE.
"""

from typing import Any

from simulators.cim_mdms import answer_held
from simulators.cim_system import System, Taken, send
from simulators.cim_taking import fault_of, take_exchanges, take_links, take_objects, take_orders
from simulators.cim_web import run
from simulators.cim_wire import Heard, children, identity_of, text_of

_OPEN = ("planned", "cancelled")
_CHANGES = ("change", "changed", "close", "closed", "delete", "deleted")


def take(system: System, one: Heard) -> Taken:
    """Take a message into the books, or say what is wrong with it."""
    if one.verb == "get":
        return answer_held(system, one)
    works = children(one.payload, "MeterServiceWork") if one.payload is not None else []
    if works and all(text_of(work, "status/value") in _OPEN for work in works):
        faults = take_orders(system, one)
        return Taken(tuple(faults), some=len(faults) < len(works))
    if works:
        take_exchanges(system, one)
    elif one.noun == "MasterDataLinkageConfig":
        take_links(system, one)
    else:
        return take_meters(system, one)
    return Taken()


def take_meters(system: System, one: Heard) -> Taken:
    """Take meters; what changes one that it does not have is refused."""
    meters = children(one.payload, "Meter") if one.payload is not None else []
    unknown = [
        identity_of(each)
        for each in meters
        if one.verb in _CHANGES and not system.books.has("Meter", identity_of(each))
    ]
    for each in meters:
        if identity_of(each) in unknown and one.payload is not None:
            one.payload.remove(each)
    take_objects(system, one, "Meter", "UsagePoint", "ComModule")
    faults = tuple(fault_of("Meter", identity, "2.4", "unknown meter") for identity in unknown)
    return Taken(faults, some=len(faults) < len(meters))


def completions(system: System, order: dict[str, Any]) -> dict[str, Any]:
    """Tell the hub what crews did, in messages of a batch each; return the answers."""
    works, size = list(order["works"]), int(order.get("batch", 50))
    answers = [
        send(system, {"verb": "created", "noun": "MeterServiceRequests", "objects": works[at : at + size]})
        for at in range(0, len(works), size)
    ]
    states = {"unable": "UNABLE", "reversed": "REVERSED"}
    done = [(states.get(one.get("state", ""), "DONE"), one["order"]) for one in works if one.get("order")]
    with system.books.db:
        system.books.db.executemany("UPDATE work SET state = ? WHERE order_id = ?", done)
    return {"works": len(works), "answers": answers}


if __name__ == "__main__":
    run(take, __doc__ or "", acts={"completions": completions})
