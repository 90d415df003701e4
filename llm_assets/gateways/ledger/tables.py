"""How the ledger lies in its database."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    insert,
    inspect,
    select,
    text,
)

from llm_assets.errors import StorageError
from llm_assets.gateways.ledger.engine import open_transaction
from llm_assets.gateways.ledger.kept_text import KEPT_TEXT

FORMAT_VERSION = 1
ADDED_COLUMNS = ("step", "upstream_sha256")
"""Texts in `calls` that ledgers of the first version do not have."""
PICO = 10**12
"""Costs stand beside their exact text as whole millionths of a millionth of a dollar, which SQL adds up exactly."""

metadata = MetaData()

ledger_format = Table("ledger_format", metadata, Column("version", Integer, primary_key=True))

calls = Table(
    "calls",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("call_key", KEPT_TEXT, nullable=False),
    Column("recorded_at", KEPT_TEXT, nullable=False),
    Column("task", KEPT_TEXT, nullable=False),
    Column("batch", KEPT_TEXT, nullable=False),
    Column("run_id", KEPT_TEXT, nullable=False),
    Column("work_id", KEPT_TEXT, nullable=False),
    Column("row_id", KEPT_TEXT, nullable=False),
    Column("group_context_id", KEPT_TEXT),
    Column("prompt_sha256", KEPT_TEXT, nullable=False),
    Column("schema_sha256", KEPT_TEXT, nullable=False),
    Column("settings_sha256", KEPT_TEXT, nullable=False),
    Column("purpose", KEPT_TEXT, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("endpoint", KEPT_TEXT, nullable=False),
    Column("model", KEPT_TEXT, nullable=False),
    Column("latency_seconds", Float, nullable=False),
    # an answer
    Column("text", KEPT_TEXT),
    Column("refusal", KEPT_TEXT),
    Column("finish_reason", KEPT_TEXT),
    Column("answering_model", KEPT_TEXT),
    Column("prompt_tokens", BigInteger),
    Column("completion_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("is_approximate", Boolean),
    Column("cost_usd", KEPT_TEXT),
    Column("cost_picousd", BigInteger),
    Column("answered_at", KEPT_TEXT),
    Column("request_id", KEPT_TEXT),
    # or a fault
    Column("fault_kind", KEPT_TEXT),
    Column("http_status", Integer),
    Column("fault_message", KEPT_TEXT),
    # and the step of a chain; where nothing stands, the task has one kind of call
    Column("step", KEPT_TEXT),
    Column("upstream_sha256", KEPT_TEXT),
    # Not unique: two processes may have paid for the same call at the same time, and both payments are true.
    Index("calls_by_key", "call_key"),
    Index("calls_by_task", "task", "batch"),
    Index("calls_by_item", "task", "work_id"),
    Index("calls_by_time", "recorded_at"),
)

requests = Table(
    "requests",
    metadata,
    Column("call_key", KEPT_TEXT, primary_key=True),
    Column("body", KEPT_TEXT, nullable=False),
)
"""What each call sent, as JSON whose long texts are hashes into `parts`."""

parts = Table(
    "parts",
    metadata,
    Column("sha256", KEPT_TEXT, primary_key=True),
    Column("text", KEPT_TEXT, nullable=False),
)
"""Each distinct piece of a message, once."""

epochs = Table(
    "epochs",
    metadata,
    Column("call_key", KEPT_TEXT, primary_key=True),
    Column("epoch", Integer, nullable=False),
)
"""How often the item whose first call this is (in epoch 0) was forced to ask anew."""


reservations = Table(
    "reservations",
    metadata,
    Column("run_id", KEPT_TEXT, primary_key=True),
    Column("cost_picousd", BigInteger, nullable=False),
    Column("expires_at", KEPT_TEXT, nullable=False),
)
"""What runs under way may still spend, so that a daily cap holds for all of them together."""


def create_tables(engine: Engine) -> None:
    """Make the tables, or the columns that an older ledger lacks.

    In one transaction, so that two processes can open a new ledger at once. An older version of llm-assets leaves
    the added columns empty, and reads and writes the others as before; so they are no other format.
    """
    with open_transaction(engine) as connection:
        if not has_tables(connection):
            _check_encoding(connection)
            metadata.create_all(connection)
            connection.execute(insert(ledger_format), {"version": FORMAT_VERSION})
            return
        for name in find_missing_columns(connection):
            connection.execute(text(f"ALTER TABLE calls ADD COLUMN {name} TEXT"))


def _check_encoding(connection: Connection) -> None:
    """A PostgreSQL database has an encoding for good; in one of these, the first answer in Greek would be lost."""
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise StorageError(
            f"The ledger's database has the encoding {encoding}, which cannot hold every text; nothing was made.",
            remedy="Make one with `CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0`.",
        )


def find_missing_columns(connection: Connection) -> tuple[str, ...]:
    """The columns of `calls` that came later than this ledger."""
    there = {column["name"] for column in inspect(connection).get_columns(calls.name)}
    return tuple(name for name in ADDED_COLUMNS if name not in there)


def has_tables(connection: Connection) -> bool:
    """Whether this database is a ledger already; `StorageError` where it is one of another format."""
    if not inspect(connection).has_table(ledger_format.name):
        return False
    version = connection.execute(select(ledger_format.c.version)).scalar_one_or_none()
    if version is not None and version != FORMAT_VERSION:
        raise StorageError(
            f"The ledger {connection.engine.url} has format {version}; "  # a password in it is shown as ***
            f"this version of llm-assets reads {FORMAT_VERSION}.",
            remedy="Use the version of llm-assets that wrote it, or name another ledger.",
        )
    return version is not None
