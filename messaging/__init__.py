"""RabbitMQ and its embedded stand-in: the same port."""
