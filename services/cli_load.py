"""`amihub load`: the first-time load of masters, from whole files and messages of one or several systems."""

from decimal import Decimal
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Load masters for the first time: plan, start, watch, decide, report.")

From = Annotated[list[str], typer.Option("--from", help="Role whose FULL file is loaded; several in their order")]
Run = Annotated[str, typer.Argument(help="Id of the load; the open one, else the last, where it is not given")]
Person = Annotated[str, typer.Option("--as", help="Who decides this")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON for programs")]


@app.command()
def plan(sources: From) -> None:
    """Show what would be loaded: files that lie ready, what the masters hold already, how far back history goes."""
    from services.hub import open_hub
    from services.load_plan import plan_lines

    with open_hub() as hub:
        for line in plan_lines(hub, sources):
            typer.echo(line)


@app.command()
def start(
    sources: Annotated[
        list[str] | None, typer.Option("--from", help="Role whose FULL file is loaded; in order")
    ] = None,
    *,
    messages_from: Annotated[
        list[str] | None, typer.Option(help="Role whose messages are the load itself; end it by `finish`")
    ] = None,
    person: Person = "operator",
    history: Annotated[str, typer.Option(help="current, `since last bill read` or full; as the site says")] = "",
    error_percent: Annotated[float | None, typer.Option(help="Errors above which it pauses; as the site says")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Work it in this process to its end, with progress")] = False,
) -> None:
    """Open a load: from now on changes wait, and passes load the FULL files of the roles."""
    from services.hub import open_hub
    from services.load_plan import follow_load, start_load

    files, messages = sources or [], messages_from or []
    if not files and not messages:
        raise typer.BadParameter("name what is loaded by --from or --messages-from")
    with open_hub() as hub:
        ceiling = None if error_percent is None else Decimal(str(error_percent))
        run = start_load(hub, files, messages, person=person, history=history, error_percent=ceiling)
        typer.echo(f"load {run} is open; changes wait until it is done. `amihub load status` shows how far it is.")
        if follow and not follow_load(hub, run, say=typer.echo):
            raise typer.Exit(1)


@app.command()
def run(run_id: Run = "") -> None:
    """Work the open load in this process until it ends or pauses, with speed, percent and time left. Exit 1: paused."""
    from services.hub import open_hub
    from services.load_plan import follow_load

    with open_hub() as hub:
        if not follow_load(hub, run_id, say=typer.echo):
            raise typer.Exit(1)


@app.command()
def status(run_id: Run = "", *, as_json: AsJson = False) -> None:
    """Show how far a load is: files, items a second, time left, what waits."""
    from flows import master_load
    from services.hub import open_hub
    from services.load_text import status_facts, status_lines, to_json

    with open_hub() as hub:
        found = master_load.status(run_id, transaction=hub.transaction)
        lines = status_lines(found, machine_now=hub.machine_now())
    typer.echo(to_json(status_facts(found)) if as_json else "\n".join(lines))


@app.command()
def pause(run_id: Run = "", *, person: Person, reason: Annotated[str, typer.Option(help="Why")]) -> None:
    """Stop behind the present chunk; changes go on waiting."""
    from flows import master_load
    from services.hub import open_hub

    with open_hub() as hub:
        words = f"paused by {person}: {reason}"
        run = master_load.pause(run_id, reason=words, transaction=hub.transaction, now=hub.now())
    typer.echo(f"load {run} is paused")


@app.command()
def resume(
    run_id: Run = "",
    *,
    person: Person,
    reason: Annotated[str, typer.Option(help="Why the errors so far are no reason to stop")],
    error_percent: Annotated[float | None, typer.Option(help="New ceiling; the old one where it is not given")] = None,
) -> None:
    """Let a paused load go on: what went wrong so far does not count against the ceiling any more."""
    from flows import master_load
    from services.hub import open_hub

    ceiling = None if error_percent is None else Decimal(str(error_percent))
    with open_hub() as hub:
        run = master_load.resume(
            run_id, person=person, reason=reason, error_percent=ceiling, transaction=hub.transaction, now=hub.now()
        )
    typer.echo(f"load {run} goes on with the next pass")


@app.command()
def finish(run_id: Run = "", *, person: Person) -> None:
    """Say that nothing more comes: the next pass tries what waits, replays the changes and ends the load."""
    from flows import master_load
    from services.hub import open_hub

    with open_hub() as hub:
        run = master_load.finish(run_id, person=person, transaction=hub.transaction, now=hub.now())
    typer.echo(f"load {run} ends with the next pass")


@app.command()
def abort(run_id: Run = "", *, person: Person, reason: Annotated[str, typer.Option(help="Why")]) -> None:
    """End a load: what is loaded stays, nothing more is taken, the changes that waited are applied."""
    from flows import master_load
    from services.hub import open_hub

    with open_hub() as hub:
        run = master_load.abort(run_id, person=person, reason=reason, transaction=hub.transaction, now=hub.now())
    typer.echo(f"load {run} is aborted; the next pass applies the changes that waited")


@app.command()
def report(
    run_id: Run = "",
    *,
    limit: Annotated[int, typer.Option(help="Exceptions that are shown one by one")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what became of every item, by kind and disposition, and what is not in the masters and why."""
    from flows import master_load
    from services.hub import open_hub
    from services.load_text import report_json, report_lines

    with open_hub() as hub:
        found = master_load.report(run_id, transaction=hub.transaction, limit=limit)
    typer.echo(report_json(found) if as_json else "\n".join(report_lines(found)))
