"""Examination of TF Lite files: operations, true versions, the oldest runtime, and what delegates take."""

from .audit_file import Audit, audit
from .targets import TARGETS, Finding, Verdict, check_target

__all__ = ["TARGETS", "Audit", "Finding", "Verdict", "audit", "check_target"]
