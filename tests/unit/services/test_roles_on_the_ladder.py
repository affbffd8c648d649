from typing import get_args

from services.billing_interfaces import KINDS
from services.site_model import RoleKind


def test_a_site_may_have_a_role_of_any_kind_beside_its_billing() -> None:
    assert set(KINDS) == set(get_args(RoleKind))
