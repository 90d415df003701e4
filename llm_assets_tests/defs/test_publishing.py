from dataclasses import dataclass

import dagster as dg
import pytest

from llm_assets.core.values import CollectionMeta
from llm_assets.defs.publishing import VERSION_DIGITS, build_version, publish, stop_plainly
from llm_assets.errors import (
    BudgetError,
    ConfigError,
    InputError,
    LLMAssetsError,
    ProviderError,
    StorageError,
)
from llm_assets.gateways.artifacts import fingerprint_model


class Meta(CollectionMeta):
    title: str
    columns: tuple[str, ...] = ()

    @property
    def counted(self) -> tuple[object, ...]:
        return self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    meta: Meta
    records: tuple[Note, ...]


def build_notes(*texts: str, title: str = "t", columns: tuple[str, ...] = ()) -> Notes:
    meta = Meta(title=title, columns=columns)
    return Notes(meta=meta, records=tuple(Note(text=text) for text in texts))


def test_the_same_content_is_the_same_version():
    """A version is made from content alone: equal values share it, another record changes it."""
    assert build_version(build_notes("a", "b")) == build_version(build_notes("a", "b"))
    versions = {build_version(build_notes(*texts)) for texts in (("a", "b"), ("b", "a"), ("a",))}
    assert len(versions) == 3
    assert all(len(version) == VERSION_DIGITS for version in versions)


def test_the_meta_of_a_collection_is_not_its_content():
    """A file that lies elsewhere but holds the same rows makes nothing stale."""
    assert build_version(build_notes("a")) == build_version(build_notes("a", title="u"))


def test_what_a_meta_counts_as_content_is():
    """Records hold their cells by name, so the order of the columns is a version of its own."""
    orders = [(), ("a", "b"), ("b", "a")]
    assert len({build_version(build_notes("a", columns=each)) for each in orders}) == 3


def test_a_value_is_published_with_its_version_and_what_there_is_to_see():
    """The result carries value, metadata and the version of the bytes that are written."""
    meta = Meta(title="t")
    result = publish(meta, metadata={"n": 1})
    assert result.value == meta
    assert result.metadata == {"n": 1}
    assert result.data_version == dg.DataVersion(fingerprint_model(meta)[:VERSION_DIGITS])


def test_numbers_stand_before_links_and_tables_come_last():
    """Whatever order a stage gives its entries in, the page begins with what is read at a glance."""
    table = dg.MetadataValue.table([], schema=dg.TableSchema([dg.TableColumn("a")]))
    given = {
        "dagster/column_schema": dg.TableSchema([]),
        "preview": table,
        "report": dg.MetadataValue.md("# x"),
        "page": dg.MetadataValue.path("a.html"),
        "calls": 1,
        "model": "offline/extractive",
    }
    told = publish(Meta(title="t"), metadata=given).metadata or {}
    assert list(told) == ["calls", "model", "page", "report", "dagster/column_schema", "preview"]


def test_a_stage_may_name_its_own_version():
    """Where times and costs do not count, the stage says what does."""
    result = publish(Meta(title="t"), metadata={}, content_sha256="0123456789abcdef" * 4)
    assert result.data_version == dg.DataVersion("0123456789abcdef")


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (ConfigError("What happened.", remedy="Do this."), 2),
        (InputError("What happened.", remedy="Do this."), 2),
        (StorageError("What happened.", remedy="Do this."), 2),
        (ProviderError("What happened.", remedy="Do this.", kind="bad_key"), 3),
        (BudgetError("What happened.", remedy="Do this."), 3),
    ],
)
def test_a_mistake_that_a_person_can_mend_is_a_plain_failure(error: LLMAssetsError, exit_code):
    """The failure holds the sentence, the remedy and the exit code, and Dagster does not try again."""
    with pytest.raises(dg.Failure) as caught, stop_plainly():
        raise error
    failure = caught.value
    assert failure.description == "What happened. Do this."
    assert failure.metadata["exit_code"].value == exit_code
    assert failure.metadata["remedy"].value == "Do this."
    assert failure.metadata["kind"].value == type(error).__name__
    assert not failure.allow_retries
    assert failure.__cause__ is error


def test_a_fault_of_ours_is_not_dressed_up():
    """What nobody foresaw keeps its own type, and so its stack trace."""
    with pytest.raises(ZeroDivisionError), stop_plainly():
        _ = 1 / 0
