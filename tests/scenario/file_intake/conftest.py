"""The hub that the scenarios of file intake poll with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from polling_hub import Hub
from sqlalchemy import Engine, text

from store.session import transactions


@pytest.fixture
def hub(engine: Engine, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(transactions(engine), tmp_path)
    yield hub
    with hub.transaction() as session:
        session.execute(text("DROP TABLE effect"))
