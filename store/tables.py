"""Every table of the hub: importing this module makes `SQLModel.metadata` whole."""

from sqlmodel import SQLModel

import store.acts
import store.deliveries
import store.dispatch
import store.files
import store.message_items
import store.messages  # noqa: F401

METADATA = SQLModel.metadata
"""All tables, for migrations and for tests."""
