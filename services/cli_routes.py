"""`amihub routes`: routes that people walk to read meters, handed out by day."""

import json
from datetime import date, datetime
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Manual routes: hand out, list what was handed out.")


@app.command()
def extract(
    *,
    route: Annotated[
        list[str] | None, typer.Option("--route", help="Route; several in their order. Without it all that are due.")
    ] = None,
    day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Local day on which it is walked.")],
    again: Annotated[bool, typer.Option("--again", help="Hand it out anew, with a new number.")] = False,
) -> None:
    """Hand routes out for one local day. One that was handed out for that day stays as it was.

    Due are the routes on which a bill cycle is read that day, and somebody by hand. With `routes_ahead_days` of
    [rollout] passes hand them out by themselves.
    """
    from flows.manual_route import extract as extract_route
    from flows.manual_route import routes_due
    from services.hub import open_hub
    from services.rollout_files import route_policy, sending_of

    if again and not route:
        raise typer.BadParameter("--again needs --route: say which")
    with open_hub() as hub:
        policy, on = route_policy(hub.site.model), date(day.year, day.month, day.day)
        names = route or routes_due(on, policy=policy, transaction=hub.transaction)
        for name in names:
            done = extract_route(
                name, on, policy=policy, sending=sending_of(hub), transaction=hub.transaction, again=again
            )
            how = (
                "handed out" if done.is_new else "was handed out before" if done.sequence else "nobody is read by hand"
            )
            typer.echo(f"{name} {done.business_date}: {how}, number {done.sequence}, {done.stops} stops")
    if not names:
        typer.echo(f"No route is due on {on} that was not handed out: `amihub routes list`")


@app.command("list")
def list_command(
    *,
    route: Annotated[str, typer.Option(help="One route; all without it.")] = "",
    limit: Annotated[int, typer.Option(help="How many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON for programs.")] = False,
) -> None:
    """List what was handed out, newest first, with how many stops are out, read, skipped, stale or suppressed."""
    from flows.manual_route.looking import handed_out
    from services.hub import open_hub

    with open_hub() as hub:
        rows = handed_out(route=route, limit=limit, transaction=hub.transaction)
    if as_json:
        typer.echo(json.dumps(rows, default=str, indent=1))
        return
    for row in rows:
        when = f"{row['extracted_at']:%Y-%m-%d %H:%MZ}"
        place = f"{row['sequence']:06d}  {row['route']:<16} {row['business_date']}  {when}"
        typer.echo(f"{place}  {row['state']:<10} {row['stops']:>5}")
    typer.echo(f"{len(rows)} lines")
