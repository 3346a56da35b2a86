"""`doctor`: what is wrong with this installation of the service, and how to fix it.

Over 300 lines, so that everything it says stands in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.cli.environment import database_of, no_app, unreachable
from service.cli.modes import modes
from service.cli.required import coverages
from service.config.settings import (
    LOCAL_HOSTS,
    Settings,
    SettingsError,
    StoreSettings,
    load,
    load_service,
    load_store,
    names_an_app,
)
from service.configured import UnreadableSettingsError, complete
from service.github_client.app import NEEDS, TIMEOUT, App
from service.ports import GitHubError
from service.rules.commands.parsing import PROPOSING, may_ask_reviewers, may_propose
from service.rules.digest.edition import Channel, in_the_way, not_told
from service.rules.policy.model import POLICY_PATH
from service.rules.queue import DeliveryAttempt
from service.rules.setup.manifest import PUBLIC_API
from service.rules.values.actions import CHARTER_CHECK
from service.rules.values.github import Installation
from service.store.check_runs import CheckRuns
from service.store.connections import WEB, room
from service.store.database import Database, connect
from service.store.digests import Digests
from service.store.embedded import DataDirInUse, PostgresFailed, has_database, open_database
from service.store.health import Health, Refusals, health, refusals
from service.store.policies import Policies
from service.store.schema import NewerSchemaError, pending

RECENT = timedelta(days=1)
PING = "ping"
OLD_HEARTBEAT = 60
OLD_QUEUE = 300
"""Seconds."""
MOST_HEADS = 20


class Mark(StrEnum):
    """How a line of the report is to be taken."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at: what, how it is, and where it is wrong the remedy."""

    mark: Mark
    what: str
    says: str


def told(lines: Iterable[Line], say: Callable[[str], object]) -> int:
    """Say each line, and at the end how many are to be fixed, which is returned."""
    wrong, nothing = 0, "Nothing to fix."
    for line in lines:
        wrong += line.mark is Mark.WRONG
        if line.mark is Mark.NOTE:
            nothing = "Nothing found to fix; see the lines marked `note`."
        say(f"{line.mark:<6} {line.what}: {line.says}")
    say(f"\n{wrong} to fix." if wrong else f"\n{nothing}")
    return wrong


def examine(environment: Mapping[str, str]) -> Iterator[Line]:
    """Look at everything, one thing after another; what cannot be looked at is said to be so."""
    settings: Settings | None = None
    try:
        settings = with_app(environment)
    except SettingsError as error:
        for problem in error.problems:
            yield Line(Mark.WRONG, "settings", problem)
    else:
        yield Line(Mark.OK, "settings", "complete")
        if wrong := _not_the_api(settings.github_api_url):
            yield Line(Mark.WRONG, "GitHub", wrong)
        else:
            yield from _github(settings)
            yield from _deliveries_sent(settings)
        yield _webhook_address(settings)
        yield _pages(settings)
    try:
        store = settings or load_store(environment)
    except SettingsError:
        return
    yield from _database(store)


def _pages(settings: Settings) -> Line:
    """Whether people can log in to the pages."""
    if settings.can_log_in:
        callback = f"{settings.public_url}/login/callback"
        return Line(
            Mark.OK, "pages", f"people log in with GitHub; {callback} has to be a callback URL of the app"
        )
    if settings.github_client_id:
        says = (
            f"people log in over https only, and PUBLIC_URL is {settings.public_url}: set its https address"
        )
        return Line(Mark.WRONG, "pages", says)
    if settings.pages_are_open:
        return Line(Mark.OK, "pages", "open to this machine, without a login")
    return Line(Mark.OK, "pages", "off: set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET to let people log in")


def with_app(environment: Mapping[str, str]) -> Settings:
    """All settings, with the app that is stored where the environment names none."""
    if names_an_app(environment):
        return load(environment)
    try:
        given = load_service(environment)
    except SettingsError as error:
        raise SettingsError([*error.problems, no_app()]) from error
    found = None
    with suppress(DataDirInUse, PostgresFailed, NewerSchemaError, SQLAlchemyError), ExitStack() as stack:
        url = given.database_url
        if not url and has_database(given.data_dir):
            url = stack.enter_context(open_database(given.data_dir, "doctor"))
        try:
            found = complete(environment, given, url, wait=False) if url else None
        except UnreadableSettingsError as error:
            raise SettingsError([str(error)]) from error
    if found is None:
        raise SettingsError([no_app()])
    return found


