"""Where the check runs lead to."""

from __future__ import annotations

import pytest

from service.config.settings import Settings
from service.rules.values.actions import CHARTER_CHECK, GATE_CHECK, POLICY_CHECK
from service.rules.values.github import RepositoryRef
from service.texts.charter import ALL_FINDINGS, EXPLAINED
from service.web.docs import files, rendered
from service.wiring import DOCUMENTS, details_url

TRIAGE = RepositoryRef(1, "acme/poc-triage")


def settings(public_url: str, host: str, github_api_url: str, client: str = "") -> Settings:
    made = Settings(
        github_app_id=1,
        github_app_private_key="",
        github_webhook_secret="x",
        public_url=public_url,
        host=host,
        github_api_url=github_api_url,
    )
    return made.model_copy(update={"github_client_id": client, "github_client_secret": client})


@pytest.mark.parametrize(
    ("name", "document"), [(CHARTER_CHECK, "charter"), (GATE_CHECK, "shipping"), (POLICY_CHECK, "policy")]
)
def test_a_check_run_leads_to_its_document(name: str, document: str) -> None:
    found = details_url(
        settings("https://poc.example.com", "0.0.0.0", "https://api.github.com"), TRIAGE, name
    )
    assert found == f"https://poc.example.com/docs/{document}"


@pytest.mark.parametrize("code", sorted(EXPLAINED | {ALL_FINDINGS, "checking-it"}))
def test_what_a_finding_links_to_is_there(code: str) -> None:
    _, body = rendered(files()["charter"])
    assert f'id="{code}"' in body


def test_the_findings_of_a_policy_are_explained() -> None:
    _, body = rendered(files()["policy"])
    assert f'id="{ALL_FINDINGS}"' in body


def test_each_of_the_documents_is_served() -> None:
    assert files().keys() >= set(DOCUMENTS.values())


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (CHARTER_CHECK, "pocs/acme/poc-triage"),
        (GATE_CHECK, "pocs/acme/poc-triage"),
        (POLICY_CHECK, "docs/policy"),
    ],
)
def test_where_the_pages_are_open_it_leads_to_the_poc(name: str, place: str) -> None:
    here = settings("http://localhost:8000", "localhost", "http://localhost:4000")
    assert details_url(here, TRIAGE, name) == f"http://localhost:8000/{place}"


def test_where_people_log_in_it_leads_to_the_poc() -> None:
    there = settings("https://poc.example.com", "0.0.0.0", "https://api.github.com", "Iv23liAbCdEfGhIjKlMn")
    assert details_url(there, TRIAGE, CHARTER_CHECK) == "https://poc.example.com/pocs/acme/poc-triage"
    unsafe = settings("http://poc.example.com", "0.0.0.0", "https://api.github.com", "Iv23liAbCdEfGhIjKlMn")
    assert details_url(unsafe, TRIAGE, CHARTER_CHECK) == "http://poc.example.com/docs/charter"
