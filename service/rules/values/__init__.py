"""Plain values that every rule shares: GitHub's things, activity, actions, findings, groups, the calendar."""