def _github(settings: Settings) -> Iterator[Line]:
    app = App(settings.github_app_id, settings.github_app_private_key, settings.github_api_url)
    try:
        slug = app.slug()
        installations = [app.describe(installation_id) for installation_id in app.installation_ids()]
    except GitHubError as error:
        yield Line(Mark.WRONG, "GitHub", _github_remedy(error, settings))
        return
    yield Line(Mark.OK, "GitHub", f"{settings.github_api_url} accepts the key of app {slug}")
    if not installations:
        page = f"{settings.github_url}/apps/{slug}/installations/new"
        yield Line(Mark.NOTE, "installations", f"none yet: install the app at {page}")
    for installation in installations:
        yield (
            _ignored(installation)
            if not settings.serves(installation.account)
            else _permissions(installation)
        )


def _ignored(installation: Installation) -> Line:
    what = f"installation {installation.id} ({installation.account})"
    return Line(Mark.NOTE, what, "ignored: ALLOWED_ACCOUNTS doesn't name this account")


def _not_the_api(url: str) -> str:
    """Why an address is not that of GitHub's API, whose every refusal has a `message` in JSON; or nothing."""
    try:
        answer = httpx.get(f"{url}/app", timeout=TIMEOUT, follow_redirects=False)
    except httpx.HTTPError:
        return ""  # what is in the way is said with the first question of the app
    with suppress(ValueError):
        said = answer.json()
        if isinstance(said, dict) and "message" in said:
            return ""
    if answer.status_code in (403, 429) or answer.is_server_error:
        return ""  # by something in front of it, maybe for a while
    return (
        f"GITHUB_API_URL ({url}) is not the address of GitHub's API: {url}/app answers {answer.status_code}, "
        f"and not the way GitHub does. Write {PUBLIC_API}, or https://HOST/api/v3 for Enterprise Server"
    )


def _github_remedy(error: GitHubError, settings: Settings) -> str:
    said = error.failure.message
    if "GitHub says 401" in said:
        return (
            f"{settings.github_api_url} doesn't accept GITHUB_APP_PRIVATE_KEY for app "
            f"{settings.github_app_id}: use a key from that app's settings page, or fix GITHUB_APP_ID; "
            "or GITHUB_API_URL if the app was registered on another GitHub"
        )
    if "GitHub says 404" in said:
        return (
            f"{settings.github_api_url} doesn't know app {settings.github_app_id}: fix GITHUB_APP_ID, "
            "or GITHUB_API_URL if the app was registered on another GitHub"
        )
    return f"{said}: check GITHUB_API_URL ({settings.github_api_url}) and the way out of this network"


def _permissions(installation: Installation) -> Line:
    what = f"installation {installation.id} ({installation.account})"
    if installation.suspended_at is not None:
        return Line(Mark.WRONG, what, "suspended: an owner of the account unsuspends it in its settings")
    enough = {"read": ("read", "write", "admin"), "write": ("write", "admin")}
    missing = [
        f"{name}: {level}"
        for name, level in NEEDS.items()
        if installation.permissions.get(name) not in enough[level]
    ]
    if missing:
        says = f"not granted: {', '.join(missing)}. What needs them is off until an owner approves them"
        return Line(Mark.WRONG, what, says)
    says = f"all permissions that this version uses are granted{_beyond(installation)}"
    return Line(Mark.OK, what, says)


def _beyond(installation: Installation) -> str:
    """What comes of rights that the app does not ask for."""
    asks = ". Signers are asked as reviewers" if may_ask_reviewers(installation.permissions) else ""
    return f"{_to_propose(installation)}{asks}"


def _to_propose(installation: Installation) -> str:
    if may_propose(installation.permissions):
        return ", and those with which commands that change the charter open a pull request"
    lacking = [
        f"{name}: {level}"
        for name, level in PROPOSING.items()
        if level == "write" and installation.permissions.get(name) != level
    ]
    return f"; {lacking[0]} is missing to open pull requests" if len(lacking) == 1 else ""


