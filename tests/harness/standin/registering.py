"""Registering an app from a manifest, and installing it: GitHub's pages, and what it sends of itself.

As GitHub documents it under "Registering a GitHub App from a manifest". What comes out is the app that the
emulator has from its beginning. A stand-in that begins without an app shows it only once it is registered
and installed here, and tells what was sent to it; any other hands these questions on.
"""

from __future__ import annotations

import html
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from service.demo.emulator import token_of
from tests.harness.standin.emulated import Emulated, emulated, form, refusal
from tests.harness.standin.installations import SIMPLE_USER
from tests.harness.webhooks import PLAIN, signed

KEYS = {
    "name",
    "url",
    "hook_attributes",
    "redirect_url",
    "callback_urls",
    "setup_url",
    "description",
    "public",
    "default_events",
    "default_permissions",
    "request_oauth_on_install",
    "setup_on_update",
}
SENT = range(200, 300)
UNASKED = {"installation", "installation_repositories", "github_app_authorization"}
"""Events that every app gets: GitHub refuses a manifest that lists them."""
LONGEST_NAME = 34
SLUG = "poc-governor"
PAGE = (
    "<!doctype html><link rel='icon' href='data:,'><title>{title}</title><h1>{title}</h1>"
    "<form method='post' action='{action}'>{fields}<button>{button}</button></form>"
)


@dataclass
class Registered:
    """What was registered and installed, and every attempt to deliver something about it."""

    from_nothing: bool = False
    manifest: dict[str, Any] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)
    installed: bool = False
    attempts: list[dict[str, Any]] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    clicks: int = 0
    """Buttons that were pressed on GitHub's pages."""

    @property
    def hook(self) -> str:
        """Where webhooks go."""
        return str(self.manifest.get("hook_attributes", {}).get("url", ""))


def registered(request: Request) -> Registered:
    """What was registered so far."""
    found = request.app.state.registered
    assert isinstance(found, Registered)
    return found


def refused(manifest: dict[str, Any]) -> str:
    """Why GitHub would not take a manifest; empty where it would."""
    if unknown := manifest.keys() - KEYS:
        return f"unknown keys: {sorted(unknown)}"
    if not 0 < len(manifest.get("name", "")) <= LONGEST_NAME:
        return "name is too long or missing"
    if unasked := UNASKED & set(manifest.get("default_events", ())):
        return f"default_events are not supported: {sorted(unasked)}"
    addresses = [manifest.get(name) for name in ("url", "redirect_url", "setup_url")]
    addresses += [manifest.get("hook_attributes", {}).get("url"), *manifest.get("callback_urls", ())]
    wrong = [each for each in addresses if not str(each).startswith(("http://", "https://"))]
    return f"not an address: {wrong}" if wrong else ""


async def new(request: Request) -> Response:
    """The page that asks to create the app."""
    try:
        manifest = json.loads((await form(request))["manifest"])
    except (KeyError, ValueError):
        return HTMLResponse("<h1>The manifest is not JSON</h1>", 422)
    if wrong := refused(manifest):
        return HTMLResponse(f"<h1>Invalid manifest</h1><p>{html.escape(wrong)}</p>", 422)
    state = request.query_params.get("state", "")
    name = f'<input name="name" value="{html.escape(manifest["name"])}">'
    fields = _hidden(manifest=json.dumps(manifest), state=state) + name
    action = f"/organizations/{request.path_params['org']}/settings/apps"
    return HTMLResponse(PAGE.format(title="Create GitHub App", action=action, fields=fields, button="Create"))


