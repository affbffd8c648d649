"""The standard's XML and web-service bindings; no business."""
