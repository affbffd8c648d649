"""`amihub billing`: run a pass of a billing interface by hand, see how its runs stand, stop estimates in a storm."""

import typer

from services.cli_billing_storm import app as storm_app

app = typer.Typer(no_args_is_help=True, help="Run billing passes by hand; see runs, what is unanswered, and why.")
app.add_typer(storm_app, name="storm")

INTERFACE = typer.Argument(help="Billing interface of the site file: [billing.NAME].")


@app.command()
def run(
    interface: str = INTERFACE,
    *,
    until_quiet: bool = typer.Option(
        False, "--until-quiet", help="Repeat until a pass brings nothing new: no file, no due item, no part."
    ),
    most: int = typer.Option(20, min=1, help="Most passes of one call."),
) -> None:
    """Run one pass: take in, advance what is due, hand on, deliver, verdict. Exit 1 when the verdict is red."""
    from services.billing_by_hand import run_pass
    from services.hub import open_hub

    ok = True
    with open_hub() as hub:
        for _ in range(most):
            done = run_pass(hub, interface)
            typer.echo(done.text)
            ok = ok and done.verdict.ok
            if done.is_quiet or not until_quiet:
                break
    for failure in done.verdict.failures:
        typer.secho(failure, fg=typer.colors.RED, err=True)
    if not ok:
        raise typer.Exit(1)


@app.command()
def status(
    interface: str = INTERFACE,
    *,
    closed: bool = typer.Option(False, "--closed", help="Show closed runs too."),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """Show every open run: counts and energy at each hop, the unanswered with reason and kWh at risk, open work."""
    from flows.billing_exchange.status import status as status_of
    from services.billing_text import status_lines, status_to_json
    from services.hub import open_hub

    with open_hub() as hub:
        found = status_of(hub.billing(interface), transaction=hub.transaction, closed=closed)
    if as_json:
        typer.echo(status_to_json(found))
        return
    if not found:
        typer.echo(f"{interface}: no open run. `amihub billing runs {interface}` shows closed ones.")
    for one in found:
        typer.echo("\n".join(status_lines(one)))


@app.command()
def runs(interface: str = INTERFACE, *, limit: int = typer.Option(30, help="How many, newest last.")) -> None:
    """List the latest runs of an interface, one line each."""
    from flows.billing_exchange.status import status as status_of
    from services.billing_text import run_line
    from services.hub import open_hub

    with open_hub() as hub:
        for one in status_of(hub.billing(interface), transaction=hub.transaction, closed=True, limit=limit):
            typer.echo(run_line(one))
