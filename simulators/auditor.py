"""The auditor: reads the books of CIS and MDMS and the city's truth, never the hub's, and says whether they agree.

    python -m simulators.auditor --run DIR [--json]

For every request of the CIS it computes from the truth what the bill must be, and follows it over the hops *requested*,
*acknowledged*, *loaded*, *billed*, *told to the MDMS*. Each disagreement names account and hop; any makes it exit 1.
Rounding rule: see `simulators.audit_truth` - thousandths, exact, no tolerance.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simulators.audit_books import Books, Request, open_books
from simulators.audit_items import Finding, audit_item, audit_twins
from simulators.audit_runs import audit_runs


@dataclass(slots=True)
class Hop:
    """Counts and energy at one hop, from the books of one system."""

    name: str
    source: str
    count: int = 0
    kwh: Decimal = Decimal(0)
    m3: Decimal = Decimal(0)

    def add(self, quantity: str, unit: str) -> None:
        """Count one item."""
        self.count += 1
        if unit == "kWh":
            self.kwh += Decimal(quantity)
        elif unit == "m3":
            self.m3 += Decimal(quantity)


@dataclass(slots=True)
class Report:
    """The auditor's result."""

    hops: list[Hop] = field(default_factory=list)
    unanswered: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def audit(run: Path) -> Report:
    """Return what the other systems' books say of a run, and where they disagree."""
    books = open_books(run)
    report = Report()
    for request in books.requests.values():
        report.findings.extend(audit_item(books, request))
    report.findings.extend(audit_twins(books))
    report.findings.extend(audit_runs(books))
    report.findings.extend(_strangers(books))
    report.hops = _hops(books)
    report.unanswered = _unanswered(books)
    return report


def _strangers(books: Books) -> list[Finding]:
    """Find bills and answers for which the CIS never asked."""
    known = books.requests
    return [
        Finding(a.account, "loaded", f"answer {a.determinant_id} to no request")
        for a in books.answers
        if a.request_id not in known
    ]


def _hops(books: Books) -> list[Hop]:
    requested, accepted = Hop("requested", "CIS"), Hop("acknowledged", "CIS")
    truth = Hop("billable by the city's truth", "city")
    for request in books.requests.values():
        requested.add("", "")
        if request.verdict == "ACCEPTED":
            accepted.add("", "")
        expected = books.expected(request)
        if expected is not None and request.reason != "REBILL":
            truth.add(*expected.total)
    loaded, unbilled = Hop("loaded", "CIS"), Hop("loaded without energy", "CIS")
    for answer in books.newest_answers():
        (loaded if answer.total else unbilled).add(answer.total, answer.unit)
    hops = [requested, accepted, truth, loaded, unbilled]
    for event in ("BILLED", "CANCELLED", "REBILLED"):
        hop = Hop(event.lower(), "CIS")
        for bill in books.bills:
            if bill.event == event:
                hop.add(bill.quantity, bill.unit)
        hops.append(hop)
    told = Hop("told to be billed", "MDMS")
    for notice in books.totals_told():
        told.add(*notice)
    return [*hops, told]


def _unanswered(books: Books) -> dict[str, int]:
    found: Counter[str] = Counter()
    for answer in books.newest_answers():
        if not answer.total:
            found[f"{answer.status} {answer.code}".strip()] += 1
    for request in books.requests.values():
        if request.verdict == "REJECTED":
            found[f"REJECTED at intake {request.code}".strip()] += 1
    return dict(sorted(found.items()))


def show(report: Report, console: Console) -> None:
    """Print the auditor's table and every disagreement."""
    table = Table(title="The auditor: what the other systems' books say")
    for column in ("hop", "books of", "items", "kWh", "m3"):
        table.add_column(column, justify="left" if column in ("hop", "books of") else "right")
    for hop in report.hops:
        table.add_row(hop.name, hop.source, f"{hop.count:,}", _figure(hop.kwh), _figure(hop.m3))
    console.print(table)
    for reason, count in report.unanswered.items():
        console.print(f"  unanswered: {count} x {reason}")
    if not report.findings:
        console.print("[bold green]Every book agrees with the city's truth, to the thousandth of a kWh.[/]")
    for finding in report.findings[:40]:
        console.print(
            f"[red]account {finding.account}, hop {finding.hop}: {finding.text}[/]", highlight=False, soft_wrap=True
        )
    if len(report.findings) > 40:
        console.print(f"[red]... and {len(report.findings) - 40} more[/]")


def _figure(quantity: Decimal) -> str:
    return f"{quantity:,.3f}" if quantity else ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Audit the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    report = audit(options.run)
    if options.json:
        sys.stdout.write(json.dumps(asdict(report), indent=1, default=str) + "\n")
    else:
        show(report, Console())
    sys.exit(1 if report.findings else 0)


__all__ = ["Request", "audit", "show"]


if __name__ == "__main__":
    main()
