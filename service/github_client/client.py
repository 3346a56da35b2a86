"""One installation's GitHub, as `ports.GitHub` asks for it. One client serves one job and one thread."""

from __future__ import annotations

from service.github_client.check_runs import CheckRuns
from service.github_client.comments import Comments
from service.github_client.contents import Contents
from service.github_client.deployments import Deployments
from service.github_client.history import History
from service.github_client.issues import Issues
from service.github_client.pull_requests import PullRequests


class InstallationClient(Contents, CheckRuns, Issues, Comments, PullRequests, Deployments, History):
    """Reads and writes with one installation's token."""
