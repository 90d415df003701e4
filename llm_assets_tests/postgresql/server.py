"""A PostgreSQL server of the tests' own, in a folder of its own, that nobody else can reach."""

import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from pwd import getpwall
from signal import SIGINT
from tempfile import TemporaryDirectory
from typing import TypedDict

import pytest

USER = "ledger"
DICTIONARY_ORDER = ("--locale-provider=icu", "--icu-locale=en-US")
SETTINGS = {
    "listen_addresses": "",  # a socket in the folder is all there is
    "fsync": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "log_min_messages": "warning",
}
START_SECONDS = 30


class Owner(TypedDict):
    """Who runs the server, as `subprocess` takes it."""

    user: int
    group: int
    extra_groups: Sequence[int] | None


@dataclass(slots=True)
class PostgreSQLServer:
    """A server that can be stopped and started; its databases stay."""

    folder: Path
    programs: Path
    sorts_like_a_dictionary: bool = False
    _process: subprocess.Popen[bytes] | None = None
    _numbers: "count[int]" = field(default_factory=count)

    def build_url(self, database: str, user: str = USER) -> str:
        """The address of a database for SQLAlchemy."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    def make_schema(self) -> str:
        """Make a new schema and return the address under which it is all there is; a database takes 8 MB."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"{self.build_url('postgres')}&options=-csearch_path%3D{name}"

    def make_database(self, how: str = "") -> str:
        """Make a new database and return its address; `how` is the end of the statement."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} {how}")
        return self.build_url(name)

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run a statement outside every transaction."""
        import psycopg

        connection = psycopg.connect(
            host=str(self.folder), user=USER, dbname=database, autocommit=True
        )
        with connection:
            connection.execute(statement.encode())

    def initialise(self) -> None:
        """Make the server's files, with texts sorted as in a dictionary where it can, as on many servers."""
        initdb = self.programs / "initdb"
        options = subprocess.run(
            [initdb, "--help"], capture_output=True, text=True, check=True
        ).stdout
        self.sorts_like_a_dictionary = "--icu-locale" in options
        subprocess.run(
            [
                initdb,
                "--pgdata=data",
                f"--username={USER}",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                *(DICTIONARY_ORDER if self.sorts_like_a_dictionary else ()),
                "--no-sync",
            ],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            **_find_owner(),
        )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", "data", "-k", self.folder, *settings],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_find_owner(),
            )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """Stop the server as its operator does: who is connected is thrown out."""
        if self._process is not None:
            self._process.send_signal(SIGINT)
            self._process.wait(START_SECONDS)
            self._process = None

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        import psycopg

        for _ in range(START_SECONDS * 20):
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.05)
                break
            with suppress(psycopg.OperationalError):
                self.execute("SELECT 1")
                return
        raise AssertionError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()}")


@contextmanager
def open_server() -> Generator[PostgreSQLServer]:
    """Start a server and stop it afterwards; the test is skipped where PostgreSQL or its driver is missing."""
    programs = _find_programs()
    if programs is None:
        pytest.skip(
            "PostgreSQL is not installed: there is no initdb in PATH or /usr/lib/postgresql"
        )
    if find_spec("psycopg") is None:
        pytest.skip("the extra `postgres` is not installed")
    # Not in pytest's own folder, which is closed to other users, and too long a path for a socket.
    with TemporaryDirectory(prefix="pg-") as folder:
        server = PostgreSQLServer(Path(folder), programs)
        owner = _find_owner()
        os.chown(folder, owner["user"], owner["group"])
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _find_programs() -> Path | None:
    """The folder of what is in PATH, else of the newest PostgreSQL that Debian has installed beside it."""
    found = (shutil.which(name) for name in ("initdb", "postgres"))
    in_path = [Path(program).resolve().parent for program in found if program is not None]
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(installed, key=lambda folder: int(folder.parent.name), reverse=True)
    return next((each for each in (*in_path, *newest_first) if (each / "initdb").is_file()), None)


def _find_owner() -> Owner:
    """PostgreSQL refuses to run as root; another user is on every system."""
    if os.geteuid() != 0:
        return {"user": os.geteuid(), "group": os.getegid(), "extra_groups": None}
    users = {user.pw_name: user for user in getpwall()}
    user = users.get("postgres") or users["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
