"""`amihub parked`: what could not be handled or delivered, and what a person decides about it."""

import getpass
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="What could not be handled or delivered: look, replay, waive.")

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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and the last outcome")] = False,
    by: By = "",
) -> None:
    """Send ONE delivery again: same key, same bytes, one attempt however often it is ordered.

    A message is released instead: it is handled anew when its sender sends it again.
    """
    from flows import inquiry
    from flows.delivery import replay as order
    from services.hub import open_hub
    from services.ledger_text import replay_lines

    with open_hub() as hub:
        name = by or getpass.getuser()
        if subject.isdigit():
            if not dry_run:
                inquiry.release(int(subject), transaction=hub.transaction, now=hub.now(), by=name)
            typer.echo(f"message {subject}: {'would be' if dry_run else 'is'} handled anew when it is sent again")
            return
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
def waive(
    subject: Id,
    reason: Annotated[str, typer.Option(help="Why nothing needs to be done; kept with the act")],
    by: By = "",
) -> None:
    """Settle a parked message or delivery without sending or handling it."""
    from flows import inquiry
    from services.hub import open_hub

    with open_hub() as hub:
        name = by or getpass.getuser()
        inquiry.waive(subject, transaction=hub.transaction, now=hub.now(), by=name, reason=reason)
    typer.echo(f"{subject} waived by {name}: {reason}")
