"""`amihub rollout report`: how a rollout goes, for people, programs and spreadsheets."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from services.report_output import write

Wave = Annotated[str, typer.Argument(help="Name of one wave; the whole rollout without it.")]
Day = Annotated[
    datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="A past local day, as it was known at its end.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Csv = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Every figure as a line: table, name, measure.")
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="One page with plots; needs no network.")]


def report_command(
    wave: Wave = "", *, day: Day = None, as_json: AsJson = False, csv: Csv = None, html: Html = None
) -> None:
    """Tell how it goes: planned against done, burn-down, open deviations with their age, what is left unbilled.

    A table, or with an option JSON, a CSV file, a page; several at once.
    """
    from flows.meter_rollout.report import read_report
    from services import rollout_report_text as text
    from services.hub import open_hub
    from services.site_rollout import rollout_policy

    with open_hub() as hub:
        found = read_report(
            policy=rollout_policy(hub.site.model),
            transaction=hub.transaction,
            now=hub.now(),
            wave=wave,
            day=day.date() if day is not None else None,
        )
    if csv is not None:
        write(text.csv_lines(found), csv)
    if html is not None:
        from services.rollout_page import report_to_html

        write([report_to_html(found)], html)
    if as_json:
        write([f"{text.report_to_json(found)}\n"], None)
    elif csv is None and html is None:
        write((f"{line}\n" for line in text.report_lines(found)), None)
