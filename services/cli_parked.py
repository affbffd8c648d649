"""`amihub parked`: what could not be handled or delivered, and what a person decides about it."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.settling import Decision
    from services.hub import Hub

app = typer.Typer(no_args_is_help=True, help="What could not be handled or delivered: look, replay, confirm, waive.")

Id = Annotated[str, typer.Argument(help="Entry number of a message, or id of a delivery, as `parked list` prints it")]
By = Annotated[str, typer.Option("--as", help="Who decides; kept with the act")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people")]


@app.command(name="list")
def list_parked(as_json: AsJson = False) -> None:
    """List parked messages and deliveries, and deliveries whose confirmation is overdue."""
    from flows import inquiry
    from services.hub import open_hub
    from services.ledger_text import parked_line, to_json

    with open_hub() as hub:
        waiting = inquiry.parked(transaction=hub.transaction)
    if as_json:
        typer.echo(to_json(waiting))
        return
    for one in waiting:
        typer.echo(parked_line(one))
    typer.echo(f"{len(waiting)} parked" if waiting else "Nothing is parked.")


@app.command()
def show(subject: Id, as_json: AsJson = False) -> None:
    """Print everything kept about a parked message or delivery, its attempts and the acts upon it."""
    from flows import inquiry
    from services.hub import open_hub
    from services.ledger_text import shown_lines, to_json

    with open_hub() as hub:
        shown = inquiry.show(subject, transaction=hub.transaction)
    typer.echo(to_json(shown) if as_json else "\n".join(shown_lines(shown)))


@app.command()
def replay(
    subject: Id,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come of it, and do nothing")] = False,
    line: Annotated[int, typer.Option(help="Only the rejected item on this line of the file")] = 0,
    by: By = "",
) -> None:
    """Try ONE thing again: a delivery is sent again, a message or file that came in is handled again.

    A delivery goes with the same key and bytes, one attempt however often it is ordered. A message, or a file that was
    refused, is handled from the archived bytes under the same id; of a file that was taken, the rejected items are. Its
    sender's next repeat gets the new outcome; a file's sender gets a new acknowledgement.
    """
    from flows.delivery import replay as order
    from services.hub import open_hub
    from services.ledger_text import replay_lines, retake_line

    with open_hub() as hub:
        name = by or getpass.getuser()
        if subject.isdigit():
            from services.inbound import take_again

            taken = take_again(hub, int(subject), by=name, line=line, dry_run=dry_run)
            typer.echo(retake_line(subject, taken, dry_run=dry_run))
            raise typer.Exit(int(taken.result in ("FAILED", "REJECTED", "BUSY")))
        made = order(
            subject,
            transaction=hub.transaction,
            now=hub.now(),
            machine_now=hub.machine_now(),
            by=name,
            dry_run=dry_run,
        )
    typer.echo("\n".join(replay_lines(made, dry_run=dry_run)))


@app.command()
def confirm(
    subject: Annotated[str, typer.Argument(help="Id of a delivery, as `parked list` prints it")],
    reason: Annotated[str, typer.Option(help="How you know that it arrived; kept with the act")],
    by: By = "",
) -> None:
    """Say in the destination's stead that it has a delivery; a part of the billing drop counts as loaded whole."""
    from flows.settling import confirm as decide
    from services.hub import open_hub

    with open_hub() as hub:
        name = by or getpass.getuser()
        typer.echo(decide(subject, _decision(hub, name, reason), transaction=hub.transaction))


@app.command()
def waive(
    subject: Id,
    reason: Annotated[str, typer.Option(help="Why nothing needs to be done; kept with the act")],
    by: By = "",
) -> None:
    """Settle a parked message or delivery, or one that nobody confirmed in time, without doing anything more.

    Lines of a part of the billing drop then count as not loaded under your name, and its run can close.
    """
    from flows.settling import waive as decide
    from services.hub import open_hub

    with open_hub() as hub:
        name = by or getpass.getuser()
        typer.echo(decide(subject, _decision(hub, name, reason), transaction=hub.transaction))


def _decision(hub: "Hub", by: str, reason: str) -> "Decision":
    """Return who decides now and why."""
    from flows.settling import Decision

    interfaces = {name: hub.billing(name) for name in hub.site.billing_interfaces}
    return Decision(by, reason, hub.now(), interfaces)
