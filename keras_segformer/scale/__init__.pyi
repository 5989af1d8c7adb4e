from .beam import SegmentationModelHandler as SegmentationModelHandler
from .models import ModelChoice as ModelChoice
from .ray import LabelBatch as LabelBatch
