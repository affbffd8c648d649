"""Whether values carry the multiplier is a fact of the source that a reading names."""

from pathlib import Path

import pytest

from canonical.errors import MisconfiguredError
from services.billing_interfaces import billing_interface
from services.feeds import raw_sources
from services.site_file import Site, load_site
from services.unbilled_pass import unbilled_policy

EXAMPLE = (Path(__file__).resolve().parents[3] / "site.example.toml").read_text()
ROLE = """
[roles.{name}]
adapter = "{adapter}"
kind = "{kind}"
clock = "UTC"
multiplier = "{multiplier}"
"""


def site(folder: Path, *more: str, mdms: str = "applied") -> Site:
    """Return the example site, whose MDMS states quantities so, with more roles."""
    head, _, tail = EXAMPLE.partition("[roles.mdms]")
    text = head + "[roles.mdms]" + tail.replace('multiplier = "raw"', f'multiplier = "{mdms}"', 1)
    place = folder / "site.toml"
    place.write_text(text + "".join(more))
    return load_site(place)


def role(name: str, adapter: str, kind: str, multiplier: str) -> str:
    return ROLE.format(name=name, adapter=adapter, kind=kind, multiplier=multiplier)


def test_what_people_read_is_raw_beside_an_mdms_that_applies_multipliers(tmp_path: Path) -> None:
    walkers = role("walkers", "route_file", "route_reader", "raw")
    crews = role("crews", "contractor_file", "work_system", "raw")
    own = site(tmp_path, walkers, crews)

    for feeds in (billing_interface(own, "mass").multipliers, unbilled_policy(own).multipliers):
        assert (feeds["mdms"], feeds["walkers"], feeds["crews"]) == ("applied", "raw", "raw")
    assert billing_interface(own, "mass").multipliers[""] == "applied", "nobody known: as the MDMS that is asked"
    assert {"walkers", "crews"} <= raw_sources(own.model)
    assert "mdms" not in raw_sources(own.model)


def test_readings_are_known_by_the_name_under_which_their_adapter_keeps_them(tmp_path: Path) -> None:
    own = site(tmp_path, role("market", "mdms_nem", "meter_data_files", "raw"))

    feeds = billing_interface(own, "mass").multipliers

    assert (feeds["market"], feeds["mdms_nem"], feeds["mdms"]) == ("raw", "raw", "applied")


def test_who_calls_for_a_role_states_quantities_as_the_role(tmp_path: Path) -> None:
    crews = role("crews", "wams_cim", "work_system", "raw")
    caller = '[serve.clients.wfm]\npassword = "p"\nrole = "crews"\n'
    own = site(tmp_path, crews, caller)

    assert billing_interface(own, "mass").multipliers["wfm"] == "raw"


def test_two_meter_data_systems_under_one_name_that_state_quantities_differently_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="'mdms' keeps readings as 'mdms' too, and its are applied"):
        site(tmp_path, role("north", "mdms_cim", "meter_data_system", "raw"))

    named = role("north", "mdms_cim", "meter_data_system", "raw") + '  [roles.north.settings]\n  source = "north"\n'
    assert billing_interface(site(tmp_path, named), "mass").multipliers["north"] == "raw"


def test_what_people_read_cannot_have_the_multiplier_applied(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="what people read off a meter is raw"):
        site(tmp_path, role("walkers", "route_file", "route_reader", "applied"))
