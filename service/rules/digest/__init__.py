"""The weekly digest: what a week comes to, and how it was composed and sent."""
