"""The policy of serials, under the name by which file formats know it."""

from canonical.serials import SerialPolicy

__all__ = ["SerialPolicy"]
