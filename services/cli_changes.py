"""`amihub changes`: the change log of masters, who was told of what, and what waits for a person's decision."""

import getpass
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from flows.routing import Sending
    from services.hub import Hub

app = typer.Typer(no_args_is_help=True, help="Changes of masters: the log, who was told, what waits for approval.")

WORD = typer.Argument(help="Id of an object, or of a usage point for all that is about it.")
SUBSCRIBER = typer.Argument(help="Name in [subscribers].")
WAITING = typer.Argument(help="Id of a waiting change, or the beginning of it.")
WHO = typer.Option("", "--as", help="Your name; kept with the act.")
WHY = typer.Option(..., "--reason", help="Why; kept with the act.")
AS_JSON = typer.Option(False, "--json", help="As JSON.")


@app.command("list")
def list_command(*, limit: int = typer.Option(50, help="How many."), as_json: bool = AS_JSON) -> None:
    """List the last changes of masters, newest first."""
    _print_lines("", limit, as_json)


@app.command("show")
def show_command(word: str = WORD, *, limit: int = typer.Option(50, help="How many."), as_json: bool = AS_JSON) -> None:
    """Show the changes of one object, newest first, and what each subscriber was told of it."""
    from flows.master_data_feed import looking
    from services.hub import open_hub

    _print_lines(word, limit, as_json)
    if not as_json:
        with open_hub() as hub:
            for row in looking.told_of(word, transaction=hub.transaction):
                typer.echo(f"  {row['subscriber']:<16} {row['kind']:<14} {_stand(row)}")


@app.command("cursors")
def cursors_command(*, as_json: bool = AS_JSON) -> None:
    """Show how far each subscriber has read the log, and how many objects stand how."""
    from flows.master_data_feed import looking
    from services.hub import open_hub
    from services.site_subscribers import subscribers_of

    with open_hub() as hub:
        names = [one.name for one in subscribers_of(hub.site.model)]
        rows = looking.standings(names, transaction=hub.transaction)
    if as_json:
        _echo_json(rows)
        return
    for row in rows:
        states = ", ".join(f"{number} {state}" for state, number in row["states"].items()) or "nothing told"
        at = "has not begun" if row["position"] is None else f"at {row['position']}, {row['behind']} lines behind"
        typer.echo(f"{row['subscriber']:<16} {at:<28} {states}")


@app.command("status")
def status_command(
    subscriber: str = SUBSCRIBER,
    *,
    state: str = typer.Option("", help="awaiting, synchronized, error, cancelled, by_hand or due; all without it."),
    limit: int = typer.Option(100, help="How many."),
    as_json: bool = AS_JSON,
) -> None:
    """Show what a subscriber was told of each object and what it answered, what is not synchronized first."""
    from flows.master_data_feed import looking
    from services.hub import open_hub

    with open_hub() as hub:
        rows = looking.told(subscriber, state=state, limit=limit, transaction=hub.transaction)
    if as_json:
        _echo_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['kind']:<14} {row['object_id']:<40} {_stand(row)}")


@app.command("resend")
def resend_command(subscriber: str = SUBSCRIBER, object_id: str = WORD) -> None:
    """Have a subscriber told of an object again, with the next pass."""
    from flows.master_data_feed import looking
    from services.hub import open_hub

    with open_hub() as hub:
        number = looking.resend(subscriber, object_id, transaction=hub.transaction)
    typer.echo(f"{number} things of {object_id} are told to {subscriber} again")
    if not number:
        raise typer.Exit(1)


@app.command("feed")
def feed_command() -> None:
    """Tell every subscriber now what is news to it; `amihub serve` and the DAG do so by themselves."""
    from services.hub import open_hub
    from services.master_data_feed import feed_pass

    with open_hub() as hub:
        for one in feed_pass(hub):
            typer.echo(f"{one.subscriber:<16} {one.objects} objects, {one.files} files, {one.answered} answered")


