"""`amihub shipments`: what manufacturers shipped, lots that are blocked, meters that came back or are no more."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import typer

app = typer.Typer(no_args_is_help=True, help="Shipped meters: list, show, release a failed lot, dispose of old meters.")

WHO = typer.Option(..., "--by", help="Your name; kept with the act.")
AS_JSON = typer.Option(False, "--json", help="As JSON for programs.")


@app.command("list")
def list_command(*, as_json: bool = AS_JSON) -> None:
    """List shipments and lots with how many of their meters are in which state."""
    from flows.shipments.looking import lots
    from services.hub import open_hub

    with open_hub() as hub:
        rows = lots(transaction=hub.transaction)
    if as_json:
        _json(rows)
        return
    for row in rows:
        place = f"{row['shipment'] or '(not shipped)':<20} {row['manufacturer']:<16} {row['lot']:<16}"
        typer.echo(f"{place} {row['state']:<10} {row['meters']:>7}  {row['code']}")
    typer.echo(f"{sum(row['meters'] for row in rows)} meters")


@app.command()
def show(
    word: str = typer.Argument(help="A meter's mRID or serial, or the number of a shipment."),
    *,
    state: str = typer.Option("", help="STOCK, BLOCKED, INSTALLED, RETURNED or DISPOSED; all without it."),
    limit: int = typer.Option(200, help="How many."),
    as_json: bool = AS_JSON,
) -> None:
    """Show meters with whom they were told to, and what each system said. Keys are never shown."""
    from flows.shipments.looking import meters
    from services.hub import open_hub

    with open_hub() as hub:
        rows = meters(word, state=state, limit=limit, transaction=hub.transaction)
    if as_json:
        _json(rows)
        return
    for row in rows:
        told = ", ".join(f"{role} {said}" for role, said in sorted(row["told"].items())) or "told to nobody"
        keys = "" if row["has_keys"] else "  no keys"
        place = f"{row['manufacturer']}/{row['serial']} {row['model']} {row['meter']} lot {row['lot']}"
        typer.echo(f"{place}: {row['state']} {row['code']}{keys}; {told}")
    typer.echo(f"{len(rows)} meters")


@app.command()
def release(
    lot: str = typer.Argument(help="Name of the lot."),
    *,
    by: str = WHO,
    reason: str = typer.Option(..., help="Why; kept with the lot."),
    manufacturer: str = typer.Option("", help="Where two manufacturers use the same name."),
) -> None:
    """Release a lot that failed its test: its meters are told to the systems. Keyless and failed ones stay blocked."""
    from flows.shipments import release as release_lot
    from services.hub import open_hub
    from services.rollout_files import sending_of, shipment_policy

    with open_hub() as hub:
        freed = release_lot(
            lot, manufacturer=manufacturer, by=by, reason=reason, policy=shipment_policy(hub.site.model),
            sending=sending_of(hub), transaction=hub.transaction,
        )  # fmt: skip
    typer.echo(f"{freed} meters are free")


@app.command()
def dispose(
    meters: list[str] = typer.Argument(help="mRIDs of meters that came back or are blocked; all or none."),  # noqa: B008
    *,
    by: str = WHO,
) -> None:
    """End meters that are no more, in the masters and at every system that held them."""
    from flows.shipments import dispose as dispose_of
    from services.hub import open_hub
    from services.rollout_files import sending_of, shipment_policy
    from services.site_routing import master_data_policy

    with open_hub() as hub:
        number = dispose_of(
            set(meters), by=by, policy=shipment_policy(hub.site.model),
            masters_policy=master_data_policy(hub.site.model), sending=sending_of(hub), transaction=hub.transaction,
        )  # fmt: skip
    typer.echo(f"{number} meters are disposed of")


def _json(rows: Iterable[Mapping[str, Any]]) -> None:
    typer.echo(json.dumps(list(rows), default=str, indent=1))
