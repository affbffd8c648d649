"""`amihub config`: whether the site file can be, and whether the systems that it names answer."""

from typing import TYPE_CHECKING

import typer

from canonical.errors import HubError, MisconfiguredError
from services.site_file import Site, load_site

if TYPE_CHECKING:
    from services.hub import Hub

app = typer.Typer(no_args_is_help=True, help="Check the site file, and the systems that it names.")


@app.command()
def check() -> None:
    """Explain every mistake of the site file with its line; exit 1 when there is one."""
    try:
        site = load_site()
        mistakes = list(_beyond_form(site))
    except MisconfiguredError as error:
        mistakes = [str(error.reason)] if "\n" in error.reason or ":" in error.reason else [str(error)]
    for mistake in mistakes:
        typer.secho(mistake, fg=typer.colors.RED)
    if mistakes:
        raise typer.Exit(1)
    typer.echo(f"{site.path.name}: good. {site.model.site.name}: roles {', '.join(site.model.roles)};")
    typer.echo(f"billing interfaces {', '.join(site.billing_interfaces) or 'none'}.")


def _beyond_form(site: Site) -> list[str]:
    """Return what is wrong although every key has a right form: adapters, policies, secrets."""
    from iec61968.canonical_nouns.conventions import master_data_reading
    from services.hub import Hub

    hub, mistakes = Hub(site), []
    for role in site.model.roles:
        mistakes += _tried(lambda role=role: hub.port(role), site, ("roles", role))
    for name in site.billing_interfaces:
        mistakes += _tried(lambda name=name: hub.billing(name), site, ("billing", name))
        mistakes += _without_files(hub, name)
    for name, client in (site.model.serve.clients if site.model.serve else {}).items():
        path, said = ("serve", "clients", name, "master_data"), client.master_data
        mistakes += _tried(lambda path=path, said=said: master_data_reading(said, where=".".join(path)), site, path)
    return mistakes


def _without_files(hub: "Hub", interface: str) -> list[str]:
    """Return the roles whose files a billing interface asks for although their adapters have none."""
    section, site = hub.site.model.billing[interface], hub.site
    named = [("customer_system", section.customer_system), *(("inboxes", role) for role in section.inboxes)]
    return [
        f"{site.where(('billing', interface, key))}: billing.{interface}.{key}: the adapter"
        f" {site.model.roles[role].adapter!r} of the role {role!r} exchanges no files; name a role whose adapter does"
        for key, role in dict.fromkeys(named)
        if not _tried(lambda role=role: hub.port(role), site, ("roles", role))
        and not all(hasattr(hub.port(role), method) for method in ("offered", "identify", "items"))
    ]


def _tried(attempt: object, site: Site, path: tuple[str, ...]) -> list[str]:
    """Return the mistake that an attempt to build something shows, with its line."""
    try:
        attempt()  # type: ignore[operator]
    except HubError as error:
        place = error.where if error.where.startswith(site.path.name) else site.where(path)
        return [f"{place}: {'.'.join(path)}: {error.reason} ({error.code})"]
    return []


@app.command()
def test() -> None:
    """Ask every system that the site names whether it answers; changes nothing there."""
    from services.hub import open_hub

    failed = False
    with open_hub() as hub:
        for role in hub.site.model.roles:
            try:
                for line in hub.port(role).ping():
                    typer.echo(f"{role}: {line}")
            except HubError as error:
                failed = True
                typer.secho(f"{role}: {error}. What to do: {error.code.next_step}", fg=typer.colors.RED)
    raise typer.Exit(int(failed))
