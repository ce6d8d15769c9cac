"""The search over the hidden size K and any other option; the only importer of KerasTuner."""

from zoo.tuning.arrays import Found, search
from zoo.tuning.study import Study

__all__ = ["Found", "Study", "search"]
