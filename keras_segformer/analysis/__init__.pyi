from .complexity import (
    Complexity as Complexity,
)
from .complexity import (
    Cost as Cost,
)
from .complexity import (
    count_complexity as count_complexity,
)
from .complexity import (
    paper_macs as paper_macs,
)
