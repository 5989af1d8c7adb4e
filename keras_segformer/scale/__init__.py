"""Pictures by the million: their label maps, found by many processes or machines.

`SegmentationModelHandler` runs a model in pipelines of Apache Beam (extra `beam`), `LabelBatch` in data sets of Ray
(extra `ray`); both load what a `ModelChoice` names. The command `keras-segformer label` is made of them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
