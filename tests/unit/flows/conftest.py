"""The way out that the tests of deliveries use."""

from datetime import datetime
from pathlib import Path

import pytest
from delivery_office import Office

from store.session import Transaction


@pytest.fixture
def office(transaction: Transaction, now: datetime, tmp_path: Path) -> Office:
    return Office(transaction, now, tmp_path)
