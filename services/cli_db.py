"""`amihub db`: bring the hub's database to this version, say where it stands, drop what need not be kept."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The hub's own database.")


@app.command()
def upgrade() -> None:
    """Create or bring the site's database to this version's tables; one that is there already stays as it is."""
    from services.site_file import load_site
    from store import migrate

    typer.echo(f"database at revision {migrate.upgrade(load_site().store_url)}")


@app.command()
def status() -> None:
    """Print the database's revision and this version's; exit 1 when they differ."""
    from services.site_file import load_site
    from store import migrate
    from store.session import shown_url

    url = load_site().store_url
    current, newest = migrate.status(url)
    typer.echo(f"{shown_url(url)}")
    typer.echo(f"database at revision {current or 'none'}, this version wants {newest}")
    if current != newest:
        typer.echo("run `amihub db upgrade`")
        raise typer.Exit(1)


@app.command()
def retention(
    older_than: Annotated[
        str, typer.Option(help="Age in days from which settled messages and deliveries go; 400d at the least")
    ] = "400d",
    payloads_older_than: Annotated[
        str, typer.Option(help="Age from which their bytes go, the keys being kept")
    ] = "90d",
    history_older_than: Annotated[
        str, typer.Option(help="Age from which goes what systems said and held of masters, but for their last word")
    ] = "3653d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and drop nothing")] = False,
) -> None:
    """Drop what is settled and old: payloads first, keys later; what is open, or open work names, stays however old.

    Keys (ids, hashes, replies, verdicts) are what a repeat is recognized by; closed differences and what is left of
    ended loads go with them. Work, acts, the file ledger and everything of billing are not touched. Run it in a quiet
    hour; it goes in small batches and may be cut and run again.
    """
    from flows.master_retention import retain_masters
    from flows.retention import RetentionPolicy, retain
    from services.hub import open_hub
    from services.spool import days_of, remover

    policy = RetentionPolicy(days_of(older_than), days_of(payloads_older_than), days_of(history_older_than))
    with open_hub() as hub:
        found = retain(policy, transaction=hub.transaction, remove=remover(hub.spool), now=hub.now(), dry_run=dry_run)
        masters = retain_masters(policy, transaction=hub.transaction, now=hub.now(), dry_run=dry_run)
    typer.echo("would drop" if dry_run else "dropped")
    typer.echo(f"  payloads    {found.message_payloads} of messages, {found.delivery_payloads} of deliveries")
    typer.echo(f"  with keys   {found.messages} messages, {found.deliveries} deliveries")
    typer.echo(f"  masters     {', '.join(f'{number} {name}' for name, number in masters.items())}")
    typer.echo(f"  kept, open  {found.open}")
