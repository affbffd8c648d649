"""`amihub work`: what people must do, by queue and due time, and what they decide."""

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(no_args_is_help=True, help="What people must do: list, look, take, resolve, release, cancel, waive.")

WORK = typer.Argument(help="Id of a work item, or the beginning of it.")
WHO = typer.Option(..., "--as", help="Your name; kept with the act.")
WHY = typer.Option(..., "--reason", help="Why; kept with the act.")


@app.command("list")
def list_command(
    *,
    queue: str = typer.Option("", help="Owner queue."),
    state: str = typer.Option("", help="OPEN, ASSIGNED, WAITING, RESOLVED, WAIVED or CANCELLED; open work without it."),
    limit: int = typer.Option(200, help="How many."),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """List work by due time, with the energy that is not billed while it is open."""
    from flows.work import list_work
    from services.hub import open_hub

    with open_hub() as hub:
        rows = list_work(transaction=hub.transaction, queue=queue, state=state, limit=limit)
    if as_json:
        typer.echo(_to_json(rows))
        return
    for row in rows:
        due = f"{row['due_at']:%Y-%m-%d %H:%MZ}" if row["due_at"] else "no due time      "
        risk = f"{row['at_risk_kwh']} {row['unit']}"
        owner = row["owner"] or "-"
        point = row["usage_point"]
        place = f"{row['key']} at {point}" if point and point not in row["key"] else row["key"]
        typer.echo(
            f"{row['work_id'][:8]}  {row['state']:<8} {row['queue']:<16} {owner:<10} {due}  {risk:>14}  "
            f"{row['code']}  {place}  {row['summary']}"
        )
    typer.echo(f"{len(rows)} work items")


@app.command()
def show(work: str = WORK, *, as_json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """Show one work item with everything that was done about it."""
    from flows.work import show as show_work
    from services.hub import open_hub

    with open_hub() as hub:
        found = show_work(work, transaction=hub.transaction)
    if as_json:
        typer.echo(_to_json({"item": found.item, "acts": list(found.acts)}))
        return
    for name, value in found.item.items():
        if value not in ("", None):
            typer.echo(f"{name:<14} {_to_people(value)}")
    for act in found.acts:
        typer.echo(f"  {act['at']:%Y-%m-%d %H:%MZ} {act['act']:<10} {act['by']}: {act['reason']}")


@app.command()
def assign(
    work: str = WORK,
    *,
    to: str = typer.Option("", help="Who takes it; yourself without it."),
    who: str = WHO,
    why: str = WHY,
) -> None:
    """Give a work item to a person."""
    from flows.work import assign as assign_work
    from services.hub import open_hub

    with open_hub() as hub:
        done = assign_work(work, to=to or who, by=who, reason=why, transaction=hub.transaction, now=hub.now())
    typer.echo(done)


@app.command()
def resolve(
    work: list[str] = typer.Argument(help="Ids of work items, or the beginnings of them."),  # noqa: B008
    *,
    who: str = WHO,
    why: str = WHY,
) -> None:
    """Close work because you did what it asks for; what waited for it goes on: a step by hand is then confirmed."""
    from flows.work import resolve as decide

    for one in work:
        _decide(decide, one, who, why)


@app.command()
def release(work: str = WORK, *, who: str = WHO, why: str = WHY) -> None:
    """Let the held item be billed as it is."""
    from flows.work import release as decide

    _decide(decide, work, who, why)


@app.command()
def cancel(work: str = WORK, *, who: str = WHO, why: str = WHY) -> None:
    """Withdraw the item behind a work item."""
    from flows.work import cancel as decide

    _decide(decide, work, who, why)


@app.command()
def waive(work: str = WORK, *, who: str = WHO, why: str = WHY) -> None:
    """Close a work item under your name although nothing was done; a run that does not balance is closed with it."""
    from flows.work import waive as decide

    _decide(decide, work, who, why)


def _decide(decide: "Callable[..., str]", work: str, who: str, why: str) -> None:
    """Carry out a decision and say what was done."""
    from services.hub import open_hub

    with open_hub() as hub:
        typer.echo(decide(work, by=who, reason=why, transaction=hub.transaction, now=hub.now()))


def _to_people(value: Any) -> str:
    """Return a value as people read it: an instant to the minute, in UTC."""
    return f"{value:%Y-%m-%d %H:%MZ}" if hasattr(value, "isoformat") else str(value)


def _to_json(value: Any) -> str:
    """Return rows as JSON; instants and quantities as text."""
    import json

    return json.dumps(value, indent=2, default=lambda one: one.isoformat() if hasattr(one, "isoformat") else str(one))
