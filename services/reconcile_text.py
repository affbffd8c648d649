"""What `amihub reconcile` prints: for people, as JSON, as CSV. Personal values only where they are asked for."""

import csv
import io
import json
from datetime import datetime
from typing import Any

from flows.reconciliation.merging import lines_of
from flows.reconciliation.orient import PERSONAL
from flows.reconciliation.policy import Policy
from flows.reconciliation.report import Report, age_of, next_step
from flows.reconciliation.run import Ran
from store.rows import Row

HIDDEN = "(personal)"
_COLUMNS = (
    *("id", "system", "class", "level", "kind", "object_id", "field", "cause", "why", "owner", "expected", "found"),
    *("state", "age", "seen", "first_seen_at", "opened_at", "by", "reason", "repair", "next"),
)


def ran_line(ran: Ran) -> str:
    """Return what one pass did, as one line."""
    if ran.is_loading:
        return "a first-time load is open: nothing is compared until its end"
    if not ran.run:
        return f"nothing to compare: no system has written an extract; {ran.merged} extracts taken in"
    end = "round complete" if ran.is_round else "round goes on"
    return (
        f"run {ran.run}: {ran.merged} extracts in force, {ran.refreshed} objects of the hub read anew, {ran.compared} "
        f"partitions compared ({ran.equal} equal), {ran.found} differences, {ran.opened} opened, {ran.closed} closed, "
        f"{end}"
    )


def report_lines(report: Report, policy: Policy, *, listed: bool, personal: bool) -> list[str]:
    """Return a report for people."""
    lines = [_system_line(name, row, report.at) for name, row in sorted(report.systems.items())]
    if report.round is not None:
        totals = report.round["totals"]
        ended = report.round["ended_at"]
        done = ", ".join(f"{totals.get(name, 0)} {name}" for name in ("compared", "equal", "opened", "closed"))
        lines.append(f"last round {report.round['number']} ended {ended:%Y-%m-%d %H:%MZ}: {done}")
    for label, system, own, other in report.uneven:
        lines.append(f"count {label}: the hub {own:,}, {system} {other:,}")
    for group in report.groups:
        lines.append(
            f"{group.objects:>7,}  {group.system:<8} {group.klass:<20} {group.level} {group.what:<24} "
            f"{group.cause:<12} {group.state:<9} {group.age:<12} {group.next_step}"
        )
    if listed:
        lines += [_difference_line(row, personal=personal) for row in report.differences]
    lines.append(f"{len(report.differences)} differences")
    return lines


def report_json(report: Report, policy: Policy, *, personal: bool) -> str:
    """Return a report as JSON."""
    told = {
        "at": report.at,
        "systems": [
            {"system": name, "watermark": row["watermark"], "extract": row["name"], "lines": lines_of(row)}
            for name, row in sorted(report.systems.items())
        ],
        "round": report.round and {"number": report.round["number"], "ended_at": report.round["ended_at"],
                                   **report.round["totals"]},
        "uneven": [dict(zip(("what", "system", "hub", "count"), one, strict=True)) for one in report.uneven],
        "groups": [
            {"system": one.system, "class": one.klass, "level": one.level, "what": one.what, "cause": one.cause,
             "state": one.state, "age": one.age, "objects": one.objects, "next": one.next_step}
            for one in report.groups
        ],
        "differences": [difference_facts(row, policy, report.at, personal=personal) for row in report.differences],
    }  # fmt: skip
    return json.dumps(told, indent=1, default=_plain)


def report_csv(report: Report, policy: Policy, *, personal: bool) -> str:
    """Return the differences of a report as CSV with a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in report.differences:
        facts = difference_facts(row, policy, report.at, personal=personal)
        writer.writerow({name: _safe(_plain_cell(facts.get(name, ""))) for name in _COLUMNS})
    return text.getvalue()


def difference_facts(row: Row, policy: Policy, at: datetime, *, personal: bool) -> dict[str, Any]:
    """Return one difference as programs are told of it."""
    hide = not personal and (row["kind"], row["field"]) in PERSONAL
    said = {system: HIDDEN if hide else word for system, word in row["said"].items()}
    return {
        "id": row["difference_id"], "system": row["system"], "class": row["klass"], "level": row["level"],
        "kind": row["kind"], "object_id": row["object_id"], "field": row["field"], "cause": row["cause"],
        "why": row["why"], "owner": row["owner"], "expected": HIDDEN if hide else row["expected"],
        "found": HIDDEN if hide else row["found"], "said": said, "evidence": row["evidence"], "state": row["state"],
        "age": age_of(row, at), "seen": row["seen"], "first_seen_at": row["first_seen_at"],
        "opened_at": row["opened_at"], "closed_at": row["closed_at"], "disposition": row["disposition"],
        "by": row["by"], "reason": row["reason"], "repair": row["repair"], "next": next_step(row, policy),
    }  # fmt: skip


def _difference_line(row: Row, *, personal: bool) -> str:
    hide = not personal and (row["kind"], row["field"]) in PERSONAL
    what = f"{row['kind']} {row['object_id']}" + (f" {row['field']}" if row["field"] else "")
    values = HIDDEN if hide else f"{row['expected'] or '-'} expected of {row['owner']}, {row['found'] or '-'} found"
    return (
        f"{row['difference_id'][:8]}  {row['state']:<9} {row['system']:<8} {row['klass']:<20} {what}: {values}; "
        f"{row['cause']}: {row['why']}"
    )


def _system_line(name: str, row: Row, at: datetime) -> str:
    age = (at - row["watermark"]).total_seconds() / 3600
    return (
        f"{name:<8} as of {row['watermark']:%Y-%m-%d %H:%MZ} ({age:.1f} h ago), {lines_of(row):,} lines {row['name']}"
    )


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _plain_cell(value: Any) -> str:
    return "" if value is None else _plain(value)


def _safe(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
