"""Billing runs as people read them, and as JSON."""

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from flows.billing_exchange.status import RunStatus
from flows.billing_exchange.stored import plain


def run_line(one: RunStatus) -> str:
    """Return one run on one line."""
    run, sums = one.run, one.balance
    name = f"{run['business_date']} {run['run_type']} cycle {run['cycle']} #{run['sequence']}"
    window = f"{run['window_end']:%m-%d %H:%MZ}" if run["window_end"] else "no window"
    return (
        f"{name}  {run['state']:<9} until {window}  accepted {sums.accepted}/{sums.scheduled}"
        f"  sent {sums.sent}  acked {sums.acked}  billed {sums.billed}/{sums.to_bill}  open work {len(one.work)}"
    )


def status_lines(one: RunStatus) -> list[str]:
    """Return one run in full: hops, the unanswered, parts, work, equations that break."""
    sums = one.balance
    lines = [run_line(one), f"  request file {one.run['file_name']}"]
    if one.run["note"]:
        lines.append(f"  note: {one.run['note']}")
    counts = ", ".join(f"{(name or 'open').lower()} {count}" for name, count in sorted(sums.answers.items()))
    lines.append(f"  accepted {sums.accepted} = {counts or 0}; rejected {sums.rejected}, repeated {sums.duplicates}")
    lines.append(f"  sent {sums.sent} = acked {sums.acked} + nacked {sums.nacked} + pending {sums.pending}")
    lines += [f"  {hop}: {plain(value)}" for hop, value in sorted(sums.kwh.items())]
    lines += [f"  unanswered: {count} x {reason}, {plain(risk)} at risk" for reason, count, risk in sums.unanswered]
    for part in one.parts:
        said = f" {part['ack_verdict']} {part['ack_reason']}".rstrip()
        lines.append(f"  part {part['name'] or part['file_id']}: {part['items']} items, {part['state']}{said}")
    for item in one.work:
        due = f"{item['due_at']:%m-%d %H:%MZ}" if item["due_at"] else "no due time"
        lines.append(f"  work {item['work_id'][:8]} {item['queue']} until {due}: {item['code']} {item['summary']}")
    lines += [f"  DOES NOT ADD UP: {broken}" for broken in sums.breaks if one.run["state"] != "OPEN"]
    return lines


def status_to_json(found: Sequence[RunStatus]) -> str:
    """Return runs as JSON: counts as numbers, quantities as text."""
    rows = []
    for one in found:
        sums = one.balance
        rows.append(
            {
                "run_id": one.run["run_id"],
                "file": one.run["file_name"],
                "run_type": one.run["run_type"],
                "cycle": one.run["cycle"],
                "business_date": one.run["business_date"],
                "state": one.run["state"],
                "window_end": one.run["window_end"],
                "scheduled": sums.scheduled,
                "accepted": sums.accepted,
                "rejected": sums.rejected,
                "duplicates": sums.duplicates,
                "answers": {name or "OPEN": count for name, count in sums.answers.items()},
                "sent": sums.sent,
                "acked": sums.acked,
                "nacked": sums.nacked,
                "pending": sums.pending,
                "billed": sums.billed,
                "to_bill": sums.to_bill,
                "quantities": sums.kwh,
                "unanswered": [
                    {"reason": reason, "items": count, "at_risk": risk} for reason, count, risk in sums.unanswered
                ],
                "parts": [
                    {"name": part["name"], "items": part["items"], "state": part["state"]} for part in one.parts
                ],
                "open_work": [
                    {"work_id": w["work_id"], "code": w["code"], "key": w["key"], "queue": w["queue"],
                     "due_at": w["due_at"], "at_risk": w["at_risk_kwh"], "summary": w["summary"]}
                    for w in one.work
                ],
                "breaks": list(sums.breaks),
            }
        )  # fmt: skip
    return json.dumps(rows, indent=2, default=_text)


def _text(value: object) -> str:
    """Return decimals without exponent, instants in ISO 8601."""
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def storm_lines(found: Sequence[Mapping[str, Any]], fixed: Mapping[str, Collection[str]]) -> list[str]:
    """Return storms for people; `fixed` are the districts that the site file itself names, by interface."""
    lines = []
    for one in found:
        state = "over" if one["ended_at"] else "estimates allowed" if one["overridden_at"] else "no estimates"
        until = f" until {one['ended_at']:%Y-%m-%d %H:%MZ}" if one["ended_at"] else ""
        lines.append(f"{one['district']}  {state}  since {one['since']:%Y-%m-%d %H:%MZ}{until}")
        lines += [f"  {act['at']:%Y-%m-%d %H:%MZ} {act['act']} {act['by']}: {act['reason']}" for act in one["acts"]]
    named = [(name, sorted(districts)) for name, districts in sorted(fixed.items()) if districts]
    lines += [f"{', '.join(districts)}  no estimates by the site file, interface {name}" for name, districts in named]
    return lines or ["no district is in storm mode. `amihub billing storm on DISTRICT` begins one."]


def storms_to_json(found: Sequence[Mapping[str, Any]], fixed: Mapping[str, Collection[str]]) -> str:
    """Return storms as JSON."""
    said = {"storms": [dict(one) for one in found], "site_file": {name: sorted(each) for name, each in fixed.items()}}
    return json.dumps(said, indent=2, default=_text)
