"""`amihub billing storm`: in which districts nothing is billed on estimates, since when, by whom and why."""

import typer

app = typer.Typer(no_args_is_help=True, help="Storm mode: no bill rests on an estimate in a district while it is on.")

DISTRICT = typer.Argument(help="Reading district, as the reference data names it.")
WHO = typer.Option(..., "--by", help="Your name; kept with the act.")
WHY = typer.Option(..., "--reason", help="Why; kept with the act.")


@app.command()
def on(district: str = DISTRICT, *, who: str = WHO, why: str = WHY) -> None:
    """Stop estimates in a district: an item there that gets no read is answered NO_READ."""
    from flows.billing_exchange import storms
    from services.hub import open_hub

    with open_hub() as hub:
        done = storms.switch_on(district, by=who, reason=why, transaction=hub.transaction, now=hub.now())
    typer.echo(done)


@app.command()
def off(district: str = DISTRICT, *, who: str = WHO, why: str = WHY) -> None:
    """End the storm mode of a district; items without a read there are looked at again."""
    from flows.billing_exchange import storms
    from services.hub import open_hub

    with open_hub() as hub:
        done = storms.switch_off(district, by=who, reason=why, transaction=hub.transaction, now=hub.now())
    typer.echo(done)


@app.command()
def override(district: str = DISTRICT, *, who: str = WHO, why: str = WHY) -> None:
    """Allow estimates in a district although its storm goes on: the answer to work 6037 STORM_DECISION."""
    from flows.billing_exchange import storms
    from services.hub import open_hub

    with open_hub() as hub:
        done = storms.override(district, by=who, reason=why, transaction=hub.transaction, now=hub.now())
    typer.echo(done)


@app.command("list")
def list_command(
    *,
    limit: int = typer.Option(50, help="How many, the latest ones."),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """List storms, open ones first, with everything that people did about them."""
    from flows.billing_exchange import storms
    from services.billing_text import storm_lines, storms_to_json
    from services.hub import open_hub

    with open_hub() as hub:
        found = storms.list_storms(transaction=hub.transaction, limit=limit)
        policies = {name: hub.billing(name).policy.storm_districts for name in hub.site.billing_interfaces}
    if as_json:
        typer.echo(storms_to_json(found, policies))
        return
    for line in storm_lines(found, policies):
        typer.echo(line)
