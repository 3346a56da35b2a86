"""The app itself: its key, and a token for each installation, cached until shortly before it ends."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from github import Auth, Consts, Github, GithubIntegration
from github.HookDelivery import HookDeliverySummary
from github.PaginatedList import PaginatedList

from service.github_client import transport
from service.github_client.charter_files import CharterFiles
from service.github_client.check_runs import CheckRuns
from service.github_client.connection import Server
from service.github_client.contents import Contents
from service.github_client.deployments import Deployments, Members
from service.github_client.errors import translated
from service.github_client.history import History
from service.github_client.issues import Comments, Issues
from service.github_client.pull_requests import ProposalsClient, PullRequests, ReviewersClient
from service.ports import GitHubError
from service.rules.commands.parsing import ASKING, PROPOSING, may_ask_reviewers, may_propose
from service.rules.queue import DeliveryAttempt, Failure, FailureKind
from service.rules.values.github import Installation


class InstallationClient(
    Contents, CharterFiles, CheckRuns, Issues, Comments, PullRequests, Deployments, History, Members
):
    """Reads and writes with one installation's token."""


API_VERSION = "2022-11-28"
TIMEOUT = 15
"""Seconds that GitHub has for an answer; it gives up on its own side after 10."""
NEEDS = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "read",
    "actions": "read",
    "organization_custom_properties": "read",
    "members": "read",
    "checks": "write",
    "issues": "write",
    "deployments": "write",
}
"""What this version uses; a token is minted with those of them that were granted."""
SPARE = timedelta(minutes=5)
"""A token that ends sooner than this is not handed out."""


class _Kind(StrEnum):
    """What a token is for: each has no more than that needs."""

    LOOKING = "looking"
    PROPOSING = "proposing"
    TEAMS = "teams"
    ASKING = "asking"


_ASKED = {
    _Kind.LOOKING: NEEDS,
    _Kind.PROPOSING: PROPOSING,
    _Kind.TEAMS: {"members": "read"},
    _Kind.ASKING: ASKING,
}


@dataclass(frozen=True, slots=True)
class Registered:
    """The app as GitHub describes it to whoever holds its key."""

    slug: str
    html_url: str
    client_id: str


