"""Setting the app up: the manifest it is registered from, what a first look finds, and its ruleset."""
