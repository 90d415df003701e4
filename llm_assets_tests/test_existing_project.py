"""Whether the example of a Dagster project that takes a task in does what its README says."""

import csv
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest

from llm_assets_tests.end_to_end.tiny_project import build_environ

EXAMPLE = Path(__file__).parents[1] / "examples" / "existing_project"
MADE = ("llm/data", "warehouse_files", ".dagster")
MONTH = "2026-04"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the example, with nothing that it makes, to be imported from."""
    root = tmp_path / "existing_project"
    ignore = shutil.ignore_patterns("data", "warehouse_files", ".dagster", "__pycache__")
    shutil.copytree(EXAMPLE, root, ignore=ignore)
    monkeypatch.syspath_prepend(root)
    yield root
    for name in [name for name in sys.modules if name.split(".")[0] == "warehouse"]:
        del sys.modules[name]


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def run(definitions: dg.Definitions, history: dg.DagsterInstance, *names: str) -> None:
    job = definitions.resolve_implicit_global_asset_job_def()
    keys = [dg.AssetKey(name) for name in names]
    assert job.execute_in_process(
        instance=history, asset_selection=keys, partition_key=MONTH
    ).success


@pytest.mark.parametrize("form", ["definitions", "component_definitions"])
def test_the_example_goes_from_its_messages_to_its_list(example: Path, form: str):
    """Their table becomes a batch, the task answers it, their asset reads the export; each keeps its own files."""
    definitions: dg.Definitions = import_module(f"warehouse.{form}").defs
    dg.Definitions.validate_loadable(definitions)
    with dg.DagsterInstance.ephemeral() as history:
        run(definitions, history, "messages", "message_table")
        for name, batch in (("message_triage_schema", None), ("message_triage_batch", MONTH)):
            job = definitions.resolve_job_def(name)
            assert job.execute_in_process(instance=history, partition_key=batch).success
        run(definitions, history, "urgent_messages")
    export = read_rows(example / "llm/data/exports/message_triage" / f"{MONTH}.csv")
    assert [row["id"] for row in export] == ["m1", "m2", "m3"]
    assert {row["status"] for row in export} == {"accepted"}
    urgent = read_rows(example / "warehouse_files" / "urgent_messages" / f"{MONTH}.csv")
    assert [row["id"] for row in urgent] == [
        row["id"] for row in export if row["urgency"] == "today"
    ]
    assert list_files(example / "warehouse_files") == {
        f"{name}/{MONTH}.csv" for name in ("messages", "urgent_messages")
    }
    kept = {path.split("/")[0] for path in list_files(example / "llm/data/artifacts")}
    assert kept == {"message_triage"}


def test_what_the_readme_names_is_there():
    """Every path in backticks is a file of the example, unless it is made by running it."""
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    paths = re.findall(r"`([^`\s]+/[^`\s]*)`", text)
    assert paths
    kept = [path for path in paths if not path.startswith(MADE)]
    assert [path for path in kept if not (EXAMPLE / path).exists()] == []


@pytest.mark.slow
def test_the_commands_of_the_readme_make_the_list(example: Path):
    """Run as written, with Dagster's own command line and the project's own executor, they end with the list."""
    text = (example / "README.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^```sh\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    bin_folder = Path(sys.executable).parent
    environ = build_environ({"PYTHONWARNINGS": "ignore"})
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=example,
        env=environ | {"PATH": f"{bin_folder}:{environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    urgent = read_rows(example / "warehouse_files" / "urgent_messages" / f"{MONTH}.csv")
    assert [row["id"] for row in urgent] == ["m1", "m3"]
