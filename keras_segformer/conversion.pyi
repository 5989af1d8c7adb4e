# A checkout holds this package in the folder `conversion`, where type checkers do not look for it; a wheel has it here.
from conversion import *  # noqa: F403