def _webhook_address(settings: Settings) -> Line:
    what, url = "webhook", f"{settings.public_url}/healthz"
    if urlsplit(settings.public_url).hostname in LOCAL_HOSTS and not settings.github_is_local:
        says = f"PUBLIC_URL is {settings.public_url}, which GitHub can't reach: use a public address"
        return Line(Mark.WRONG, what, says)
    try:
        answer = httpx.get(url, timeout=5, follow_redirects=False)
    except httpx.HTTPError as error:
        says = (
            f"{url} doesn't answer from here ({type(error).__name__}): is `serve` running, and the way open?"
        )
        return Line(Mark.NOTE, what, says)
    if answer.status_code != httpx.codes.OK:
        return Line(Mark.WRONG, what, f"{url} answers {answer.status_code}: does PUBLIC_URL lead to `serve`?")
    says = (
        f"{settings.public_url} answers from here; the app's deliveries page shows whether GitHub reaches it"
    )
    return Line(Mark.OK, what, says)


def _deliveries_sent(settings: Settings) -> Iterator[Line]:
    """What GitHub says of its deliveries: where they go, in which form, and what became of the last ones."""
    app = App(settings.github_app_id, settings.github_app_private_key, settings.github_api_url)
    what, expected = "webhook at GitHub", f"{settings.public_url}/webhooks/github"
    try:
        url, content_type = app.webhook()
        failed = list(app.failed_deliveries(datetime.now(UTC) - RECENT))
        recent = app.recent_deliveries()
    except GitHubError as error:
        if error.gone:
            yield Line(Mark.NOTE, what, "this server doesn't tell where it delivers, or what failed")
        return  # anything else was said above
    if url != expected:
        yield Line(Mark.WRONG, what, f"delivers to {url or 'no address'}: set it to {expected}")
    if content_type != "json":
        yield Line(Mark.WRONG, what, f"sends {content_type}: set the content type to application/json")
    if pings := [attempt for event, attempt in recent if event == PING]:
        yield _ping(pings[0])
    answered = {attempt.guid for _, attempt in recent if attempt.was_answered}
    failed = [attempt for attempt in failed if attempt.guid not in answered]  # asked for again since
    if unsigned := [attempt for attempt in failed if attempt.status_code == httpx.codes.UNAUTHORIZED]:
        refused = _told(len(unsigned))
        says = f"{refused} refused today: GITHUB_WEBHOOK_SECRET is not the webhook's secret"
        yield Line(Mark.WRONG, what, says)
    elif failed:
        last = failed[0].status_code or "no answer"
        says = f"{_told(len(failed))} failed today, the last with {last}"
        yield Line(Mark.NOTE, what, f"{says}; they are asked for again")
    elif url == expected:
        yield Line(Mark.OK, what, "delivers here, and no delivery failed today")


def _ping(ping: DeliveryAttempt) -> Line:
    if ping.was_answered:
        return Line(Mark.OK, "ping", f"answered at {_minute(ping.delivered_at)}")
    says = (
        f"GitHub's ping got {ping.status_code or 'no answer'}; `serve` asks for it again within ten minutes"
    )
    return Line(Mark.NOTE, "ping", says)


def _database(settings: StoreSettings) -> Iterator[Line]:
    with ExitStack() as stack:
        try:
            if not settings.database_url and not has_database(settings.data_dir):
                says = f"none yet in DATA_DIR {settings.data_dir}: `serve` makes it at its first start"
                yield Line(Mark.NOTE, "database", says)
                return
            url = settings.database_url or stack.enter_context(open_database(settings.data_dir, "doctor"))
        except (DataDirInUse, PostgresFailed) as error:
            yield Line(Mark.WRONG, "database", str(error))
            return
        engine = connect(url, pool_size=2)
        try:
            yield from _inside(engine, settings)
            if isinstance(settings, Settings) and not pending(engine):
                yield from _required(engine, settings)
        except NewerSchemaError as error:
            yield Line(Mark.WRONG, "migrations", str(error))
        except SQLAlchemyError as error:
            yield Line(Mark.WRONG, "database", unreachable(settings, error))
        finally:
            engine.dispose()


