"""Audit of TF Lite files: operators, the versions that they need, the oldest runtime, and what delegates take."""

from .audit_file import Audit, audit
from .target_names import TARGETS, check_target
from .targets import Finding, Verdict

__all__ = ["TARGETS", "Audit", "Finding", "Verdict", "audit", "check_target"]
