"""How Airflow treats our errors: what is away is tried again; what is wrong, or wrongly set up, fails at once.

UnavailableError    -> retry, after half a minute, then longer (the task's own back-off)
RejectedError       -> fail without retry: the data must change first
MisconfiguredError  -> fail without retry: a person must change the site file
"""

from datetime import timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

RETRY_BY_ERROR = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="canonical.errors.UnavailableError",
            action=RetryAction.RETRY,
            retry_delay=timedelta(seconds=30),
            reason="the other side is away",
        ),
        RetryRule(
            exception="canonical.errors.RejectedError",
            action=RetryAction.FAIL,
            reason="the data is wrong; trying again changes nothing",
        ),
        RetryRule(
            exception="canonical.errors.MisconfiguredError",
            action=RetryAction.FAIL,
            reason="the site is set up wrong; a person must mend it",
        ),
    ]
)
"""Retry policy of every task that speaks to the outside."""
