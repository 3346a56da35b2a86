"""The commands; each imports what it needs when it runs, so that `check` starts at once.

Over 300 lines: most of it is the options of each command, and their help.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from service.cli.environment import (
    UNUSABLE,
    completed,
    counting_in_files,
    has_app,
    loaded,
    opened_database,
    refuse,
    with_or_without_app,
)

if TYPE_CHECKING:
    from service.cli.doctor import Line
    from service.config.settings import ServiceSettings, StoreSettings
    from service.serve import Worker

FAILED = 1
SWEEP_TIMEOUT = 600.0

cli = typer.Typer(
    name="poc-governor",
    help="Takes AI proofs of concept from demo to production.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; default HOST.")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on; default PORT.", show_default=False)] = -1,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only the web; `work` runs apart.")] = False,
) -> None:
    """Receive GitHub's deliveries and work on them."""
    overrides = ({"HOST": host} if host else {}) | ({"PORT": str(port)} if port >= 0 else {})
    settings = with_or_without_app(overrides)
    with counting_in_files():
        from service.config.secret_key import SecretKeyError
        from service.serve import serve as run
        from service.store.embedded import DataDirInUse, PostgresFailed

        try:
            run(settings, worker=None if no_worker else _worker, examine=_examine)
        except (DataDirInUse, PostgresFailed, SecretKeyError) as error:
            refuse(str(error))


@cli.command()
def work(
    metrics_port: Annotated[
        Optional[int],  # noqa: UP045 (Typer reads it at run time)
        typer.Option(min=1, max=65535, metavar="PORT", help="Show /metrics at HOST and this port."),
    ] = None,
) -> None:
    """Work on what was received; any number of these over one DATABASE_URL."""
    given = with_or_without_app()
    run = _worker()
    with (
        opened_database(given, "work", may_make=True) as url,
        _watched(given, url, metrics_port),
    ):
        run(completed(given, url, wait=True), url)


def _watched(settings: ServiceSettings, url: str, port: int | None) -> AbstractContextManager[None]:
    if port is None:
        return nullcontext()
    from service.watched import watched

    return watched(settings, url, port)


@cli.command()
def check(
    paths: Annotated[
        Optional[list[str]],  # noqa: UP045 (Typer reads it at run time)
        typer.Argument(metavar="[PATH]...", help="Charters; default ./POC.md, `-` is standard input."),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="`text`, `json` or `github`.")] = "text",
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="Judge as of that day.")] = "",
    base: Annotated[
        Optional[str],  # noqa: UP045 (Typer reads it at run time)
        typer.Option("--base", metavar="REF", help="Show which goalposts moved since this branch left REF."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --base: exit 1 where a goalpost got easier.")
    ] = False,
) -> None:
    """Check a charter: exit 0 fine, 1 findings or no charter, 2 no such file."""
    from service.cli.check import check as run
    from service.cli.check_output import Format

    if format_ not in list(Format):
        refuse(f"--format {format_}: write one of {', '.join(Format)}")
    if strict and base is None:
        refuse("--strict: name the commit to compare with, as --base main")
    today = _day(as_of) if as_of else _today()
    code = run(paths or [], format=Format(format_), today=today, out=sys.stdout, base=base, strict=strict)
    raise typer.Exit(code)


@cli.command()
def init(
    path: Annotated[Path, typer.Argument(help="Where to write the charter.")] = Path("POC.md"),
    owner: Annotated[str, typer.Option(help="GitHub login of the owner; default git's `github.user`.")] = "",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; leave open what git can't tell.")
    ] = False,
) -> None:
    """Write a charter in which the lines that only you can know are marked."""
    from service.cli.init import init as run
    from service.rules.charter.values import bare_login, parse_login

    if path.exists() or path.is_symlink():
        beside = path.parent / f"{path.stem or 'POC'}-draft.md"
        remedy = f"check it with `poc-governor check {path}`, or draft another: `poc-governor init {beside}`"
        refuse(f"{path} exists: {remedy}")
    if owner and not parse_login(bare_login(owner)):
        refuse(f"--owner {owner}: write one GitHub login, like jane-doe")
    asked = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    try:
        run(path, owner=owner, today=_today(), ask=input if asked else None, say=typer.echo)
    except FileNotFoundError:
        refuse(f"there is no folder {path.parent}: make it, or name another file")
    except OSError as error:
        refuse(f"{path}: {error.strerror}")
    except (EOFError, KeyboardInterrupt):
        refuse("nothing written")


