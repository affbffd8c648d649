"""`amihub reconcile`: compare what systems hold, see what differs and why, repair or waive it."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from flows.reconciliation.person import Wanted

app = typer.Typer(no_args_is_help=True, help="Compare what systems hold; see what differs and why; repair or waive it.")

Difference = Annotated[str, typer.Argument(help="Id of a difference, or the beginning of it.")]
System = Annotated[str, typer.Option(help="The system that differs: a role, or `hub`.")]
Kind = Annotated[str, typer.Option(help="Kind of thing, such as `meter`.")]
Field = Annotated[str, typer.Option(help="Field that differs, such as `multiplier`.")]
Class = Annotated[str, typer.Option("--class", help="MISSING_IN_X, EXTRA_IN_X, FIELD_DIFF, EFFECTIVE_DATE_DIFF, ...")]
CauseOf = Annotated[str, typer.Option("--cause", help="late, lost, mapping or out_of_band.")]
Object = Annotated[str, typer.Option("--object", help="Id of the thing.")]
By = Annotated[str, typer.Option("--by", "--as", help="Your name; kept with the act.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the act.")]
Personal = Annotated[bool, typer.Option("--personal", help="Show names and addresses too.")]


@app.command()
def run(
    *,
    portion: Annotated[bool, typer.Option("--portion", help="Only the next portion, as the DAG does.")] = False,
) -> None:
    """Compare everything now, from what systems wrote last. Exit 1 when something is open."""
    from services.hub import open_hub
    from services.reconcile_text import ran_line
    from services.reconciliation_pass import reconciliation_pass

    with open_hub() as hub:
        done = reconciliation_pass(hub, whole=not portion, progress=_progress)
    typer.echo(ran_line(done))
    if done.found:
        raise typer.Exit(1)


@app.command()
def status() -> None:
    """Say how old each system's extract is, and how far the round is."""
    from flows.reconciliation.person import Wanted
    from flows.reconciliation.report import report as report_of
    from services.hub import open_hub
    from services.reconcile_text import report_lines
    from services.reconciliation_pass import policy_of

    with open_hub() as hub:
        policy = policy_of(hub.site.model)
        found = report_of(policy, Wanted(), transaction=hub.transaction, now=hub.now())
    for line in report_lines(found, policy, listed=False, personal=False):
        typer.echo(line)
    if found.running is not None:
        typer.echo(f"round {found.running['number']} is at partition {found.running['next_partition']} of 1024")


@app.command()
def report(
    *,
    system: System = "",
    kind: Kind = "",
    field: Field = "",
    klass: Class = "",
    cause: CauseOf = "",
    object_id: Object = "",
    listed: Annotated[bool, typer.Option("--list", help="Each difference, behind the counts.")] = False,
    closed: Annotated[bool, typer.Option("--closed", help="What was closed too.")] = False,
    output: Annotated[Literal["text", "json", "csv"], typer.Option("--format", help="text, json or csv.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
    personal: Personal = False,
) -> None:
    """Print what differs by class, cause, system and age, with what to do next. Exit 1 when something is open."""
    from flows.reconciliation.report import report as report_of
    from services import reconcile_text as text
    from services.hub import open_hub
    from services.reconciliation_pass import policy_of

    wanted = _wanted("", system, kind, field, klass, cause, object_id)
    with open_hub() as hub:
        policy = policy_of(hub.site.model)
        found = report_of(policy, wanted, transaction=hub.transaction, now=hub.now(), closed=closed)
    if as_json or output == "json":
        typer.echo(text.report_json(found, policy, personal=personal))
    elif output == "csv":
        typer.echo(text.report_csv(found, policy, personal=personal), nl=False)
    else:
        typer.echo("\n".join(text.report_lines(found, policy, listed=listed, personal=personal)))
    if any(row["state"] in ("open", "repairing") for row in found.differences):
        raise typer.Exit(1)


@app.command()
def show(difference: Difference, *, personal: Personal = False) -> None:
    """Print one difference: what each system holds, why, the evidence, and what was done about it."""
    from flows.reconciliation.person import show as show_one
    from services.hub import open_hub
    from services.reconcile_text import difference_facts
    from services.reconciliation_pass import policy_of

    with open_hub() as hub:
        row, acts = show_one(difference, transaction=hub.transaction)
        facts = difference_facts(row, policy_of(hub.site.model), hub.now(), personal=personal)
    for name, value in facts.items():
        if value not in ("", None, {}):
            typer.echo(f"{name:<14} {value}")
    for act in acts:
        typer.echo(f"  {act['at']:%Y-%m-%d %H:%MZ} {act['act']:<10} {act['by']}: {act['reason']}")


@app.command()
def repair(
    difference: Annotated[str, typer.Argument(help="Id of one difference; else those that options name.")] = "",
    *,
    system: System = "",
    kind: Kind = "",
    field: Field = "",
    klass: Class = "",
    cause: CauseOf = "",
    object_id: Object = "",
    allowed: Annotated[bool, typer.Option("--allowed", help="What the site allows without a person.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    by: By = "",
    reason: Reason = "",
) -> None:
    """Tell the system that differs what the system of record says; the next extract shows whether it helped."""
    from services.hub import open_hub
    from services.reconciliation_pass import proposals, repair_allowed, repair_by_person

    wanted = _wanted(difference, system, kind, field, klass, cause, object_id)
    if not allowed and not dry_run and (wanted.is_any or not by or not reason):
        raise typer.BadParameter("give --allowed, or a difference (or options that name some) with --by and --reason")
    with open_hub() as hub:
        if dry_run:
            _print_proposals(proposals(hub, wanted), allowed=allowed)
            return
        done = repair_allowed(hub, wanted) if allowed else repair_by_person(hub, wanted, by=by, reason=reason)
    for one in done:
        typer.echo(one.words)
    typer.echo(f"{len(done)} repairs sent")


@app.command()
def waive(
    difference: Annotated[str, typer.Argument(help="Id of one difference; else those that options name.")] = "",
    *,
    system: System = "",
    kind: Kind = "",
    field: Field = "",
    klass: Class = "",
    cause: CauseOf = "",
    object_id: Object = "",
    by: By,
    reason: Reason,
) -> None:
    """Let open differences stand under your name; they are open again when other values are found."""
    from flows.reconciliation.person import waive as waive_them
    from services.hub import open_hub

    wanted = _wanted(difference, system, kind, field, klass, cause, object_id)
    with open_hub() as hub:
        rows = waive_them(wanted, by=by, reason=reason, transaction=hub.transaction, now=hub.now())
    typer.echo(f"{len(rows)} differences waived")


def _wanted(difference: str, system: str, kind: str, field: str, klass: str, cause: str, object_id: str) -> "Wanted":
    from flows.reconciliation.person import Wanted

    return Wanted(difference, system, kind, field, klass, cause, object_id)


def _print_proposals(proposals: "list[Any]", *, allowed: bool) -> None:
    """Say what would be sent."""
    shown = [one for one in proposals if one.is_allowed or not allowed]
    for one in shown:
        word = "allowed " if one.is_allowed else "person  "
        typer.echo(f"{one.difference['difference_id'][:8]}  {word if one.way[0] else 'none    '} {one.words}")
    typer.echo(f"{sum(bool(one.way[0]) for one in shown)} would be sent")


def _progress(what: str, done: int, of: int) -> None:
    """Say how far long work is, a few times."""
    if of and (done == of or done % max(1, of // 8) == 0):
        typer.echo(f"{what}: {done} of {of}", err=True)
