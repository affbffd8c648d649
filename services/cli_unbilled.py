"""`amihub unbilled`: count what is delivered and on no bill, and look at it."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

import typer

from services.report_output import write

app = typer.Typer(no_args_is_help=True, help="Unbilled revenue: count a day, look at it by reason, age, class, cycle.")

DAY = typer.Option(None, "--date", formats=["%Y-%m-%d"], help="Business day of the utility.")


class By(StrEnum):
    """By what the totals are grouped."""

    REASON = "reason"
    CLASS = "class"
    CYCLE = "cycle"
    AGE = "age"
    TARIFF = "tariff"
    COMMODITY = "commodity"


class Shape(StrEnum):
    """How a report is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


GROUPED = typer.Option(By.REASON, "--by", help="What the totals are grouped by.")
SHAPE = typer.Option(Shape.TABLE, "--format", help="csv has a line for each entry, all else the totals.")
OUTPUT = typer.Option(None, "--output", "-o", help="File to write; the screen without it.")

SINCE = typer.Option(..., "--since", formats=["%Y-%m-%d"], help="First business day of the equation.")


@app.command()
def run(*, day: datetime | None = DAY) -> None:
    """Count a business day: today up to now, or a past one up to its end. The same day again replaces it."""
    from services.hub import open_hub
    from services.unbilled_pass import unbilled_pass

    with open_hub() as hub:
        counted = unbilled_pass(hub, day=_date(day))
    typer.echo(f"{counted.day}: {counted.entries} entries as of {counted.as_of:%Y-%m-%d %H:%MZ}")


@app.command()
def report(
    *,
    day: datetime | None = DAY,
    by: By = GROUPED,
    shape: Shape = SHAPE,
    output: Path | None = OUTPUT,
    limit: int = typer.Option(20, min=1, help="How many of the entries that are worth most."),
) -> None:
    """Show a counted day (the latest without a date): totals, reasons by age, what is worth most, the trend."""
    from flows.unbilled import read_report
    from services.hub import open_hub

    with open_hub() as hub:
        found = read_report(transaction=hub.transaction, day=_date(day), by=by.value, limit=limit)
        if shape is Shape.CSV:
            from flows.unbilled.report import read_entries
            from services.unbilled_text import csv_lines

            write(csv_lines(read_entries(transaction=hub.transaction, day=found.day), found.run), output)
            return
    if shape is Shape.HTML:
        from services.unbilled_page import report_to_html

        write([report_to_html(found)], output)
        return
    from services.unbilled_text import report_lines, report_to_json

    text = report_to_json(found) if shape is Shape.JSON else "\n".join(report_lines(found))
    write([f"{text}\n"], output)


@app.command("balance")
def balance_command(*, since: datetime = SINCE, day: datetime | None = DAY) -> None:
    """Prove a counted day: register + billed + exceptions = delivered, measured anew from the reads alone."""
    from flows.unbilled import balance, read_report
    from services.hub import open_hub
    from services.unbilled_pass import unbilled_policy

    with open_hub() as hub:
        counted = read_report(transaction=hub.transaction, day=_date(day), limit=1, listed=1).day
        policy = unbilled_policy(hub.site)
        found = balance(policy, since=since.date(), day=counted, transaction=hub.transaction)
    for one in found:
        typer.echo(str(one))
        for usage_point, difference in one.differences.items():
            typer.echo(f"  {usage_point}: {difference:+,f} {one.unit}")


def _date(day: datetime | None) -> date | None:
    """Return the date that a person typed."""
    return day.date() if day is not None else None
