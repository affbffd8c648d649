"""`amihub events`: what devices told, by source and kind; what no dialect knows; how often each code came."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="What devices told: events, unmapped codes, counts by code.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people")]


@app.command("list")
def list_command(
    source: Annotated[str, typer.Option(help="System that told it, such as `hes`")] = "",
    meter: Annotated[str, typer.Option(help="mRID or serial of the device")] = "",
    kind: Annotated[str, typer.Option(help="Such as POWER_LOST")] = "",
    unmapped: Annotated[bool, typer.Option("--unmapped", help="Only codes that the source's dialect lacks")] = False,
    limit: Annotated[int, typer.Option(help="Newest so many")] = 200,
    as_json: AsJson = False,
) -> None:
    """List events of devices, newest first."""
    from flows.end_device_events import WantedEvents, list_events
    from services.hub import open_hub
    from services.ledger_text import to_json

    with open_hub() as hub:
        found = list_events(WantedEvents(source, meter, kind.upper(), unmapped, limit), transaction=hub.transaction)
    if as_json:
        typer.echo(to_json(found))
        return
    for one in found:
        device = one["meter"] or one["serial"] or one["usage_point"]
        ended = f"  closed {one['closed_at']:%Y-%m-%dT%H:%M:%SZ}" if one["closed_at"] else ""
        typer.echo(
            f"{one['occurred_at']:%Y-%m-%dT%H:%M:%SZ}  {one['source']:<12} {one['kind'] or 'UNMAPPED':<20} "
            f"{one['code']:<14} {one['severity']:<12} {device}  told {one['told']}x{ended}"
        )
    typer.echo(f"{len(found)} events")


@app.command("counts")
def counts_command(as_json: AsJson = False) -> None:
    """Say how often each source told each code, what it is taken for, and how many alarms are still open."""
    from flows.end_device_events import count_events
    from services.hub import open_hub
    from services.ledger_text import to_json

    with open_hub() as hub:
        found = count_events(transaction=hub.transaction)
    if as_json:
        typer.echo(to_json(found))
        return
    for one in found:
        typer.echo(
            f"{one['source']:<12} {one['code']:<14} {one['kind'] or 'UNMAPPED':<20} {one['events']:>8} events  "
            f"told {one['told']}x  {one['open']} open"
        )