@app.command("waiting")
def waiting_command() -> None:
    """List the changes that reach further back than the site allows, and wait for a person."""
    from flows.master_data_sync import approval
    from services.hub import open_hub

    with open_hub() as hub:
        for row in approval.asked(transaction=hub.transaction):
            typer.echo(f"{row['waiting_id']}  {row['source']} message {row['message_id']}: {row['reason']}")


@app.command("approve")
def approve_command(waiting_id: str = WAITING, who: str = WHO, reason: str = WHY) -> None:
    """Apply a change that waited for approval, and tell it on."""
    from flows.master_data_sync import approval
    from services.hub import open_hub
    from services.site_routing import master_data_policy

    with open_hub() as hub:
        verdict = approval.approve(
            waiting_id,
            approval.Act(who or getpass.getuser(), reason),
            policy=master_data_policy(hub.site.model),
            sending=_sending(hub),
            transaction=hub.transaction,
        )
    typer.echo(
        f"{verdict.object_type} {verdict.object_id}: {verdict.disposition} {verdict.code} {verdict.reason}".rstrip()
    )


@app.command("refuse")
def refuse_command(waiting_id: str = WAITING, who: str = WHO, reason: str = WHY) -> None:
    """Let a change that waited for approval never be applied."""
    from flows.master_data_sync import approval
    from services.hub import open_hub

    with open_hub() as hub:
        act = approval.Act(who or getpass.getuser(), reason)
        approval.refuse(waiting_id, act, sending=_sending(hub), transaction=hub.transaction)
    typer.echo("refused")


@app.command("correct")
def correct_command(
    work_id: str = typer.Argument(help="Id of the work item 3019 BACKDATED_OVER_BILLED."),
    who: str = WHO,
    reason: str = WHY,
) -> None:
    """Have the billed periods that a back-dated change touches calculated again; the interface decides what follows."""
    from flows.master_data_sync import approval
    from services.hub import open_hub

    with open_hub() as hub:
        act = approval.Act(who or getpass.getuser(), reason)
        looked = approval.correct(work_id, act, sending=_sending(hub), transaction=hub.transaction)
    typer.echo(f"{looked} billing items are calculated again")


@app.command("prune")
def prune_command(older_than: str = typer.Option("400d", help="Age in days of the lines that go.")) -> None:
    """Drop old lines of the log, never those that a subscriber has not read."""
    from flows.master_data_feed import looking
    from services.hub import open_hub
    from services.site_subscribers import subscribers_of
    from services.spool import days_of

    with open_hub() as hub:
        names = [one.name for one in subscribers_of(hub.site.model)]
        before = hub.now() - days_of(older_than)
        typer.echo(f"dropped {looking.prune(names, before=before, transaction=hub.transaction)} lines")


def _sending(hub: "Hub") -> "Sending":
    from flows.routing import Sending
    from services.site_routing import encoder_of, routes_of

    return Sending(routes_of(hub.site.model), encoder_of(hub.port, hub.spool), hub.now())


def _print_lines(word: str, limit: int, as_json: bool) -> None:
    from flows.master_data_feed import looking
    from services.hub import open_hub

    with open_hub() as hub:
        rows = looking.lines(word, limit=limit, transaction=hub.transaction)
    if as_json:
        _echo_json(rows)
        return
    for row in rows:
        since = f"{row['valid_from']:%Y-%m-%d %H:%M}" if row["valid_from"] else ""
        what = f"{row['kind']} {row['object_id']} {row['effect']} from {since}: {row['fields']}"
        typer.echo(f"{row['sequence']:>8}  {row['known_at']:%Y-%m-%d %H:%M}  {row['source'] or '-':<12} {what}")


def _stand(row: dict[str, Any]) -> str:
    """Return how a subscriber stands with an object, as text."""
    answer = f" {row['code']} {row['reason']}".rstrip() if row["code"] else ""
    return f"{row['state']:<13} told {row['told_at']:%Y-%m-%d %H:%M}, {row['times']} times{answer}"


def _echo_json(rows: list[dict[str, Any]]) -> None:
    import json

    typer.echo(json.dumps(rows, default=str, indent=2))
