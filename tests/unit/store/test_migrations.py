"""Migrations and models say the same, on both databases."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from store import migrate
from store.session import open_engine


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/blank.db"
    server: str = request.getfixturevalue("postgres_server")
    engine = open_engine(server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE IF EXISTS blank"))
        connection.execute(text("CREATE DATABASE blank"))
    engine.dispose()
    return make_url(server).set(database="blank").render_as_string(hide_password=False)


def test_an_upgraded_database_has_what_the_models_say_and_nothing_else(blank: str) -> None:
    migrate.upgrade(blank)

    assert migrate.differences(blank) == []


def test_the_status_names_the_revision_before_and_after_an_upgrade(blank: str) -> None:
    before = migrate.status(blank)
    migrate.upgrade(blank)
    migrate.upgrade(blank)

    assert before == ("", migrate.head())
    assert migrate.status(blank) == (migrate.head(), migrate.head())
