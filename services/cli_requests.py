"""`amihub requests`: requests that others made for readings, how far they are, and trying failed objects again."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Requests for readings: list, look, try the failed objects again.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people")]
RequestWord = Annotated[str, typer.Argument(metavar="REQUEST", help="Id of a request, or of its message.")]


@app.command("list")
def list_command(
    source: Annotated[str, typer.Option(help="Caller, such as `cis`")] = "",
    state: Annotated[str, typer.Option(help="Such as WAITING, PAUSED, FAILED or SUCCESSFUL")] = "",
    limit: Annotated[int, typer.Option(help="Newest so many")] = 200,
    as_json: AsJson = False,
) -> None:
    """List requests, newest first: state, caller, objects, deadline."""
    from flows.request_inquiry import list_requests
    from services.hub import open_hub
    from services.ledger_text import to_json

    with open_hub() as hub:
        found = list_requests(transaction=hub.transaction, source=source, state=state.upper(), limit=limit)
    if as_json:
        typer.echo(to_json(found))
        return
    for one in found:
        how = one["reply_to"] or "caller waits"
        typer.echo(
            f"{one['request_id']}  {one['state']:<15} {one['source']:<12} {one['objects']:>5} objects  {how}  "
            f"received {one['received_at']:%Y-%m-%dT%H:%M:%SZ}  deadline {one['deadline']:%Y-%m-%dT%H:%M:%SZ}"
        )
    typer.echo(f"{len(found)} requests")


@app.command()
def show(request: RequestWord, as_json: AsJson = False) -> None:
    """Print one request with each of its objects: state, code, reason."""
    from flows.request_inquiry import show_request
    from services.hub import open_hub
    from services.ledger_text import to_json

    with open_hub() as hub:
        facts, objects = show_request(request, transaction=hub.transaction)
    if as_json:
        typer.echo(to_json({"request": facts, "objects": objects}))
        return
    for name, value in facts.items():
        if value not in ("", None):
            typer.echo(f"{name:<16} {value}")
    for one in objects:
        said = f"  {one['code']}: {one['reason']}" if one["code"] else ""
        typer.echo(f"  {one['state']:<15} {one['object_id']}  {one['purpose']}{said}")


@app.command()
def retry(request: RequestWord) -> None:
    """Let the failed objects of an asynchronous request that has ended be asked again."""
    from flows.on_demand_read import retry as retry_request
    from flows.request_inquiry import show_request
    from services.cim_desk import policy_of
    from services.hub import open_hub

    with open_hub() as hub:
        facts, _ = show_request(request, transaction=hub.transaction)
        number = retry_request(
            facts["request_id"], transaction=hub.transaction, now=hub.now(), policy=policy_of(hub.site)
        )
    typer.echo(f"{number} objects are asked again" if number else "nothing of it failed, or its caller waited")
