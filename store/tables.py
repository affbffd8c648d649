"""Every table of the hub: importing this module makes `SQLModel.metadata` whole."""

from sqlmodel import SQLModel

import store.acts
import store.attempts
import store.awaited_answers
import store.billing
import store.billing_parts
import store.billing_storms
import store.claims
import store.deliveries
import store.determinants
import store.end_device_events
import store.endpoints
import store.files
import store.gateways
import store.master_changes
import store.master_load_held
import store.master_loads
import store.master_origins
import store.master_statements
import store.master_subscribers
import store.master_waiting
import store.message_findings
import store.message_items
import store.messages
import store.names
import store.readings
import store.recon_differences
import store.recon_digests
import store.recon_holdings
import store.recon_runs
import store.recon_snapshots
import store.reference
import store.reference_masters
import store.request_states
import store.requests
import store.rollout
import store.shipments
import store.unbilled
import store.work  # noqa: F401

METADATA = SQLModel.metadata
"""All tables, for migrations and for tests."""