@cli.command()
def schema() -> None:
    """Print the charter's JSON Schema, for editors and other programs."""
    from service.rules.checks.schema import printed

    sys.stdout.write(printed())


@cli.command()
def sweep(
    as_of: Annotated[
        str,
        typer.Option("--as-of", metavar="TIMESTAMP", help="Look as of that time, for example 2027-01-15."),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be written.")] = False,
) -> None:
    """Look at every installation and every POC now, and say what each look did."""
    given = with_or_without_app()
    when = _timestamp(as_of)
    if when and when > datetime.now(UTC) and not dry_run and not given.github_is_local:
        refuse(
            f"--as-of {as_of} is in the future: people would get messages early. "
            "Add --dry-run, or use an emulator on this machine as GITHUB_API_URL"
        )
    from service.logs import configure
    from service.store.schema import migrate
    from service.sweep import dry_run as preview
    from service.sweep import sweep as run
    from service.wiring import build

    configure(given.log_format, level=30)
    failed = False
    with opened_database(given, "sweep", may_make=has_app(given)) as url:
        services = build(completed(given, url), url)
        migrate(services.engine)
        if dry_run:
            for key, outcome, actions in preview(services, as_of=when):
                typer.echo(f"{key}: {outcome}")
                for action in actions:
                    typer.echo(f"    would {action}")
        else:
            for state in run(services, as_of=when, timeout=SWEEP_TIMEOUT):
                failed = failed or state.dirty or state.dead
                said = state.last_error if state.dirty or state.dead else state.outcome
                mark = "dead: " if state.dead else "waits: " if state.dirty else ""
                typer.echo(f"{state.key}: {mark}{said}")
        services.engine.dispose()
    raise typer.Exit(FAILED if failed else 0)


@cli.command()
def doctor() -> None:
    """Say what is wrong with this installation, and how to fix it."""
    from service.cli.doctor import examine, told
    from service.logs import configure

    configure("text", level=50)
    raise typer.Exit(FAILED if told(examine(os.environ), typer.echo) else 0)


@cli.command()
def setup(
    org: Annotated[str, typer.Option(help="The organisation that will own the app.")],
    url: Annotated[str, typer.Option(help="Where GitHub and people will reach the service.")],
    github_url: Annotated[
        str, typer.Option(envvar="GITHUB_URL", help="GitHub's pages; default https://github.com.")
    ] = "https://github.com",
    github_api_url: Annotated[
        str, typer.Option(envvar="GITHUB_API_URL", help="GitHub's API; default the one of --github-url.")
    ] = "",
    name: Annotated[str, typer.Option(help="The app's name, at most 34 characters.")] = "",
    public: Annotated[
        bool, typer.Option("--public", help="Other organisations may install it: set ALLOWED_ACCOUNTS too.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The file for the settings.")] = Path(".env"),
    store: Annotated[
        bool, typer.Option("--store", help="Into the database of DATABASE_URL or DATA_DIR, encrypted.")
    ] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="Write a page to open on another machine.")
    ] = False,
    only_manifest: Annotated[
        bool, typer.Option("--manifest", help="Only print the manifest for that GitHub.")
    ] = False,
) -> None:
    """Register the app on GitHub, install it, and say what it finds."""
    from service.cli.register import Asked, SetupError, printed_manifest
    from service.cli.setup import into_database, into_file
    from service.logs import configure
    from service.ports import GitHubError

    configure("text", level=50)
    asked = Asked(org, url, github_url, github_api_url, name=name, public=public)
    try:
        if only_manifest:
            typer.echo(printed_manifest(asked))
            return
        into = into_database if store else into_file(out)
        well = into(asked, os.environ, headless=headless)
    except SetupError as error:
        refuse(str(error))
    except GitHubError as error:
        refuse(error.failure.message)
    except (EOFError, KeyboardInterrupt):
        typer.echo("\nStopped. `poc-governor doctor` says how far it got.", err=True)
        raise typer.Exit(FAILED) from None
    raise typer.Exit(0 if well else FAILED)