async def create(request: Request) -> Response:
    """The button: the app exists, GitHub pings it, and leads back with a code."""
    given, known = await form(request), registered(request)
    known.clicks += 1
    known.manifest = json.loads(given["manifest"]) | {"name": given["name"]}
    code = secrets.token_hex(20)
    known.codes.add(code)
    ping = {"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"type": "App", "id": 1}}
    await send(request, "ping", ping)
    query = urlencode({"code": code, "state": given["state"]})
    return RedirectResponse(f"{known.manifest['redirect_url']}?{query}", 302)


async def convert(request: Request) -> Response:
    """A code against the app's credentials, once."""
    known, here = registered(request), emulated(request)
    if request.path_params["code"] not in known.codes:
        return refusal(404, "Not Found")
    known.codes.remove(request.path_params["code"])
    app, emulator = await here.get("/app", here.as_app()), here.emulator
    whole = app | {
        "name": known.manifest["name"],
        "html_url": f"{here.url}/apps/{SLUG}",
        "external_url": known.manifest["url"],
        "description": known.manifest["description"],
        "owner": await _owner(here),
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "webhook_secret": emulator.webhook_secret,
        "pem": emulator.private_key,
    }
    return JSONResponse(whole, 201)


async def install_page(_request: Request) -> Response:
    """The page that asks where to install the app."""
    action = f"/apps/{SLUG}/installations/new"
    return HTMLResponse(PAGE.format(title="Install", action=action, fields="", button="Install"))


async def install(request: Request) -> Response:
    """The button: it is installed, GitHub tells so, and leads to the setup page."""
    known, here = registered(request), emulated(request)
    known.clicks += 1
    known.installed = True
    number = here.emulator.installation_id
    whole = await here.get(f"/app/installations/{number}", here.as_app())
    found = await _repositories(request)
    stubs = [
        {name: each[name] for name in ("id", "node_id", "name", "full_name", "private")} for each in found
    ]
    await send(
        request,
        "installation",
        {"action": "created", "installation": whole, "repositories": stubs, "sender": whole["account"]},
    )
    query = urlencode({"installation_id": number, "setup_action": "install"})
    return RedirectResponse(f"{known.manifest['setup_url']}?{query}", 302)


async def send(request: Request, event: str, payload: dict[str, Any], guid: str = "") -> None:
    """Deliver something, and remember what came of it."""
    known, emulator = registered(request), emulated(request).emulator
    body = known.bodies[guid] if guid else json.dumps(payload).encode()
    headers = signed(event, body, guid, secret=emulator.webhook_secret)
    guid = headers["X-GitHub-Delivery"]
    status = 0
    with suppress(httpx.HTTPError):
        async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as http:
            status = (await http.post(known.hook, content=body, headers=headers)).status_code
    repeated = guid in known.bodies
    known.bodies[guid] = body
    known.attempts.insert(
        0,
        {
            "id": len(known.attempts) + 1,
            "guid": guid,
            "delivered_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "redelivery": repeated,
            "duration": 0.1,
            "status": "OK" if status in SENT else "failed",
            "status_code": status,
            "event": event,
            "action": payload.get("action"),
            "installation_id": emulator.installation_id if event == "installation" else None,
            "repository_id": None,
            "throttled_at": None,
        },
    )


async def deliveries(request: Request) -> Response:
    """The attempts, newest first."""
    if not registered(request).from_nothing:
        return await emulated(request).forward(request)
    wanted = request.query_params.get("status")
    shown = [each for each in registered(request).attempts if not wanted or _is(each, wanted)]
    return JSONResponse(shown)


async def again(request: Request) -> Response:
    """Deliver once more."""
    number = request.path_params["id"]
    found = next((each for each in registered(request).attempts if each["id"] == number), None)
    if found is None:
        return refusal(404, "Not Found")
    await send(request, found["event"], {"action": found["action"]}, found["guid"])
    return JSONResponse({}, 202)


async def hook(request: Request) -> Response:
    """Where webhooks go, and in which form."""
    if not registered(request).from_nothing:
        return await emulated(request).forward(request)
    found = {
        "content_type": "json",
        "insecure_ssl": "0",
        "secret": "********",
        "url": registered(request).hook,
    }
    return JSONResponse(found)


async def installed(request: Request) -> Response:
    """The app's installations, once it is installed."""
    known, here = registered(request), emulated(request)
    if not known.from_nothing:
        return await here.forward(request)
    if not known.installed:
        return JSONResponse([])
    owner, listed = await _owner(here), await here.get("/app/installations", here.as_app())
    return JSONResponse([each | {"account": owner, "target_id": owner["id"]} for each in listed])


async def repositories(request: Request) -> Response:
    """What an installation covers: all of its organisation."""
    if not registered(request).from_nothing:
        return await emulated(request).forward(request)
    found = await _repositories(request)
    page, size = (
        int(request.query_params.get(name, usual)) for name, usual in (("page", 1), ("per_page", 30))
    )
    shown = found[(page - 1) * size : page * size]
    return JSONResponse({"total_count": len(found), "repository_selection": "all", "repositories": shown})


async def _repositories(request: Request) -> list[dict[str, Any]]:
    here = emulated(request)
    asked = here.listed("/search/repositories", _owners_token(here), q=f"org:{here.emulator.org}")
    owner = await _owner(here)
    return sorted([each | {"owner": owner} async for each in asked], key=itemgetter("id"))


async def _owner(here: Emulated) -> dict[str, Any]:
    """The organisation as GitHub describes an account."""
    found = await here.get(f"/orgs/{here.emulator.org}", _owners_token(here))
    page = f"{here.url}/users/{found['login']}"
    more = {name: f"{page}{end}" if name.endswith("_url") else end for name, end in SIMPLE_USER.items()}
    said = {name: value for name, value in found.items() if value is not None}
    return more | {"type": "Organization", "site_admin": False} | said


def _owners_token(here: Emulated) -> str:
    """That of a person who sees everything."""
    return token_of(here.emulator.users[0])


def _is(attempt: dict[str, Any], wanted: str) -> bool:
    return (wanted == "success") == (attempt["status_code"] in range(200, 400))


def _hidden(**fields: str) -> str:
    return "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in fields.items()
    )


ROUTES = [
    Route("/organizations/{org}/settings/apps/new", new, methods=["POST"]),
    Route("/organizations/{org}/settings/apps", create, methods=["POST"]),
    Route("/app-manifests/{code}/conversions", convert, methods=["POST"]),
    Route(f"/apps/{SLUG}/installations/new", install_page, methods=["GET"]),
    Route(f"/apps/{SLUG}/installations/new", install, methods=["POST"]),
    Route("/app/hook/config", hook, methods=["GET"]),
    Route("/app/hook/deliveries", deliveries, methods=["GET"]),
    Route("/app/hook/deliveries/{id:int}/attempts", again, methods=["POST"]),
    Route("/app/installations", installed, methods=["GET"]),
    Route("/installation/repositories", repositories, methods=["GET"]),
]
