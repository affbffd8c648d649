"""The register as one page of HTML that needs nothing else: no network, no script, light and dark."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from canonical.unbilled import AGES, EVIDENCE, Reason
from flows.unbilled.report import Report, Total
from services.page_template import page
from services.unbilled_plots import reasons_by_age, trend
from services.unbilled_text import energy_of, entry_to_dict, money_of


def report_to_html(report: Report) -> str:
    """Return the page of a report."""
    digits = report.run["minor_digits"]
    worth = sum(one.money_minor for one in report.totals)
    calm = sum(
        one.money_minor for (reason, _), each in report.matrix.items() if reason == Reason.IN_CYCLE for one in each
    )
    lists = (
        ("Worth most", report.top),
        ("Meters without agreement (NO_SA)", report.without_agreement),
        ("Agreements without meter (NO_METER)", report.without_meter),
    )
    return page("unbilled_page.template").render(
        report=report,
        as_of=f"{report.run['as_of']:%Y-%m-%d %H:%M} UTC",
        ages=AGES,
        worth=worth,
        overdue=worth - calm,
        calm=calm,
        unpriced=sum(one.unpriced for one in report.totals),
        money=lambda minor: money_of(minor, digits),
        energy=_energy,
        # Drawn by this package, every text in it escaped.
        bars=Markup(reasons_by_age(report)),  # noqa: S704
        columns=Markup(trend(report)),  # noqa: S704
        matrix=_matrix(report),
        lists=[(title, [entry_to_dict(one, report.run) for one in entries]) for title, entries in lists],
    )


def _energy(micro: int) -> str:
    """Return a quantity as the page shows it: whole units above a thousand."""
    return f"{Decimal(micro).scaleb(-6):,.0f}" if abs(micro) >= 1_000_000_000 else energy_of(micro)


def _matrix(report: Report) -> list[dict[str, Any]]:
    """Return the rows of the table of reasons by age: those that have an entry, with a sum behind."""
    most = max((_worth(each) for (name, _), each in report.matrix.items() if name != Reason.IN_CYCLE), default=0)
    rows = []
    for reason in Reason:
        cells = [report.matrix.get((reason, age), ()) for age in AGES]
        if any(cells):
            together = [one for each in cells for one in each]
            heat = 0 if reason is Reason.IN_CYCLE else most
            shown = [_cell(each, heat) for each in cells] + [_cell(together, 0)]
            rows.append({"reason": reason.value, "evidence": EVIDENCE[reason], "cells": shown})
    return rows


def _cell(totals: Sequence[Total], most: int) -> dict[str, Any]:
    """Return one cell: entries, worth, energy by unit, and how strongly it is colored."""
    units = dict.fromkeys(one.unit for one in totals)
    return {
        "entries": sum(one.entries for one in totals),
        "worth": _worth(totals),
        "energy": [f"{_energy(sum(o.quantity_micro for o in totals if o.unit == unit))} {unit}" for unit in units],
        "heat": f"{0.55 * _worth(totals) / most:.2f}" if most > 0 and _worth(totals) > 0 else "",
    }


def _worth(totals: Sequence[Total]) -> int:
    return sum(one.money_minor for one in totals)
