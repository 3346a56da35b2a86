"""POC Governor, a GitHub App. The folders are the flow of the data:

    web/            GitHub's deliveries in, pages out; decides nothing
    inbox.py        deliveries and facts recorded once, subjects marked dirty
    worker.py       a dirty subject gets its look; what failed is retried or given up
    sweep.py        marks subjects dirty without being asked
    events/         one file per behaviour: gather facts, decide, apply
    texts.py        view values to Markdown, through templates/
    github_client/  the only importer of PyGithub
    store/          the only importer of SQLModel
    ports.py        what the rest needs from GitHub
    rules/          pure: frozen facts and `now` in, values out

Imports point down this list, never up and never sideways; import-linter holds it (pyproject.toml).
"""
