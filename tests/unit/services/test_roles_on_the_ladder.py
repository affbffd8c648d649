from pathlib import Path
from typing import get_args

from services.billing_interfaces import KINDS, billing_interface
from services.role_section import RoleKind
from services.site_file import load_site


def test_a_site_may_have_a_role_of_any_kind_beside_its_billing() -> None:
    assert set(KINDS) == set(get_args(RoleKind))


def test_what_a_route_reader_brings_counts_as_read_by_hand(tmp_path: Path) -> None:
    site = (Path(__file__).resolve().parents[3] / "site.example.toml").read_text()
    reader = '[roles.walkers]\nadapter = "route_file"\nkind = "route_reader"\nclock = "UTC"\nmultiplier = "raw"\n'
    place = tmp_path / "site.toml"
    place.write_text(f"{site}\n{reader}")

    interface = billing_interface(load_site(place), "mass")

    assert interface.policy.manual_sources == {"manual", "walkers"}
