"""The schedule of the margin in MarginInnerProduct."""

from __future__ import annotations

from google.protobuf.message import Message


def margin_level(options: Message, step: int) -> float:
    """lambda in the forward after `step` others, by a MarginInnerProductParameter."""
    level = options.base * (1 + options.gamma * (options.iteration + step + 1)) ** -options.power
    return max(level, options.lambda_min)
