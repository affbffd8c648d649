"""The site's `[roles.NAME.delivery]` as the road out takes it."""

from flows.delivery import DeliveryPolicy
from services.role_section import DeliverySection


def delivery_policy(section: DeliverySection) -> DeliveryPolicy:
    """Return the policy that a section states."""
    return DeliveryPolicy(
        batch=section.batch,
        in_flight=section.in_flight,
        per_minute=section.per_minute,
        timeout_s=section.timeout_seconds,
        lease_s=section.lease_seconds,
        base_s=section.backoff_seconds,
        cap_s=section.backoff_cap_seconds,
        attempts=section.attempts,
        breaker_failures=section.breaker_failures,
        breaker_open_s=section.breaker_open_seconds,
    )
