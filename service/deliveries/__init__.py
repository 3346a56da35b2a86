"""What a delivery means: which events to record, which subjects to reconcile. Imports rules only."""
