"""Who is told of shipped meters and who walks routes, as a site file says it."""

from pathlib import Path

import pytest

from canonical.errors import MisconfiguredError
from services.rollout_files import route_policy, shipment_policy
from services.site_file import load_site
from services.site_model import SiteModel

SITE = """
[site]
name = "Small Town"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
{rest}
"""
ROLE = '[roles.{0}]\nadapter = "{1}"\nkind = "{2}"\nclock = "UTC"\nmultiplier = "{3}"\n'
ROLES = (
    ROLE.format("crew", "contractor_file", "work_system", "raw")
    + ROLE.format("mdms", "mdms_cim", "meter_data_system", "applied")
    + ROLE.format("walkers", "route_file", "route_reader", "raw")
)


def model(tmp_path: Path, rest: str) -> SiteModel:
    place = tmp_path / "site.toml"
    place.write_text(SITE.format(rest=rest + ROLES))
    return load_site(place).model


def test_systems_that_hold_stock_are_told_of_meters_and_a_contractor_by_files_is_not(tmp_path: Path) -> None:
    said = '[rollout]\nwork_system = "crew"\nmdms = "mdms"\nhes = "hes"\n[lacks]\nhes = "manual"\n'

    policy = shipment_policy(model(tmp_path, said))

    assert (policy.roles, policy.by_hand, policy.queue) == (("mdms",), ("hes",), "rollout")


def test_a_plausible_read_rests_on_feeds_that_tell_what_meters_show(tmp_path: Path) -> None:
    policy = route_policy(model(tmp_path, '[rollout]\nroute_reader = "walkers"\n'))

    assert (policy.role, policy.zone) == ("walkers", "America/Toronto")
    assert policy.raw_sources >= {"crew", "walkers"}
    assert not policy.raw_sources & {"mdms", "mdms_cim"}
    assert policy.max_daily_kwh


@pytest.mark.parametrize("said", ["", '[rollout]\nroute_reader = "none"\n[lacks]\nnone = "absent"\n'])
def test_where_nobody_walks_no_route_can_be_handed_out(tmp_path: Path, said: str) -> None:
    with pytest.raises(MisconfiguredError, match="route_reader"):
        route_policy(model(tmp_path, said))