def _inside(engine: Engine, settings: StoreSettings) -> Iterator[Line]:
    late = pending(engine)
    yield Line(Mark.OK, "database", f"{database_of(settings)} answers")
    if late:
        yield Line(Mark.NOTE, "migrations", "not up to date: `serve` and `work` run them at their start")
        return
    yield Line(Mark.OK, "migrations", "up to date")
    if isinstance(settings, Settings):
        wanted = WEB * settings.web_processes + settings.database_connections
        if lacking := replace(room(engine), used=0).lacking(wanted):
            yield Line(Mark.WRONG, "connections", lacking)
    default = settings.mode if isinstance(settings, Settings) else None
    for held in modes(engine, default, datetime.now(UTC)):
        yield Line(Mark.NOTE if held.due else Mark.OK, f"mode of {held.account}", held.says)
    now = health(engine)
    yield _worker(now, settings)
    yield _queue(now)
    yield _backup(now)
    for subject, reason in now.dead:
        yield Line(Mark.WRONG, f"dead {subject}", f"{reason}. Its next event or `sweep` tries again")
    for head in CheckRuns(Database(engine)).unchecked()[:MOST_HEADS]:
        what = f"{CHARTER_CHECK} on {head.full_name}#{head.number}"
        yield Line(Mark.WRONG, what, f"not on {head.head_sha[:7]}: {head.reason}. `sweep` tries again")
    yield from _deliveries(now, refusals(engine))
    for installation_id, known in Policies(Database(engine)).broken():
        first = known.findings[0] if known.findings else POLICY_PATH
        says = f"{first} The last one that could be read stays in force"
        yield Line(Mark.WRONG, f"policy of installation {installation_id}", says)
    yield from _digests(Digests(Database(engine)), settings)


def _required(engine: Engine, settings: Settings) -> Iterator[Line]:
    app = App(settings.github_app_id, settings.github_app_private_key, settings.github_api_url)
    for each in coverages(app, engine):
        mark = Mark.NOTE if each.without or each.unknown else Mark.OK
        yield Line(mark, f"{CHARTER_CHECK} in {each.account}", each.says)


def _digests(digests: Digests, settings: StoreSettings) -> Iterator[Line]:
    """Where the weekly digests cannot be told."""
    for central in digests.centrals():
        if says := in_the_way(central):
            yield Line(Mark.WRONG, f"digest of installation {central.installation_id}", says)
    for untold in digests.untold():
        if untold.channel is Channel.CENTRAL:
            yield Line(Mark.WRONG, f"digest of installation {untold.installation_id}", not_told(untold))
        elif isinstance(settings, Settings) and settings.slack_webhook_url:
            yield Line(Mark.WRONG, "Slack", not_told(untold))


def _worker(now: Health, settings: StoreSettings) -> Line:
    if now.heartbeat_age is None:
        if not isinstance(settings, Settings):
            return Line(Mark.NOTE, "worker", "none running: it starts once the settings are complete")
        return Line(Mark.WRONG, "worker", "none running: start `serve` or `work`")
    if now.heartbeat_age > OLD_HEARTBEAT:
        says = f"last heartbeat {now.heartbeat_age:.0f} s ago: start `serve` or `work` again"
        return Line(Mark.WRONG, "worker", says)
    return Line(Mark.OK, "worker", f"{now.workers} running, last heartbeat {now.heartbeat_age:.0f} s ago")


def _queue(now: Health) -> Line:
    if now.queue_age is not None and now.queue_age > OLD_QUEUE:
        says = f"{_waiting(now.dirty)}, the oldest for {now.queue_age:.0f} s: add workers with `work`"
        return Line(Mark.WRONG, "queue", says)
    return Line(Mark.OK, "queue", f"{_waiting(now.dirty)} to be checked")


def _backup(now: Health) -> Line:
    if now.last_backup_at is None:
        return Line(Mark.OK, "backup", "none by `poc-governor backup` yet")
    return Line(Mark.OK, "backup", f"the last was made at {_minute(now.last_backup_at)}")


def _deliveries(now: Health, refused: Refusals | None) -> Iterator[Line]:
    if refused:
        says = f"{_told(refused.deliveries)} refused since {_minute(refused.since)}"
        if refused.in_vain:
            why = "GITHUB_WEBHOOK_SECRET is not the webhook's secret, or strangers sent them"
            yield Line(Mark.WRONG, "deliveries", f"{says}, and none taken after them: {why}")
        else:
            says += f", the last at {_minute(refused.last)}: their signature is wrong"
            yield Line(Mark.NOTE, "deliveries", f"{says}. Later ones were taken")
    if now.last_delivery_at is not None:
        age = datetime.now(UTC) - now.last_delivery_at
        yield Line(Mark.OK, "deliveries", f"the last was stored {age.total_seconds():.0f} s ago")
    elif not refused:
        yield Line(Mark.NOTE, "deliveries", "none yet: see the app's settings, Advanced, Recent deliveries")


def _told(count: int) -> str:
    """So many deliveries."""
    return "1 delivery" if count == 1 else f"{count} deliveries"


def _waiting(count: int) -> str:
    return "1 subject waits" if count == 1 else f"{count} subjects wait"


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
