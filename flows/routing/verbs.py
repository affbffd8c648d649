"""Verbs of IEC 61968-100: what is asked (`create`) and what is announced (`created`) mean the same to a route."""

IMPERATIVES = {
    "created": "create", "changed": "change", "canceled": "cancel", "closed": "close", "deleted": "delete",
}  # fmt: skip
"""What an announcement says was done."""


def imperative(verb: str) -> str:
    """Return the verb in the imperative; others as they are."""
    return IMPERATIVES.get(verb, verb)
