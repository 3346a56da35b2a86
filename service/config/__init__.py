"""What the service is told: its settings, its keys, and the app that it is."""
