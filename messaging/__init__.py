"""Queues: RabbitMQ, or a durable file of our own behind the same port; no business."""
