"""What a person decides about a held item, or about a run that does not add up."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from canonical.codes.billing import ITEM_REFUSED, RUN_DOES_NOT_BALANCE
from canonical.codes.configuration import WORK_NOT_POSSIBLE
from canonical.errors import RejectedError
from flows.billing_exchange import ladder
from flows.billing_exchange.cancels import cancel_items
from flows.billing_exchange.interface import BEFORE_SENT, State
from flows.billing_exchange.stored import determinant_from_text, determinant_to_text
from store import billing, billing_items, determinants
from store.billing_items import Change
from store.rows import Row
from store.session import Session


def release(session: Session, request_id: str, *, by: str, reason: str, now: datetime) -> str:
    """Put a held item back to VALIDATED and return what was done.

    The figures that were held go out as they are. An item that the receiver refused goes again as the next version.
    One without figures (a period asked for twice), or that was answered HELD already, is calculated again by the next
    pass, and its holds are not asked a second time.

    Raises:
        RejectedError: the work is not about an item, or the item is not held (WORK_NOT_POSSIBLE).
    """
    item = _item(session, request_id)
    held_answer = item["status"] == "HELD" and item["state"] in (State.SENT, State.ACKED, State.BATCHED)
    if item["state"] != State.HELD and not held_answer:
        raise RejectedError(f"request {request_id} is {item['state']}, not held", code=WORK_NOT_POSSIBLE)
    if item["code"] == str(ITEM_REFUSED):
        return _send_again(session, item, by=by, reason=reason, now=now)
    name = (item["determinant_id"], item["sent_version"] + 1)
    figures = determinants.payloads(session, {name}).get(name)
    ready = figures is not None and figures["status"] not in ("NO_READ", "HELD", "REJECTED")
    if figures is not None and ready and item["state"] == State.HELD:
        values: dict[str, Any] = {
            "state": State.VALIDATED, "status": figures["status"], "version": figures["version"], "via": "run",
            "step": "", "next_due_at": None, "released": True, "code": "",
        }  # fmt: skip
        billing_items.change(session, [{"item_id": item["item_id"], **values}])
        change = Change(item["item_id"], (item["state"], State.VALIDATED), f"released: {reason}", by)
        billing_items.note(session, [change], now=now)
        return "released; it goes with the next part"
    step = ladder.RECHECK
    if item["state"] == State.HELD and not item["answer"]:
        # Never calculated (a period asked for twice): it starts on the ladder like any other item.
        state, step = State.COLLECTING, ladder.FIRST
    else:
        state = item["state"]
    again = {"state": state, "released": True, "step": step, "next_due_at": now, "via": ""}
    billing_items.change(session, [{"item_id": item["item_id"], **again}])
    billing_items.note(session, [Change(item["item_id"], (item["state"], state), f"released: {reason}", by)], now=now)
    return "released; the next pass calculates it"


def cancel(session: Session, request_id: str, *, by: str, reason: str, now: datetime) -> str:
    """Withdraw an item whose answer did not leave the hub, and return what was done.

    Raises:
        RejectedError: the work is not about an item, or its answer left already (WORK_NOT_POSSIBLE).
    """
    item = _item(session, request_id)
    if item["state"] not in BEFORE_SENT or item["sent_version"]:
        raise RejectedError(f"request {request_id} is {item['state']}: its answer left already", code=WORK_NOT_POSSIBLE)
    cancel_items(session, [item], why=reason, by=by, now=now)
    return "cancelled"


def waive_run(session: Session, about: Mapping[str, Any], *, by: str, reason: str, now: datetime) -> str:
    """Close the run that a waived work item is about, where it does not balance, and return what was done."""
    if about["code"] != str(RUN_DOES_NOT_BALANCE):
        return "waived"
    note = f"closed by {by}: {reason}"
    billing.change_run(session, about["run_id"], state="WAIVED", closed_at=now, note=note)
    return "waived; the run is closed under your name"


def _send_again(session: Session, item: Row, *, by: str, reason: str, now: datetime) -> str:
    """Send the refused determinant again, as its next version, with the same figures."""
    old = determinants.payloads(session, {(item["determinant_id"], item["sent_version"])})
    row = old.get((item["determinant_id"], item["sent_version"]))
    if row is None:
        raise RejectedError(f"version {item['sent_version']} is not held", code=WORK_NOT_POSSIBLE)
    version = item["sent_version"] + 1
    determinant = replace(determinant_from_text(row["payload"]), version=version)
    trail = [*json.loads(row["trail"]), f"released by {by}: {reason}"]
    fresh = {**row, "version": version, "payload": determinant_to_text(determinant), "trail": json.dumps(trail)}
    determinants.add(session, [fresh])
    values = {"state": State.VALIDATED, "version": version, "via": "run", "released": True, "code": "",
              "status": row["status"]}  # fmt: skip
    billing_items.change(session, [{"item_id": item["item_id"], **values}])
    change = Change(item["item_id"], (item["state"], State.VALIDATED), f"released: {reason}", by)
    billing_items.note(session, [change], now=now)
    return f"released; it goes again as version {version}"


def _item(session: Session, request_id: str) -> Row:
    """Return the item of a request id."""
    found = billing_items.of_request(session, request_id) if request_id else []
    if len(found) != 1:
        reason = f"{len(found)} billing items answer to request {request_id!r}" if request_id else "it is about no item"
        raise RejectedError(reason, code=WORK_NOT_POSSIBLE)
    return found[0]
