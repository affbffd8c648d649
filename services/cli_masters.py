"""`amihub masters`: passes over files of masters and what waits, by hand."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from services.master_data_pass import MastersPass

app = typer.Typer(no_args_is_help=True, help="Take in files of masters and try what waits, by hand.")


@app.command("take-in")
def take_in_command() -> None:
    """Take in the files that lie in the folders of [masters] inboxes. Exit 1: something is to be looked at."""
    from services.hub import open_hub
    from services.master_data_pass import take_in

    with open_hub() as hub:
        _tell(take_in(hub))


@app.command("pass")
def pass_command() -> None:
    """Run one whole pass: take in, bring an open load on, try what waits. Exit 1: something is to be looked at."""
    from services.hub import open_hub
    from services.master_data_pass import whole_pass

    with open_hub() as hub:
        _tell(whole_pass(hub))


def _tell(done: "MastersPass") -> None:
    """Print what a pass did."""
    for problem in done.problems:
        typer.secho(problem, fg=typer.colors.RED, err=True)
    typer.echo(str(done))
    if not done.ok:
        raise typer.Exit(1)