class App:
    """Acts in the app's name; safe to share between threads, since it holds no open connection."""

    def __init__(
        self,
        app_id: int,
        private_key: str,
        api_url: str = Consts.DEFAULT_BASE_URL,
        timeout: int = TIMEOUT,
    ) -> None:
        self._auth = Auth.AppAuth(app_id, private_key)
        self._api_url = api_url
        self._timeout = timeout
        self._tokens: dict[tuple[int, _Kind], tuple[str, datetime, Mapping[str, str]]] = {}
        self._server = Server()
        self._minting: defaultdict[tuple[int, _Kind], threading.Lock] = defaultdict(threading.Lock)
        transport.install()

    def installation(self, installation: Installation) -> InstallationClient:
        """A client with the rights of one installation, for one job and one thread."""
        client = self._client(self._token(installation, _Kind.LOOKING))
        return InstallationClient(client, lambda: self.forget_token(installation.id), self._server)

    def proposals(self, installation: Installation) -> ProposalsClient | None:
        """A client that opens pull requests, for one job and one thread; None where that was not granted."""
        if not may_propose(installation.permissions):
            return None
        client = self._client(self._token(installation, _Kind.PROPOSING))
        return ProposalsClient(client, lambda: self.forget_token(installation.id))

    def reviewers(self, installation: Installation) -> ReviewersClient | None:
        """A client that asks for reviews, for one job and one thread; None where that was not granted."""
        if not may_ask_reviewers(installation.permissions):
            return None
        client = self._client(self._token(installation, _Kind.ASKING))
        return ReviewersClient(client, lambda: self.forget_token(installation.id))

    def _client(self, token: str) -> Github:
        return Github(
            auth=Auth.Token(token),
            base_url=self._api_url,
            timeout=self._timeout,
            per_page=100,
            retry=None,
            lazy=True,
            # PyGithub would sleep in the job; who waits here waits by `not_before`.
            seconds_between_requests=None,
            seconds_between_writes=None,
            api_version=API_VERSION,
        )

    def describe(self, installation_id: int) -> Installation:
        """Ask what GitHub knows of an installation: its account, and what it granted."""
        with translated(f"reading installation {installation_id}"), self._integration() as integration:
            _, data = integration.requester.requestJsonAndCheck(
                "GET", f"/app/installations/{installation_id}"
            )
            account, suspended_at = data["account"] or {}, data.get("suspended_at")
            if not account.get("login"):
                message = f"reading installation {installation_id}: GitHub names no user or organization"
                raise GitHubError(Failure(FailureKind.REFUSED, message))
            return Installation(
                id=data["id"],
                account=account["login"],
                permissions=data.get("permissions", {}),
                suspended_at=datetime.fromisoformat(suspended_at) if suspended_at else None,
            )

    def installation_ids(self) -> list[int]:
        """The ids of all installations of the app."""
        with translated("listing the app's installations"), self._integration() as integration:
            return [installation.id for installation in integration.get_installations()]

    def failed_deliveries(self, since: datetime) -> Iterator[DeliveryAttempt]:
        """GitHub's failed attempts to deliver to the app, newest first, as far back as `since`."""
        with translated("listing the app's deliveries"), self._integration() as integration:
            path, page = "/app/hook/deliveries", {"per_page": 100, "status": "failure"}
            for raw in PaginatedList(HookDeliverySummary, integration.requester, path, page):
                if raw.delivered_at is None or raw.delivered_at < since:
                    return
                yield DeliveryAttempt(
                    raw.id or 0,
                    raw.guid or "",
                    raw.delivered_at,
                    raw.status_code or 0,
                    raw.event or "",
                    raw.action,
                    raw.installation_id,
                )

    def webhook(self) -> tuple[str, str]:
        """The address that GitHub delivers to, and the content type of the bodies."""
        with translated("reading the app's webhook"), self._integration() as integration:
            _, data = integration.requester.requestJsonAndCheck("GET", "/app/hook/config")
            return str(data.get("url", "")), str(data.get("content_type", ""))

    def redeliver(self, attempt_id: int) -> None:
        """Ask GitHub to send a delivery again."""
        with translated(f"asking for delivery {attempt_id} again"), self._integration() as integration:
            integration.requester.requestJsonAndCheck("POST", f"/app/hook/deliveries/{attempt_id}/attempts")

    def recent_deliveries(self) -> list[tuple[str, DeliveryAttempt]]:
        """The newest hundred attempts to deliver to the app, each with its event, newest first."""
        with translated("listing the app's deliveries"), self._integration() as integration:
            _, data = integration.requester.requestJsonAndCheck(
                "GET", "/app/hook/deliveries", parameters={"per_page": 100}
            )
            return [(str(raw["event"]), _attempt(raw)) for raw in data]

    def slug(self) -> str:
        """The app's name in addresses; asks GitHub, and so proves id and private key."""
        return self.registered().slug

    def registered(self) -> Registered:
        """The app's own page and client id."""
        with translated("reading the app"), self._integration() as integration:
            _, data = integration.requester.requestJsonAndCheck("GET", "/app")
            page, client_id = data.get("html_url"), data.get("client_id")
            return Registered(str(data["slug"]), str(page or ""), str(client_id or ""))

    def covers_all(self, installation_id: int) -> bool:
        """Whether it is installed on all repositories of an account, also those to come."""
        with translated(f"reading installation {installation_id}"), self._integration() as integration:
            _, data = integration.requester.requestJsonAndCheck(
                "GET", f"/app/installations/{installation_id}"
            )
            return bool(data.get("repository_selection") == "all")

    def team_id(self, installation: Installation, slug: str) -> int:
        """The id of a team of the organisation."""
        with (
            translated(f"looking up team {installation.account}/{slug}"),
            self._client(self._token(installation, _Kind.TEAMS)) as client,
        ):
            path = f"/orgs/{installation.account}/teams/{quote(slug, safe='')}"
            _, data = client.requester.requestJsonAndCheck("GET", path)
            return int(data["id"])

    def forget_token(self, installation_id: int) -> None:
        """Mint anew next time: permissions changed, or the token was refused."""
        for kind in _Kind:
            self._tokens.pop((installation_id, kind), None)

    def _integration(self) -> GithubIntegration:
        return GithubIntegration(
            auth=self._auth,
            base_url=self._api_url,
            timeout=self._timeout,
            retry=None,
            per_page=100,
            api_version=API_VERSION,
        )

    def _token(self, installation: Installation, kind: _Kind) -> str:
        asked = {
            name: level
            for name, level in _ASKED[kind].items()
            if installation.permissions.get(name) in (level, "write", "admin")
        }
        with self._minting[installation.id, kind]:
            known = self._tokens.get((installation.id, kind))
            if known and known[1] - SPARE > datetime.now(UTC) and known[2] == asked:
                return known[0]
            with translated(f"minting a token for installation {installation.id}"):
                token, ends = self._mint(installation, asked)
            self._tokens[installation.id, kind] = token, ends, asked
            return token

    def _mint(self, installation: Installation, asked: Mapping[str, str]) -> tuple[str, datetime]:
        with self._integration() as integration:
            _, data = integration.requester.requestJsonAndCheck(
                "POST", f"/app/installations/{installation.id}/access_tokens", input={"permissions": asked}
            )
        return data["token"], datetime.fromisoformat(data["expires_at"])


def _attempt(raw: Mapping[str, Any]) -> DeliveryAttempt:
    at = datetime.fromisoformat(raw["delivered_at"])
    return DeliveryAttempt(int(raw["id"]), str(raw["guid"]), at, int(raw["status_code"]))
