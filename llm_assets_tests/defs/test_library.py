import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

import llm_assets
from llm_assets import build_definitions, build_task_assets, register_batch
from llm_assets.errors import ConfigError, InputError
from llm_assets.gateways.batches import hash_file
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A folder with one task inside of somebody's repository."""
    return build_project(tmp_path / "llm")


@pytest.fixture
def history() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def list_keys(definitions: dg.Definitions) -> set[str]:
    graph = definitions.resolve_asset_graph()
    return {key.to_user_string() for key in graph.get_all_asset_keys()}


def add_task(tiny: TinyProject, name: str) -> None:
    tiny.write(f"configs/{name}.yaml", tiny.read("configs/notes.yaml"))


class OwnIOManager(dg.IOManager):
    """Somebody's own; remembers what went through it."""

    def __init__(self) -> None:
        self.kept: dict[str, object] = {}

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        self.kept[context.asset_key.to_user_string()] = obj

    def load_input(self, context: dg.InputContext) -> object:
        return self.kept[context.asset_key.to_user_string()]


@dg.asset
def theirs() -> int:
    return 1


def test_a_folder_gives_all_its_tasks_or_those_that_are_named(tiny: TinyProject):
    """The folder's tasks, some of them, or the one of a file; each with its jobs."""
    add_task(tiny, "other")
    groups = {key.split("/")[0] for key in list_keys(build_definitions(tiny.root))}
    assert groups == {"notes", "other"}
    for definitions in (
        build_definitions(tiny.root, tasks=["notes"]),
        build_definitions(str(tiny.root / "configs" / "notes.yaml")),
    ):
        assert {key.split("/")[0] for key in list_keys(definitions)} == {"notes"}
        assert definitions.resolve_job_def("notes_batch").executor_def is dg.in_process_executor


def test_the_working_directory_counts_for_a_relative_path_only(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
):
    """A relative folder starts from the working directory, and loading leaves nothing that depends on it."""
    monkeypatch.chdir(tiny.root.parent)
    monkeypatch.setenv("LLM_ASSETS_PROJECT", "/somewhere/else")
    assert list_keys(build_definitions("llm")) == list_keys(build_definitions(tiny.root))


