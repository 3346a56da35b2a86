"""Sessions outlive the clients that use them, and carry nothing from one installation to another."""

from __future__ import annotations

from email.message import Message
from types import SimpleNamespace

import pytest
from requests import Request
from requests.cookies import extract_cookies_to_jar

from service.github_client import transport
from service.github_client.transport import SESSIONS

ADDRESS = "https://api.example.com:443"


@pytest.fixture(autouse=True)
def _no_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "SESSIONS", type(SESSIONS)())


def test_a_thread_keeps_its_session_for_an_address() -> None:
    kept = transport.SESSIONS
    assert kept.at(ADDRESS) is kept.at(ADDRESS)
    assert kept.at(ADDRESS) is not kept.at("https://github.example.com:443")


def test_one_that_was_idle_for_long_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = transport.SESSIONS
    before = kept.at(ADDRESS)
    monkeypatch.setattr(transport, "IDLE", -1.0)
    assert kept.at(ADDRESS) is not before


def test_no_cookie_of_an_answer_is_kept() -> None:
    jar = transport.SESSIONS.at(ADDRESS).cookies
    told = Message()
    told["Set-Cookie"] = "session=of-another-installation; Path=/"
    answer = SimpleNamespace(_original_response=SimpleNamespace(msg=told))
    extract_cookies_to_jar(jar, Request("GET", f"{ADDRESS}/app").prepare(), answer)
    assert not jar


def test_what_the_environment_says_of_proxies_and_certificates_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "github.example.com")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/own.pem")
    session = transport.SESSIONS.at(ADDRESS)
    assert session.proxies["https"] == "http://proxy.example.com:3128"
    assert session.verify == "/etc/ssl/own.pem"
    assert "https" not in transport.SESSIONS.at("https://github.example.com:443").proxies
