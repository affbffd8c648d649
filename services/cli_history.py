"""`amihub history`: what each system held of a usage point, who told it, by which message, in two kinds of time."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from flows.history import History, Question
    from services.hub import Hub

app = typer.Typer(no_args_is_help=True, help="What each system held, who told it, by which message.")

Form = Literal["text", "json", "html"]
TIME = "ISO 8601; UTC where it names no offset"


@app.command()
def show(
    word: Annotated[
        str,
        typer.Argument(
            help="Usage point (mRID or name), meter (mRID, serial, or manufacturer/serial), agreement, account"
        ),
    ],
    at: Annotated[str, typer.Option(help=f"Valid time: what was so at this instant ({TIME})")] = "",
    known_at: Annotated[str, typer.Option(help=f"Known time: what was believed at this instant ({TIME})")] = "",
    form: Annotated[Form, typer.Option("--format", help="html: a page of its own")] = "text",
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal")] = None,
    personal: Annotated[bool, typer.Option("--personal", help="Show names, telephones and addresses too")] = False,
) -> None:
    """Print what each system believed about an instant at an instant; without --at and --known-at, the whole time line.

    One of both alone: the other is now. What nobody can know is `unknown`, never guessed.
    """
    from flows.history import Question, history, without_personal
    from services.hub import open_hub

    valid, known = _instant(at, "--at"), _instant(known_at, "--known-at")
    with open_hub() as hub:
        now = hub.now()
        found = history(word, transaction=hub.transaction, now=now, at=valid, **_site(hub))
    question = Question(valid or now, known or now) if valid or known else None
    text = _said(form, found if personal else without_personal(found), question, now=now, personal=personal)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(f"{text}\n", encoding="utf-8")
        typer.echo(f"{output}: {len(found.beliefs)} beliefs of {found.usage_point}")


def _said(form: Form, history: "History", question: "Question | None", *, now: datetime, personal: bool) -> str:
    """Return a history in a form."""
    if form == "json":
        from services.history_json import history_json

        return history_json(history, question, personal=personal)
    if form == "html":
        from services.history_page import history_page

        return history_page(history, question, now=now)
    from services.history_text import history_lines

    return "\n".join(history_lines(history, question))


def _instant(text: str, option: str) -> datetime | None:
    """Return the instant that an option says; None where it is not given."""
    if not text:
        return None
    try:
        said = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no instant such as 2026-03-02T06:00:00Z", param_hint=option) from error
    return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)


def _site(hub: "Hub") -> dict[str, Any]:
    """Return what the site says of who may hold masters: roles, callers, subscribers, how finely each keeps time."""
    from services.callers import role_of
    from services.site_subscribers import grains_of, subscribers_of

    model = hub.site.model
    callers = model.serve.clients if model.serve else {}
    return {
        "systems": tuple(model.roles),
        "roles": {name: role_of(model, name) for name in callers},
        "subscribers": subscribers_of(model),
        "grains": grains_of(model),
    }
