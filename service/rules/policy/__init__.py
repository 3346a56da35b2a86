"""The organisation's policy: what `poc-policy.yml` says, and what it would change."""
