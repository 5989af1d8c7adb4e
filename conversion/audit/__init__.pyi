from .audit_file import Audit as Audit
from .audit_file import audit as audit
from .target_names import TARGETS as TARGETS
from .target_names import check_target as check_target
from .targets import Finding as Finding
from .targets import Verdict as Verdict
