"""A net explained: every number of its forward and backward passes, on a page of HTML."""

from blobnet.explain.batch import Question
from blobnet.explain.fault import Fault, parse_break
from blobnet.explain.page import Lesson, explain

__all__ = ["Fault", "Lesson", "Question", "explain", "parse_break"]
