"""`amihub db`: bring the hub's database to this version, and say where it stands."""

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

    current, newest = migrate.status(load_site().store_url)
    typer.echo(f"database at revision {current or 'none'}, this version wants {newest}")
    if current != newest:
        typer.echo("run `amihub db upgrade`")
        raise typer.Exit(1)
