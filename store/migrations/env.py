"""How Alembic runs the steps: on the connection that `store.migrate` hands over, against all tables of the hub."""

from alembic import context

from store.migrate import OPTIONS

context.configure(connection=context.config.attributes["connection"], **OPTIONS)
with context.begin_transaction():
    context.run_migrations()