@cli.command()
def ruleset(
    org: Annotated[str, typer.Option(help="The organisation.")],
    team: Annotated[str, typer.Option(help="The team whose approval a changed charter needs.")] = "",
    by: Annotated[
        str,
        typer.Option(help="Which repositories: `property`, `name` or `ids`; default the first that fits."),
    ] = "",
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Only report; needs GitHub Enterprise.")
    ] = False,
) -> None:
    """Print a ruleset to import, which makes GitHub require the charter's check."""
    from service.cli.organisation import of_organisation
    from service.github_client.app import App
    from service.logs import configure
    from service.ports import GitHubError
    from service.rules.setup.ruleset import By, NoRulesetError

    if by and by not in list(By):
        refuse(f"--by {by}: write one of {', '.join(By)}")
    given = with_or_without_app()
    configure("text", level=50)
    with nullcontext("") if has_app(given) else opened_database(given, "ruleset") as database:
        settings = completed(given, database)
    app = App(settings.github_app_id, settings.github_app_private_key, settings.github_api_url)
    team_slug, kind = team.rpartition("/")[2], By(by) if by else None
    try:
        made = of_organisation(
            app, settings.github_app_id, org, team_slug, _today(), by=kind, evaluate=evaluate
        )
    except NoRulesetError as error:
        refuse(str(error))
    except GitHubError as error:
        refuse(error.failure.message)
    for note in made.notes:
        typer.echo(note, err=True)
    typer.echo(json.dumps(made.document, indent=2))


ORG = typer.Option(help="The account that the app is installed on.")
LET_POLICY = typer.Option("--let-policy-decide", help="Take back what the operator set.")


@cli.command()
def observe(org: Annotated[str, ORG], let_policy_decide: Annotated[bool, LET_POLICY] = False) -> None:
    """Hold nothing up in an organisation, and only say what would be held up; without a restart."""
    _switch(org, None if let_policy_decide else "observe")


@cli.command()
def enforce(org: Annotated[str, ORG], let_policy_decide: Annotated[bool, LET_POLICY] = False) -> None:
    """Hold things up in an organisation, whatever its policy says; without a restart."""
    _switch(org, None if let_policy_decide else "enforce")


def _switch(org: str, mode: str | None) -> None:
    from service.cli.modes import UnknownAccountError, switch
    from service.logs import configure
    from service.rules.policy.model import Mode
    from service.store.database import connected
    from service.store.schema import migrate

    given = with_or_without_app()
    configure(given.log_format, level=30)
    with opened_database(given, "switch") as url, connected(url) as engine:
        migrate(engine)
        try:
            typer.echo(switch(engine, org, Mode(mode) if mode else None))
        except UnknownAccountError as error:
            refuse(str(error))


@cli.command()
def record(
    repository: Annotated[str, typer.Argument(metavar="OWNER/REPO", help="The POC's repository.")],
    format_: Annotated[str, typer.Option("--format", help="`md` or `json`.")] = "md",
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="TIMESTAMP", help="What was known at that time.")
    ] = "",
) -> None:
    """Print all that was recorded of a POC, each entry chained to the one before; for audits."""
    when = _timestamp(as_of) or datetime.now(UTC)
    if format_ not in {"md", "json"}:
        refuse(f"--format {format_} isn't known: write md or json")
    from service.cli.record import printed
    from service.config.settings import load_store

    with opened_database(loaded(load_store), "record") as url:
        found = printed(url, repository, format_, when)
    if found is None:
        refuse(f"we don't know a POC {repository}: write OWNER/REPO as GitHub shows it")
    typer.echo(found, nl=False)


FILE = typer.Argument(metavar="FILE", help="The backup.")


@cli.command()
def backup(file: Annotated[Path, FILE]) -> None:
    """Write all that the database holds into a new file, while the service runs or not."""
    from service.cli.backup import back_up
    from service.config.settings import load_store

    _say_what_happens(back_up, loaded(load_store), file)


@cli.command()
def restore(file: Annotated[Path, FILE]) -> None:
    """Fill an empty database with a backup, while nothing serves."""
    from service.cli.backup import bring_back
    from service.config.settings import load_store

    _say_what_happens(bring_back, loaded(load_store), file)


