"""POC Governor, a GitHub App. The folders are the flow of the data:

    cli/            the commands: check, init, sweep, doctor and the others
    first_start.py  serves /setup until there is an app
    web/            GitHub's deliveries and evidence in, pages out; decides nothing
    sweep.py        marks what is due, once an hour
    worker.py       reconciles dirty subjects; what failed is retried or given up
    deliveries/     what a payload means: recorded events, and the subjects to mark
    inbox.py        stores deliveries and evidence, and marks subjects dirty
    reconcile/      one file per subject or check run: gather, decide, note, apply
    pages/          read models of the portfolio and of one POC
    texts/          view values to Markdown, through templates/
    github_client/  the only importer of PyGithub
    store/          the only importer of SQLModel
    ports.py        what the rest needs from GitHub
    config/         settings, keys, and the app that the service is
    rules/          pure: frozen facts and `now` in, values out

Imports point down this list, never up and never sideways; import-linter holds it (pyproject.toml). The words
are explained in docs/glossary.md.
"""
