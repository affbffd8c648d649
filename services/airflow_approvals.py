"""Decisions about waves as Airflow asks for them: what is asked, and what is done with the answers."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.site_model import SiteModel
from services.site_rollout import waves_of

log = logging.getLogger(__name__)

APPROVE, NOT_NOW = "Approve", "Not now"

PAGE = """### Approvals of a meter rollout

One run is **one pass**: ask a person for everything that waits, do what was approved, say how it stands.
Where the site asks for a person (`[rollout] approvals`), lists are frozen and days are released by one.

* `ask`: answers are given under *Required actions*; whoever answers is kept with the act
* nobody answers within hours: nothing is done, and the next run asks again
* the rollout's own passes never wait for it

The same by hand: `amihub rollout freeze WAVE --by NAME`, `amihub rollout release WAVE --day DAY --by NAME`.
"""
"""What the DAG's page says."""


def asks_people(model: SiteModel) -> bool:
    """Return whether a site wants a person to decide about any of its waves."""
    own = model.rollout
    return own is not None and bool(own.approvals or any(rules.approvals for rules in waves_of(model).values()))


def questions(params: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what a person is asked: name and explanation of each decision; nothing where only a look was wanted."""
    from services.hub import open_hub
    from services.rollout_approvals import explained, waiting

    with open_hub() as hub:
        found = [{"subject": str(one), "body": explained(one)} for one in waiting(hub)]
    log.info("steps: %s; why: %s", params["steps"], params["note"] or "on schedule")
    log.info("%d decisions wait: %s", len(found), ", ".join(one["subject"] for one in found))
    return found if params["steps"] == "ask" else []


def carried_out(asked: Sequence[Mapping[str, str]], answers: Iterable[Mapping[str, Any]]) -> list[str]:
    """Do what was approved, under the name of whoever approved it, and return what came of it.

    Raises:
        HubError: one of them cannot be done; those before it are done.
    """
    from services.hub import open_hub
    from services.rollout_approvals import approve

    done = []
    with open_hub() as hub:
        for one, answer in zip(asked, answers, strict=True):
            if APPROVE in answer["chosen_options"]:
                done.append(approve(hub, one["subject"], by=_who(answer)))
                log.info("%s", done[-1])
    return done


def _who(answer: Mapping[str, Any]) -> str:
    """Return the name of whoever answered."""
    user = answer["responded_by_user"]
    return str(user["name"] or user["id"])


def verdict() -> dict[str, Any]:
    """Return what still waits: it makes nothing red."""
    from services.hub import open_hub
    from services.rollout_approvals import waiting

    with open_hub() as hub:
        return {"waiting": [str(one) for one in waiting(hub)], "failures": []}
