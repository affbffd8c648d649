"""`amihub messages`: find what came in, see what became of it, follow what it caused."""

from datetime import UTC, datetime
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Find messages, see what became of them, follow what they caused.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people")]


@app.command()
def search(
    source: Annotated[str, typer.Option(help="System that sent it, such as `cis`")] = "",
    state: Annotated[str, typer.Option(help="received, working, done, parked or waived")] = "",
    correlation: Annotated[str, typer.Option(help="Correlation id of the conversation")] = "",
    key: Annotated[str, typer.Option(help="Entity that it is about (usage point, meter, stream), or message id")] = "",
    since: Annotated[datetime | None, typer.Option(help="Arrived at this time or later, UTC")] = None,
    until: Annotated[datetime | None, typer.Option(help="Arrived before this time, UTC")] = None,
    limit: Annotated[int, typer.Option(help="Newest so many")] = 50,
    as_json: AsJson = False,
) -> None:
    """List messages that came in, newest first; all options together narrow the list."""
    from flows import inquiry
    from services.hub import open_hub
    from services.ledger_text import message_line, to_json

    wanted = inquiry.Wanted(
        source=source,
        state=state,
        correlation_id=correlation,
        business_key=key,
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC),
        limit=limit,
    )
    with open_hub() as hub:
        found = inquiry.search(wanted, transaction=hub.transaction)
    if as_json:
        typer.echo(to_json(found))
        return
    for facts in found:
        typer.echo(message_line(facts))
    typer.echo(f"{len(found)} messages" + (f" (the newest {limit})" if len(found) == limit else ""))


@app.command()
def show(
    entry: Annotated[str, typer.Argument(help="Entry number of a message, or id of a delivery")],
    as_json: AsJson = False,
) -> None:
    """Print one message or delivery: header, what became of it, the reply, every attempt, who did what."""
    from flows import inquiry
    from services.hub import open_hub
    from services.ledger_text import shown_lines, to_json

    with open_hub() as hub:
        shown = inquiry.show(entry, transaction=hub.transaction)
    typer.echo(to_json(shown) if as_json else "\n".join(shown_lines(shown)))


@app.command()
def findings(
    source: Annotated[str, typer.Option(help="System that sent the messages")] = "",
    as_json: AsJson = False,
) -> None:
    """Say where messages that were taken break the standard: by sender and element, how many messages, how often."""
    from flows import message_findings
    from services.hub import open_hub
    from services.ledger_text import to_json

    with open_hub() as hub:
        found = message_findings.counts(transaction=hub.transaction, source=source)
    if as_json:
        typer.echo(to_json(found))
        return
    for one in found:
        typer.echo(
            f"{one['source']:<12} {one['operation']:<28} {one['messages']:>6} messages  {one['times']:>6} times  "
            f"last {one['last']:%Y-%m-%dT%H:%M:%SZ}  {one['xpath']}"
        )
    typer.echo(f"{len(found)} places")


@app.command()
def trace(
    word: Annotated[str, typer.Argument(help="Entry number, message, correlation or delivery id, entity, file name")],
    as_json: AsJson = False,
) -> None:
    """Print a whole conversation as a tree: what came in, what it caused, where that went, who confirmed it."""
    from flows import inquiry
    from services.hub import open_hub
    from services.ledger_text import to_json, tree_lines

    with open_hub() as hub:
        nodes = inquiry.trace(word, transaction=hub.transaction)
    typer.echo(to_json(nodes) if as_json else "\n".join(tree_lines(nodes)))
