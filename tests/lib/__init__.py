"""What the system tests stand on: a network of their own, real brokers, a platform on a second MQTT library."""
