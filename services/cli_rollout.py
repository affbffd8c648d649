"""`amihub rollout`: waves of meter exchanges, from their plan to the signature under them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Mass meter rollout: waves, exchange orders, completions.

A wave stands in the site file as [rollout.waves.NAME]. **plan** it (as often as you like), **freeze** its list,
**release** its days to the crews; **run** takes in what they report and tells every system. **status** says how waves
stand, **explain** why a usage point is in or out.
""",
)

Wave = Annotated[str, typer.Argument(help="Name of the wave: [rollout.waves.NAME] of the site file.")]
By = Annotated[str, typer.Option("--by", "--as", help="Your name; kept with the act.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the act.")]
Point = Annotated[str, typer.Argument(help="mRID or name of a usage point.")]
OfWave = Annotated[str, typer.Option("--wave", help="Wave that the order is of.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command()
def plan(wave: Wave, *, by: By = "operator", dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Give every usage point of the wave's area a day, or the reason why not. Again until it is frozen."""
    from services import rollout_text as text
    from services.hub import open_hub
    from services.rollout_waves import plan_wave

    with open_hub() as hub:
        found = plan_wave(hub, wave, by=by, dry_run=dry_run, progress=_progress)
    _print([text.plan_json(found)] if as_json else text.plan_lines(found, written=not dry_run))


@app.command()
def freeze(wave: Wave, *, by: By) -> None:
    """Fix the list of a planned wave; what changes afterwards holds or excludes an order, visibly."""
    from services.hub import open_hub
    from services.rollout_waves import freeze_wave

    with open_hub() as hub:
        found = freeze_wave(hub, wave, by=by)
    typer.echo(f"wave {wave}: {found.eligible:,} orders, {found.excluded:,} excluded; list sha256 {found.list_sha256}")


@app.command()
def release(
    wave: Wave,
    *,
    day: Annotated[
        list[datetime] | None, typer.Option(formats=["%Y-%m-%d"], help="A planned day; may be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every day that is left.")] = False,
    by: By,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Hand the orders of some days to the crews: each is looked at once more, and held if something came between."""
    from services import rollout_text as text
    from services.hub import open_hub
    from services.rollout_waves import release_wave

    if bool(day) == everything:
        raise typer.BadParameter("give --day YYYY-MM-DD (as often as needed), or --all")
    with open_hub() as hub:
        found = release_wave(hub, wave, [one.date() for one in day or ()], by=by, dry_run=dry_run)
    _print([text.released_json(found)] if as_json else text.released_lines(found, done=not dry_run))


@app.command()
def pause(wave: Wave, *, by: By, reason: Reason) -> None:
    """Release nothing new; what is in the field goes on."""
    from flows.meter_rollout.waves import pause as pause_wave
    from services.hub import open_hub

    with open_hub() as hub:
        pause_wave(wave, transaction=hub.transaction, now=hub.now(), by=by, reason=reason)
    typer.echo(f"wave {wave} is paused; `amihub rollout resume {wave}` lets it go on")


@app.command()
def resume(wave: Wave, *, by: By, reason: Reason = "") -> None:
    """Let a paused wave go on."""
    from flows.meter_rollout.waves import resume as resume_wave
    from services.hub import open_hub

    with open_hub() as hub:
        state = resume_wave(wave, transaction=hub.transaction, now=hub.now(), by=by, reason=reason)
    typer.echo(f"wave {wave} is {state} again")


@app.command()
def abort(wave: Wave, *, by: By, reason: Reason) -> None:
    """End a wave: open orders are cancelled, at the crews too; exchanges that were done go their way to the end."""
    from services.hub import open_hub
    from services.rollout_waves import abort_wave

    with open_hub() as hub:
        found = abort_wave(hub, wave, by=by, reason=reason)
    typer.echo(
        f"wave {wave} is aborted: {found.cancelled:,} orders cancelled, {found.withdrawn:,} of them withdrawn from the"
        f" crews; {found.going_on:,} exchanges go on"
    )


@app.command()
def close(wave: Wave, *, by: By, reason: Reason = "") -> None:
    """Sign a completed wave off; its list must hold and every order have ended."""
    from flows.meter_rollout.waves import close as close_wave
    from services.hub import open_hub

    with open_hub() as hub:
        close_wave(wave, transaction=hub.transaction, now=hub.now(), by=by, reason=reason)
    typer.echo(f"wave {wave} is closed, signed by {by}")


@app.command()
def again(usage_point: Point, *, wave: OfWave, by: By, reason: Reason) -> None:
    """Give one order another day: after its last visit, or when what held it is over."""
    from services.hub import open_hub
    from services.rollout_waves import order_again

    with open_hub() as hub:
        day = order_again(hub, usage_point, wave, by=by, reason=reason)
    typer.echo(f"{usage_point} is planned for {day}; `amihub rollout release {wave} --day {day}` sends it")


@app.command()
def drop(usage_point: Point, *, wave: OfWave, by: By, reason: Reason) -> None:
    """Cancel one order that was not done, at the crews too."""
    from services.hub import open_hub
    from services.rollout_waves import drop_order

    with open_hub() as hub:
        drop_order(hub, usage_point, wave, by=by, reason=reason)
    typer.echo(f"{usage_point} is out of wave {wave}")


@app.command()
def run(*, as_json: AsJson = False) -> None:
    """Do one pass: take in files, judge completions, tell systems, verify, bring waves on. Exit 1 on problems."""
    from dataclasses import asdict

    from services.hub import open_hub
    from services.rollout_pass import whole_pass

    with open_hub() as hub:
        done = whole_pass(hub)
    if as_json:
        import json

        typer.echo(json.dumps(asdict(done), indent=2))
    else:
        typer.echo(str(done))
        for problem in done.problems:
            typer.echo(f"  {problem}", err=True)
    if done.problems:
        raise typer.Exit(1)


@app.command()
def status(
    wave: Annotated[str, typer.Argument(help="Name of one wave, in full; every wave without it.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Say how waves stand: planned against done by day, orders by state and by code."""
    from services import rollout_text as text
    from services.hub import open_hub
    from services.rollout_waves import waves_standing

    with open_hub() as hub:
        found = waves_standing(hub, wave)
    _print([text.standing_json(found)] if as_json else text.standing_lines(found, days=bool(wave)))


@app.command()
def explain(
    usage_point: Point,
    *,
    wave: Annotated[str, typer.Option(help="Only this wave.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say why a usage point is in a wave or out, and what became of its orders."""
    from services import rollout_text as text
    from services.hub import open_hub
    from services.rollout_waves import explain_point

    with open_hub() as hub:
        found = explain_point(hub, usage_point, wave=wave)
    _print([text.explained_json(found)] if as_json else text.explained_lines(found))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _progress(looked_at: int) -> None:
    """Say how far a long plan is, now and then."""
    if looked_at and looked_at % 50_000 == 0:
        typer.echo(f"{looked_at:,} usage points looked at", err=True)
