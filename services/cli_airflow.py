"""`amihub airflow`: what Airflow needs from the hub before its scheduler starts."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Prepare Airflow for the hub's DAGs.")


@app.command()
def bootstrap() -> None:
    """Create the pools that the DAGs use; run it after `airflow db migrate` and before the scheduler."""
    from services.airflow_bootstrap import bootstrap as create

    for line in create():
        typer.echo(line)


@app.command()
def env(
    home: Annotated[Path, typer.Option(help="Folder of Airflow's own files")] = Path(".airflow"),
    dags: Annotated[Path, typer.Option(help="Folder of the hub's DAGs")] = Path("dags"),
    port: Annotated[int, typer.Option(help="Port of the web interface")] = 8080,
) -> None:
    """Print the settings under which `airflow standalone` is safe on SQLite, as export lines."""
    from services.airflow_bootstrap import standalone_environment

    for name, value in standalone_environment(home=home.resolve(), dags=dags.resolve(), port=port).items():
        typer.echo(f"export {name}={value}")
