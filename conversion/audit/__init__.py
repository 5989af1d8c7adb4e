"""Examination of TF Lite files: operations, true versions, the oldest runtime, and what delegates take."""

from keras_segformer.conversion.audit.report import Audit, audit
from keras_segformer.conversion.audit.targets import TARGETS, Finding, Verdict, check_target

__all__ = ["TARGETS", "Audit", "Finding", "Verdict", "audit", "check_target"]
