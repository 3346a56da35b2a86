"""Located YAML for the charter and the policy."""
