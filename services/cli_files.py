"""`amihub files`: which files came, what became of each, and letting a held one pass."""

from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, help="See which files came and what became of each; let a held one pass.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people")]


@app.command("list")
def list_command(
    role: Annotated[str, typer.Option(help="Role whose inbox offered them, such as `cis`")] = "",
    state: Annotated[
        str, typer.Option(help="seen, claimed, held, working, accepted, accepted_with_errors, rejected or duplicate")
    ] = "",
    name: Annotated[str, typer.Option(help="Part of the name")] = "",
    limit: Annotated[int, typer.Option(help="Newest so many")] = 50,
    as_json: AsJson = False,
) -> None:
    """List files by when they were first seen, newest first; all options together narrow the list."""
    from flows import file_ledger
    from services.hub import open_hub
    from services.ledger_text import to_json

    with open_hub() as hub:
        found = file_ledger.listed(transaction=hub.transaction, role=role, state=state, name=name, limit=limit)
    if as_json:
        typer.echo(to_json(found))
        return
    for file in found:
        typer.echo(_line(file))
    typer.echo(f"{len(found)} files" + (f" (the newest {limit})" if len(found) == limit else ""))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="File name, a part of it, or a file id")],
    as_json: AsJson = False,
) -> None:
    """Print everything the ledger knows of a file: each arrival of its name, verdict, counts, where it lies."""
    from flows import file_ledger
    from services.hub import open_hub
    from services.ledger_text import to_json

    with open_hub() as hub:
        found = file_ledger.listed(transaction=hub.transaction, name=name, limit=20)
    if as_json:
        typer.echo(to_json(found))
    else:
        typer.echo("\n\n".join(_page(file) for file in found) or f"no file has a name with {name!r} in it")
    if not found:
        raise typer.Exit(1)


@app.command()
def release(
    file_id: Annotated[str, typer.Argument(help="File id, as `amihub files show` prints it")],
    person: Annotated[str, typer.Option("--as", help="Who decides this")],
) -> None:
    """Let a held file pass at the next pass, in spite of its business date or sequence number."""
    from flows import file_ledger
    from services.hub import open_hub

    with open_hub() as hub:
        file_ledger.release(file_id, person=person, transaction=hub.transaction)
    typer.echo(f"{file_id} passes at the next pass, released by {person}")


def _line(file: dict[str, Any]) -> str:
    """Return one file on one line."""
    seen = f"{file['first_seen_at']:%Y-%m-%d %H:%MZ}"
    return f"{seen}  {file['role']:<10} {file['state']:<20} {file['name']}  {file['code']}".rstrip()


def _page(file: dict[str, Any]) -> str:
    """Return one file, a fact a line; facts that are not there are left out."""
    facts = {name: value for name, value in file.items() if value not in ("", None, False)}
    for name, count in (facts.pop("counts", None) or {}).items():
        facts[name] = count
    return "\n".join(f"{name.replace('_', ' '):<16} {value}" for name, value in facts.items())
