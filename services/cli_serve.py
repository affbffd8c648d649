"""`amihub serve`: the listening half of the hub."""

from typing import Annotated, Literal

import typer

app = typer.Typer()


@app.command()
def serve(
    only: Annotated[
        list[str] | None,
        typer.Option(help="Run only this part: `cim` (web services), `relay` (deliveries) or `consumer` (queues)"),
    ] = None,
) -> None:
    """Run the web services, the relay and the consumer of queues for this site until interrupted.

    One process: a part that dies ends it with code 1, so that whoever watches it starts it again. Each part may
    run alone and in several copies.
    """
    from services.serve import serve as run

    parts: tuple[Literal["cim", "relay", "consumer"], ...] = ("cim", "relay", "consumer")
    wanted = tuple(part for part in parts if not only or part in only)
    if only and set(only) - set(parts):
        raise typer.BadParameter(f"parts are {', '.join(parts)}")
    raise typer.Exit(run(wanted))
