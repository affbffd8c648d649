"""First-time loads as text for a terminal, and as JSON for programs."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flows.master_load import Report, Status
from flows.master_load.report import FileProgress


def status_lines(status: Status, *, machine_now: datetime) -> list[str]:
    """Return how a run stands, a fact a line."""
    run = status.run
    lines = [
        f"load {run['run_id']}: {run['state']}" + (f" ({run['reason']})" if run["reason"] else ""),
        f"  started {run['started_at']:%Y-%m-%d %H:%MZ} by {run['started_by']}; history: {run['history']};"
        f" pauses above {run['error_percent']} % errors",
    ]
    lines += [f"  {file_line(one, machine_now=machine_now)}" for one in status.files]
    lines += [f"  {role}: its FULL file is awaited" for role in status.awaited]
    if run["messages"]:
        lines.append(f"  messages of {', '.join(run['messages'])} are loaded at the end: `amihub load finish`")
    lines.append(
        f"  {status.items} items, {status.errors} errors, {status.waiting} wait for others,"
        f" {status.queued} changes wait for the end"
    )
    return lines


def file_line(file: FileProgress, *, machine_now: datetime) -> str:
    """Return how far one file is."""
    speed = f", {file.items_per_s:,.0f} items/s" if file.items_per_s else ""
    left = f", {eta_text(file.eta, machine_now)} left" if file.eta is not None else ""
    return f"{file.role}: {file.name} {file.percent:3} % ({file.taken} of {file.items}{speed}{left})"


def eta_text(eta: datetime, machine_now: datetime) -> str:
    """Return how long it will take, in words for people."""
    seconds = max(0, round((eta - machine_now).total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds % 60:02} s"


def report_lines(report: Report) -> list[str]:
    """Return what became of the items of a run."""
    run = report.status.run
    lines = [f"load {run['run_id']}: {run['state']}"]
    for kind, own in report.counts.items():
        words = ", ".join(f"{number} {name}" for name, number in sorted(own.items()))
        lines.append(f"  {kind or 'unreadable lines':<16} {sum(own.values()):>9}  {words}")
    if report.reasons:
        lines.append("not in the masters:")
        lines += [
            f"  {row['number']:>9}  {row['kind'] or 'line'} {row['state']} {row['code']}" for row in report.reasons
        ]
    for one in report.exceptions:
        where = f"{one['role']} line {one['line']}"
        lines.append(f"  {where}: {one['kind'] or 'line'} {one['object_id']}: {one['code']}: {one['reason']}")
    held = ", ".join(f"{number} {kind}" for kind, number in report.things.items() if number)
    lines.append(f"the masters hold {held or 'nothing'}")
    return lines


def status_facts(status: Status) -> dict[str, Any]:
    """Return how a run stands, for JSON."""
    return {
        "run": dict(status.run),
        "files": [
            {
                "role": one.role, "name": one.name, "state": one.state, "watermark": one.watermark,
                "taken": one.taken, "items": one.items, "percent": one.percent,
                "items_per_s": round(one.items_per_s, 1), "eta": one.eta,
            }
            for one in status.files
        ],
        "awaited": list(status.awaited), "waiting": status.waiting, "queued": status.queued,
        "items": status.items, "errors": status.errors,
    }  # fmt: skip


def report_json(report: Report) -> str:
    """Return a report as JSON."""
    return to_json(
        {
            **status_facts(report.status),
            "counts": {kind: dict(own) for kind, own in report.counts.items()},
            "reasons": [dict(row) for row in report.reasons],
            "exceptions": [dict(one) for one in report.exceptions],
            "things": dict(report.things),
        }
    )


def to_json(facts: dict[str, Any] | Sequence[Any]) -> str:
    """Return facts as JSON; instants and exact numbers as text."""
    return json.dumps(facts, indent=2, default=str)
