"""`amihub inspect`: what a file holds, and whether the hub would take it."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.inspection import Inspection
    from services.inspection_facts import HoldingFacts, RolloutFacts


class FileFormat(StrEnum):
    """Formats that can be inspected."""

    AUTO = "auto"
    NEM = "nem"
    BILLING_DROP = "billing-drop"
    MASTERS = "masters"
    TOPOLOGY = "topology"
    SHIPMENT = "shipment"
    FIELD_ORDERS = "field-orders"
    COMPLETIONS = "completions"
    ROUTE = "route"
    MANUAL_READS = "manual-reads"
    CIM = "cim"


def inspect_command(
    file: Annotated[Path, typer.Argument(help="The file; a zip's single member is read.", show_default=False)],
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="The format, or auto to tell by the content.")
    ] = FileFormat.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say what FILE holds: channels, counts, exact sums, masters, meters, orders, or every reason to refuse it.

    Nothing is stored or sent. Exit code 0: the hub would take it; 1: it would refuse it; 2: it cannot be opened.
    """
    from services.inspection import inspect_file

    try:
        inspection = inspect_file(file, format=file_format.value)
    except OSError as error:
        typer.echo(f"{file} cannot be opened: {error.strerror or error}", err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(inspection.as_json(), indent=2, ensure_ascii=False))
    else:
        _print(file.name, inspection)
    raise typer.Exit(0 if inspection.accepted else 1)


def _print(name: str, inspection: "Inspection") -> None:
    """Print the result for a person."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from services.inspection import plain

    console = Console()
    verdict = "[bold green]accepted[/]" if inspection.accepted else "[bold red]refused[/]"
    console.print(f"{verdict}  {escape(name)} ({inspection.format})")
    for fault in inspection.errors:
        place = f"line {fault.line}: " if fault.line else ""
        console.print(f"  {escape(fault.code)}  {escape(place + fault.reason)}", soft_wrap=True)
    for step in dict.fromkeys(_next_step(fault.code) for fault in inspection.errors):
        console.print(f"  next: {escape(step)}", soft_wrap=True)
    if not inspection.accepted:
        return
    if inspection.holdings is not None:
        _print_holdings(inspection.holdings)
        return
    if inspection.rollout is not None:
        _print_rollout(inspection.rollout)
        return
    if inspection.message is not None:
        _print_message(inspection)
        if not inspection.channels:
            return
    table = Table("usage point", "register", "meter", "unit", "minutes", "values", "sum", "quality")
    for c in inspection.channels:
        minutes = "" if c.interval_minutes is None else str(c.interval_minutes)
        quality = " ".join(f"{code}:{count}" for code, count in c.quality.items())
        cells = (c.usage_point, c.register, c.meter, c.unit, minutes, str(c.values), plain(c.sum), quality)
        table.add_row(*map(escape, cells))
    console.print(table if inspection.channels else "  no channels: a valid file without readings")
    for remark in inspection.remarks:
        console.print(f"  {escape(remark)}", soft_wrap=True)


def _print_holdings(found: "HoldingFacts") -> None:
    """Print what a file of masters or topology says of itself and holds."""
    typer.echo(
        f"  {found.mode} number {found.sequence} from {found.sender} to {found.receiver}, up to {found.watermark}"
    )
    for kind, count in found.held.items():
        typer.echo(f"  {count:>9} {kind}")
    for count, word in ((found.withdrawn, "taken back"), (found.rejected, "lines rejected alone")):
        if count:
            typer.echo(f"  {count:>9} {word}")


def _print_rollout(found: "RolloutFacts") -> None:
    """Print what a file of a meter rollout says of itself and holds."""
    from services.inspection import plain

    typer.echo(f"  {found.file_id} from {found.sender} to {found.receiver}, of {found.business_date} in {found.zone}")
    for kind, count in found.held.items():
        typer.echo(f"  {count:>9} {kind}")
    if found.readings:
        typer.echo(f"  {found.readings:>9} values of registers, their sum {plain(found.sum)}")
    if found.rejected:
        typer.echo(f"  {found.rejected:>9} lines rejected alone")


def _print_message(inspection: "Inspection") -> None:
    """Print what a CIM message says of itself."""
    said = inspection.message
    if said is None:
        return
    words = (said.kind, said.verb, said.noun, said.message_id)
    typer.echo(f"  {' '.join(word for word in words if word)}, objects: {inspection.objects}")
    for place in inspection.extensions:
        typer.echo(f"  extension: {place}")
    for sentence in inspection.tolerated:
        typer.echo(f"  tolerated: {sentence}")


def _next_step(code: str) -> str:
    """Return what the catalogue says to do about a code."""
    from canonical.codes import ALL

    entry = ALL.get(code[:4])
    return entry.next_step if entry else "ask the sender to correct the file"
