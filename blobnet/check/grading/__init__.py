"""Grading exercises: what is right, the first number that is not, and the likeliest slip. Never the solution."""

from blobnet.check.grading.findings import Finding, Grade, State
from blobnet.check.grading.grade import grade
from blobnet.check.grading.slips import Slip

__all__ = ["Finding", "Grade", "Slip", "State", "grade"]
