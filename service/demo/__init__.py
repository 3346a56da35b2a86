"""The demo, and the emulated GitHub that it and the end-to-end tests run against."""