def test_what_a_project_has_of_its_own_stays_its_own(tiny: TinyProject, history):
    """Merged with an `io_manager` and an executor, theirs keep theirs, and no value of ours passes through it."""
    add_task(tiny, "other")
    own = OwnIOManager()
    definitions = dg.Definitions.merge(
        dg.Definitions(
            assets=[theirs], resources={"io_manager": own}, executor=dg.multiprocess_executor
        ),
        build_definitions(tiny.root, tasks=["notes"]),
        build_definitions(tiny.root, tasks=["other"]),
    )
    dg.Definitions.validate_loadable(definitions)
    assert definitions.executor is dg.multiprocess_executor
    register_batch(
        history, tiny.root / "data/notes/may.csv", config=tiny.root / "configs/notes.yaml"
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(instance=history, asset_selection=[theirs.key]).success
    for name, batch in (("notes_schema", None), ("notes_batch", "may")):
        job = definitions.resolve_job_def(name)
        assert job.execute_in_process(instance=history, partition_key=batch).success
    assert own.kept == {"theirs": 1}
    assert len(tiny.read_export()) == 6


@pytest.mark.parametrize("prefix", ["support", ["support", "mail"]])
def test_keys_can_live_below_those_of_the_project(tiny: TinyProject, history, prefix):
    """A prefix stands before every key and nowhere else: files and partitions are called as without it."""
    config = tiny.root / "configs" / "notes.yaml"
    plain = list_keys(build_definitions(config))
    definitions = build_definitions(config, key_prefix=prefix)
    before = "/".join([prefix] if isinstance(prefix, str) else prefix)
    assert list_keys(definitions) == {f"{before}/{key}" for key in plain}
    table = tiny.root / "data/notes/may.csv"
    assert register_batch(history, table, config=config, key_prefix=prefix) == "may"
    for name, batch in (("notes_schema", None), ("notes_batch", "may")):
        job = definitions.resolve_job_def(name)
        assert job.execute_in_process(instance=history, partition_key=batch).success
    assert len(tiny.read_records("llm_outputs")) == 6
    assert not (tiny.root / "data" / "artifacts" / "support").exists()


def test_the_assets_alone_fit_into_definitions_of_any_kind(tiny: TinyProject, history):
    """Stages and sources as a list need no resource beside them and run in somebody's own job."""
    config = tiny.root / "configs" / "notes.yaml"
    definitions = dg.Definitions(
        assets=[theirs, *build_task_assets(config)],
        jobs=[dg.define_asset_job("shared", dg.AssetSelection.assets("notes/schema"))],
    )
    dg.Definitions.validate_loadable(definitions)
    assert list_keys(definitions) == {"theirs"} | list_keys(build_definitions(config))
    assert definitions.resolve_job_def("shared").execute_in_process(instance=history).success


def test_a_table_that_code_wrote_becomes_a_batch(tiny: TinyProject, history):
    """Its key is a partition and its hash is known; the same content again tells nothing, another does."""
    config, key = tiny.root / "configs" / "notes.yaml", dg.AssetKey(["notes", "input_file"])
    table = tiny.root / "data" / "notes" / "may.csv"
    for _ in range(2):
        assert register_batch(history, table, config=config) == "may"
        (record,) = history.fetch_observations(key, limit=10).records
        observation = record.asset_observation
        assert observation is not None
        assert (observation.tags or {})["dagster/data_version"] == hash_file(table)
    assert list(history.get_dynamic_partitions("notes_batches")) == ["may"]
    tiny.edit("data/notes/may.csv", "hums", "roars")
    register_batch(history, str(table), config=str(config))
    assert len(history.fetch_observations(key, limit=10).records) == 2


def test_a_table_elsewhere_is_remembered(tiny: TinyProject, history, tmp_path: Path):
    """A file outside of the task's folder is a batch that a run finds."""
    table = tmp_path / "june.csv"
    table.write_bytes((tiny.root / "data/notes/may.csv").read_bytes())
    config = tiny.root / "configs" / "notes.yaml"
    assert register_batch(history, table, config=config) == "june"
    definitions = build_definitions(tiny.root)
    for name, batch in (("notes_schema", None), ("notes_batch", "june")):
        job = definitions.resolve_job_def(name)
        assert job.execute_in_process(instance=history, partition_key=batch).success
    assert len(tiny.read_export("june")) == 6


def test_mistakes_are_told_with_their_place(tiny: TinyProject, history):
    """What somebody named wrongly is told with the remedy; a config's mistake with file, line and column."""
    with pytest.raises(ConfigError, match=r"no tasks in .*llm/configs.*configs/<task>\.yaml"):
        build_definitions(tiny.root / "configs")
    with pytest.raises(ConfigError, match="Did you mean 'notes'"):
        build_definitions(tiny.root, tasks=["note"])
    with pytest.raises(ConfigError, match=r"other\.yaml"):
        build_task_assets(tiny.root / "configs" / "other.yaml")
    with pytest.raises(ConfigError, match="one task"):
        build_definitions(tiny.root / "configs" / "notes.yaml", tasks=["notes"])
    with pytest.raises(InputError, match="does not exist"):
        register_batch(
            history, tiny.root / "data/no.csv", config=tiny.root / "configs" / "notes.yaml"
        )
    tiny.edit("configs/notes.yaml", "context:", "contxt:")
    with pytest.raises(ConfigError, match=r"configs/notes\.yaml:4:1: contxt.*'context'"):
        build_definitions(tiny.root)


def test_the_package_names_what_it_offers():
    """Each public name is there, and a name that is not is told as Python tells it."""
    assert set(llm_assets.__all__) <= set(dir(llm_assets))
    assert all(getattr(llm_assets, name).__doc__ for name in llm_assets.__all__)
    with pytest.raises(AttributeError, match="build_definition'"):
        _ = llm_assets.build_definition  # pyright: ignore[reportAttributeAccessIssue] -- not there


@pytest.mark.slow
def test_importing_the_package_imports_no_dagster():
    """What needs no graph starts without the time that Dagster takes to import."""
    code = "import sys, llm_assets, llm_assets.gateways.tasks; print('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
