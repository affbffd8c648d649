"""Flat files and how they travel; no business."""
