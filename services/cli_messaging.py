"""`amihub messaging`: what lies in the queues, making them, and giving back what was parked."""

from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, help="Queues: how full they are, make them, give back what was parked.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people")]


@app.command()
def status(as_json: AsJson = False) -> None:
    """Print how full every queue is, who reads it, and the age of its oldest message where the queue knows it."""
    from dataclasses import asdict

    from services.ledger_text import to_json

    with _queues() as queues:
        depths = queues.depths()
    if as_json:
        typer.echo(to_json([asdict(one) for one in depths]))
        return
    width = max((len(one.queue) for one in depths), default=0)
    for one in depths:
        typer.echo(f"{one.queue:{width}}  {_depth(one)}")


@app.command()
def declare() -> None:
    """Make the queues of this site that are not there; those that are there as stated stay as they are."""
    with _queues() as queues:
        names = queues.declare()
    typer.echo(f"{len(names)} queues are there")


@app.command()
def drain(
    key: Annotated[str, typer.Argument(help="Whose parked messages: `in.NAME` or `out.NAME` of [messaging]")],
    limit: Annotated[int, typer.Option(help="At most so many, the oldest first", min=1)] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show them, with the code why, and move nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Move parked messages back into the queues from which they came: each once more, as if it were new.

    A body is never printed: it may hold personal data. `amihub parked show` prints what the hub itself took.
    """
    from services.ledger_text import to_json

    with _queues() as queues:
        if not dry_run:
            typer.echo(f"{queues.drain(key, limit=limit)} moved back from {key}")
            return
        found = queues.parked(key, limit=limit)
    if as_json:
        typer.echo(to_json([_told(one) for one in found]))
        return
    for one in found:
        told = _told(one)
        typer.echo("  ".join(str(told[name]) for name in ("message_id", "verb", "noun", "code", "reason")).rstrip())
    typer.echo(f"{len(found)} would be moved back" if found else "Nothing is parked.")


def _queues() -> Any:
    """Return the queues of the site, to be closed at the end of the block."""
    from contextlib import closing

    from messaging.port import open_queues
    from services.site_file import load_site
    from services.site_queues import messaging_of

    return closing(open_queues(messaging_of(load_site())))


def _told(parked: Any) -> dict[str, str | int]:
    """Return what may be shown of a parked message."""
    letter = parked.letter
    return {
        "message_id": letter.message_id,
        "source": letter.source,
        "verb": letter.verb,
        "noun": letter.noun,
        "priority": letter.priority,
        "bytes": len(letter.body),
        "code": parked.code,
        "reason": parked.reason,
    }


def _depth(one: Any) -> str:
    """Return one queue's state for people."""
    if one.letters is None:
        return "missing: `amihub messaging declare`"
    parts = [f"{one.letters} messages"]
    parts += [f"{one.consumers} readers"] if one.consumers is not None else []
    parts += [f"oldest {one.oldest_s:.0f} s"] if one.oldest_s is not None else []
    return ", ".join(parts)
