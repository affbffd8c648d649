"""`amihub cim`: WSDLs and sample messages of every noun, and whether a message follows its schema."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from canonical.errors import RejectedError

app = typer.Typer(help="IEC 61968-9 messages: WSDLs, samples, validation.", no_args_is_help=True)


class ServiceKind(StrEnum):
    """Kinds of web services."""

    EXECUTE = "execute"
    GET = "get"
    SEND = "send"
    RECEIVE = "receive"
    REPLY = "reply"


class EditionChoice(StrEnum):
    """Families of namespaces."""

    FIRST = "2011"
    WWW = "www"
    LATER = "2017"


class MessageChoice(StrEnum):
    """What a sample can be."""

    REQUEST = "request"
    RESPONSE = "response"
    EVENT = "event"
    PAYLOAD = "payload"


NounArgument = Annotated[str, typer.Argument(metavar="NOUN", help="Such as MeterReadings.", show_default=False)]
EditionOption = Annotated[EditionChoice, typer.Option("--edition", help="Namespaces: 2011, early www, or 2017.")]


@app.command("nouns")
def nouns_command() -> None:
    """Print every noun that is spoken."""
    from iec61968.spoken_nouns import NOUNS

    for name in NOUNS:
        typer.echo(name)


@app.command("wsdl")
def wsdl_command(
    noun: NounArgument,
    kind: Annotated[
        ServiceKind | None, typer.Option("--kind", help="Default: get for a query, otherwise execute.")
    ] = None,
    edition: EditionOption = EditionChoice.FIRST,
    address: Annotated[str, typer.Option(help="Address of the service.")] = "https://hub.example/cim/",
    schemas: Annotated[
        Path | None, typer.Option(help="Write the schemas that the WSDL imports into this folder.", show_default=False)
    ] = None,
) -> None:
    """Print the WSDL of one service of NOUN; its schemas are imported from beside it."""
    from iec61968 import wsdl
    from iec61968.editions import EDITIONS
    from iec61968.services_spoken import SERVICES
    from iec61968.spoken_nouns import NOUNS

    if noun not in NOUNS:
        raise _unknown(noun)
    chosen = kind or (ServiceKind.GET if NOUNS[noun].is_query else ServiceKind.EXECUTE)
    if NOUNS[noun].is_query and chosen is not ServiceKind.GET:
        typer.echo(f"{noun} is a query: it has the kind get alone", err=True)
        raise typer.Exit(2)
    service = SERVICES[f"{chosen.value.capitalize()}{NOUNS[noun].answer}"]
    spoken = EDITIONS[edition.value]
    if schemas is not None:
        schemas.mkdir(parents=True, exist_ok=True)
        for name in wsdl.schema_names():
            (schemas / name).write_text(wsdl.schema(name, spoken), encoding="utf-8")
    typer.echo(wsdl.wsdl(service, spoken, address=f"{address.rstrip('/')}/{service.name}"))


@app.command("sample")
def sample_command(
    noun: NounArgument,
    full: Annotated[bool, typer.Option("--full/--minimal", help="One of everything, or what it must hold.")] = False,
    message: Annotated[MessageChoice, typer.Option("--message", help="What to print.")] = MessageChoice.PAYLOAD,
    verb: Annotated[str, typer.Option("--verb", help="Such as create or changed.", show_default=False)] = "",
    edition: EditionOption = EditionChoice.FIRST,
) -> None:
    """Print a sample of NOUN that is valid by the published schemas and bears no vendor extension."""
    from lxml import etree

    from iec61968.editions import EDITIONS
    from iec61968.samples import sample_message
    from iec61968.spoken_nouns import NOUNS

    if noun not in NOUNS:
        raise _unknown(noun)
    try:
        element = sample_message(
            NOUNS[noun], kind=message.value, edition=EDITIONS[edition.value], full=full, verb=verb.lower()
        )
    except RejectedError as error:
        typer.echo(f"{error.reason}; {error.code.next_step}", err=True)
        raise typer.Exit(2) from error
    raw = etree.tostring(element, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    typer.echo(raw.decode(), nl=False)


@app.command("validate")
def validate_command(
    file: Annotated[Path, typer.Argument(help="A message: bare, typed, generic or in a SOAP envelope.")],
) -> None:
    """Say whether FILE follows its schema exactly; if not, where and why. Exit code 0: it does; 1: it does not."""
    from services.cim_validation import mistakes_in

    try:
        mistakes = mistakes_in(file.read_bytes())
    except OSError as error:
        typer.echo(f"{file} cannot be opened: {error.strerror or error}", err=True)
        raise typer.Exit(2) from error
    for mistake in mistakes:
        typer.echo(mistake)
    if mistakes:
        raise typer.Exit(1)
    typer.echo(f"{file.name} is valid")


def _unknown(noun: str) -> typer.Exit:
    """Say that there is no such noun, and which one may be meant."""
    from difflib import get_close_matches

    from iec61968.spoken_nouns import NOUNS

    close = get_close_matches(noun, NOUNS, n=1)
    typer.echo(
        f"no noun {noun!r}" + (f"; is {close[0]} meant?" if close else "; `amihub cim nouns` lists all"), err=True
    )
    return typer.Exit(2)
