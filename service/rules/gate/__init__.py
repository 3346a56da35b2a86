"""The ship gate: signatures, verdict, and the state of a POC."""
