"""Who belongs to an organisation: its teams and its owners, with Members: read."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from service.github_client.connection import Connection
from service.ports import GitHubError

ACTIVE = "active"
"""Whoever was invited and has not answered is not a member yet."""
OWNER = "admin"


class Members(Connection):
    """The part of the client that is about people."""

    def is_team_member(self, organization: str, team: str, login: str) -> bool:
        """Also by a team below that one."""
        found = self._membership(f"/teams/{quote(team, safe='')}", organization, login)
        return found.get("state") == ACTIVE

    def is_owner(self, organization: str, login: str) -> bool:
        """As the organisation's membership says."""
        found = self._membership("", organization, login)
        return found.get("state") == ACTIVE and found.get("role") == OWNER

    def _membership(self, of: str, organization: str, login: str) -> dict[str, Any]:
        path = f"/orgs/{quote(organization, safe='')}{of}/memberships/{quote(login, safe='')}"
        try:
            with self._translated(f"reading whether {login} is a member in {organization}"):
                return dict(self._get(path))
        except GitHubError as error:
            if not error.gone:
                raise
            return {}
