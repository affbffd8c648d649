"""What the hub remembers: SQLModel tables, SQLite by default, PostgreSQL in production."""
