"""The contract that every layer type meets."""

from blobnet.check.case import Case
from blobnet.check.rules import RULES


def check_contract(case: Case) -> list[str]:
    """The breaches of the contract in `case`, a sentence each, but for the exceptions that it declares."""
    return [f"{name}: {breach}" for name, rule in RULES.items() if name not in case.exceptions for breach in rule(case)]
