"""The steps by which a hub's database becomes what this version's tables say (Alembic)."""