@cli.command("move-database")
def move_database(
    to: Annotated[str, typer.Option(metavar="URL", help="An empty database of a PostgreSQL of your own.")],
) -> None:
    """Move the embedded database into a PostgreSQL of your own, while nothing serves."""
    from service.cli.backup import move
    from service.config.setting_values import postgres
    from service.config.settings import load_store
    from service.logs import configure
    from service.store.backup import BackupError
    from service.store.embedded import PostgresFailed

    try:
        postgres(to)
    except ValueError as error:
        refuse(f"--to: {error}")
    settings = loaded(load_store, {"DATABASE_URL": to})
    if os.environ.get("DATABASE_URL", "").strip():
        refuse("DATABASE_URL is set, so the embedded database isn't what is used. Unset it to move that")
    configure(settings.log_format, level=30)
    try:
        for line in move(settings):
            typer.echo(line)
    except (BackupError, PostgresFailed) as error:
        refuse(str(error))


@cli.command("replace-credentials")
def replace_credentials(
    private_key: Annotated[
        Optional[Path],  # noqa: UP045 (Typer reads it at run time)
        typer.Option(metavar="FILE", help="A new private key of the app, as GitHub lets you download it."),
    ] = None,
    webhook_secret: Annotated[
        Optional[Path],  # noqa: UP045 (Typer reads it at run time)
        typer.Option(metavar="FILE", help="The webhook's new secret; the present one is taken too."),
    ] = None,
    client_secret: Annotated[
        Optional[Path],  # noqa: UP045 (Typer reads it at run time)
        typer.Option(metavar="FILE", help="A new client secret of the app."),
    ] = None,
    forget_previous: Annotated[
        bool, typer.Option("--forget-previous", help="Take the webhook's previous secret no longer.")
    ] = False,
) -> None:
    """Replace credentials of the app that is stored in the database; then restart `serve` and `work`."""
    from service.cli.credentials import CredentialsError, Given, replace
    from service.logs import configure

    settings = with_or_without_app()
    if has_app(settings):
        refuse("the app's credentials are in the environment: replace them there")
    configure(settings.log_format, level=50)
    given = Given(private_key, webhook_secret, client_secret, forget_previous)
    try:
        with opened_database(settings, "replace-credentials") as url:
            typer.echo(replace(os.environ, settings, url, given))
    except CredentialsError as error:
        refuse(str(error))


def _say_what_happens(do: Callable[[StoreSettings, Path], str], settings: StoreSettings, file: Path) -> None:
    from service.logs import configure
    from service.store.backup import BackupError

    configure(settings.log_format, level=30)
    try:
        typer.echo(do(settings, file))
    except BackupError as error:
        refuse(str(error))
    except OSError as error:
        refuse(f"{file}: {error.strerror or error}")


@cli.command()
def demo(
    exit_: Annotated[
        bool, typer.Option("--exit", help="End after the story; 0 if all of it happened.")
    ] = False,
) -> None:
    """Play the whole story on this machine, against an emulated GitHub."""
    from service.demo.node import EmulatorError
    from service.demo.stage import StoryError
    from service.demo.story import tell

    try:
        tell(stay=not exit_)
    except (EmulatorError, StoryError) as error:
        typer.echo(f"poc-governor demo: {error}", err=True)
        raise typer.Exit(FAILED) from error


def main() -> None:
    """Run a command; where it needs what the light package is without, say how to get that."""
    try:
        cli()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {"", "service"}:
            raise
        typer.echo(
            f"poc-governor: this command needs `{missing}`, which isn't installed: install "
            "`poc-governor[serve]` in place of `poc-governor`, from where you took it",
            err=True,
        )
        sys.exit(UNUSABLE)


def _worker() -> Worker:
    from service.wiring import run_worker

    return run_worker


def _timestamp(text: str) -> datetime | None:
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        refuse(f"--as-of {text} isn't a time: write 2027-01-15 or 2027-01-15T09:00:00+00:00")
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        refuse(f"--as-of {text} isn't a day: write 2027-01-15")


def _today() -> date:
    return datetime.now(UTC).date()


def _examine() -> Iterator[Line]:
    from service.cli.doctor import examine

    return examine(os.environ)


if __name__ == "__main__":
    main()
