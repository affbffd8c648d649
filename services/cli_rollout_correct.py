"""`amihub rollout correct|confirm`: what a person decides on exchanges that were reported wrongly."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from flows.meter_rollout.corrections import Corrected
    from services.hub import Hub

CROSS = typer.Option("", "--cross", metavar="A,B", help="Cycle of usage points: what was told of one is the next's.")
PREMISE = typer.Option("", "--premise", metavar="RESULT", help="Completion that was reported at a wrong usage point.")
TO = typer.Option("", "--to", metavar="USAGE_POINT", help="With --premise: where it really was.")
ACCEPT = typer.Option("", "--accept", metavar="RESULT", help="Which of several contradicting completions is right.")
PREVIEW = typer.Option(True, "--preview/--confirm", help="Show what would change, or change it.")
BY = typer.Option("", "--by", help="Who decides; needed with --confirm.")
REASON = typer.Option("", "--reason", help="Why; needed with --confirm.")


def correct_command(
    *,
    cross: str = CROSS,
    premise: str = PREMISE,
    to: str = TO,
    accept: str = ACCEPT,
    preview: bool = PREVIEW,
    by: str = BY,
    reason: str = REASON,
) -> None:
    """Correct exchanges that were reported wrongly: all members at once, or nothing.

    Without --confirm it only shows what would hang where, how many readings move, and which bills rest on it.
    RESULT is the id of a completion, as `amihub rollout explain USAGE_POINT` shows it.

    Meters of U1, U2 and U3 were reported at each other's (EX09): amihub rollout correct --cross U1,U2,U3

    It was done at U7, not where it was reported (EX01, EX05): amihub rollout correct --premise RESULT --to U7

    Of two that contradict each other one is right (EX14): amihub rollout correct --accept RESULT

    Then the same with: --confirm --by ann --reason "photos of both plates"
    """
    asked = [bool(cross), bool(premise), bool(accept)]
    if sum(asked) != 1 or bool(premise) != bool(to):
        raise typer.BadParameter("say one of: --cross U1,U2 (two or more), --premise RESULT --to U7, --accept RESULT")
    if not preview and not (by and reason):
        raise typer.BadParameter('--confirm needs who and why: --by ann --reason "photos of both plates"')
    from services.hub import open_hub

    with open_hub() as hub:
        found = _corrected(
            hub, [one for one in cross.split(",") if one], premise, to, accept, by=by, reason=reason, is_preview=preview
        )
    for line in _lines(found, is_preview=preview):
        typer.echo(line)


def confirm_command(
    result: str = typer.Argument(
        metavar="RESULT", help="Completion, as `amihub rollout explain USAGE_POINT` shows it."
    ),
    *,
    rule: str = typer.Option(..., "--rule", help="Rule whose finding was looked at, such as EX08."),
    by: str = typer.Option(..., "--by", help="Who looked at it."),
    reason: str = typer.Option(..., "--reason", help="Why it may pass."),
) -> None:
    """Let a finding of the validation pass that a person has looked at; what would break a link never passes.

    EX05, EX06, EX07, EX08, EX12 and EX19 may pass. The completion is judged again by all other rules, at once.

    The photo shows the reading: amihub rollout confirm RESULT --rule EX08 --by ann --reason "photo 17"
    """
    from flows.meter_rollout import correcting
    from services.hub import open_hub
    from services.site_rollout import rollout_policy

    with open_hub() as hub:
        person = correcting.Person(by, reason, hub.now())
        policy = rollout_policy(hub.site.model)
        state = correcting.waive(result, rule.upper(), policy=policy, transaction=hub.transaction, person=person)
    typer.echo(f"{result}: {state}")


def _corrected(
    hub: "Hub",
    cross: Sequence[str],
    premise: str,
    to: str,
    accept: str,
    *,
    by: str,
    reason: str,
    is_preview: bool,
) -> "Corrected":
    """Carry out, or rehearse, the one thing that is asked."""
    from flows.meter_rollout import correcting
    from services.site_rollout import rollout_policy

    policy, transaction = rollout_policy(hub.site.model), hub.transaction
    person = correcting.Person(by or "preview", reason, hub.now())
    if cross:
        return correcting.cross(cross, policy=policy, transaction=transaction, person=person, is_preview=is_preview)
    if premise:
        return correcting.premise(
            premise, to, policy=policy, transaction=transaction, person=person, is_preview=is_preview
        )
    return correcting.accept(accept, policy=policy, transaction=transaction, person=person, is_preview=is_preview)


def _lines(found: "Corrected", *, is_preview: bool) -> list[str]:
    """Return what a correction changed, or would change, as lines."""
    lines = ["Would change (nothing was changed yet; say --confirm):" if is_preview else "Changed:"]
    lines += [f"  {line}" for line in found.lines]
    lines.append(f"  {found.readings} readings move with their meters")
    lines.append(f"  told again: {', '.join(found.told_again) or 'nobody had been told'}")
    if found.proposals:
        lines.append(f"  bills that rest on the old belief, for a person: {', '.join(found.proposals)}")
    return lines
