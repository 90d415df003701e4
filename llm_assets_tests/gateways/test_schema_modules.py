import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from llm_assets.config.prompt import PromptSettings
from llm_assets.core.json_schema import MODULE_PREFIX, build_json_schema
from llm_assets.core.prompts import render_free_prompt
from llm_assets.core.schema_answer import parse_proposed_schema
from llm_assets.core.schema_source import render_schema_source
from llm_assets.errors import ConfigError, StorageError
from llm_assets.gateways.schema_modules import load_schema_module, write_schema_module

PROMPT = Path(__file__).parents[2] / "prompts" / "schema_generation.yaml"
NOON = datetime(2026, 11, 20, 12, 30, 5, tzinfo=UTC)

GOOD = '''
from pydantic import BaseModel


class Detail(BaseModel):
    size: int


class LLMOutput(BaseModel):
    """An answer."""

    detail: Detail
    name: str


class JudgeResult(BaseModel):
    is_good: bool
'''


def write(tmp_path, source, name="schema.py"):
    path = tmp_path / name
    path.write_text(source, encoding="utf-8")
    return path


def load(path, output_model="LLMOutput", judge_model="JudgeResult"):
    return load_schema_module(
        path, shown_path="configs/schema.py", output_model=output_model, judge_model=judge_model
    )


def test_models_are_found_by_name_and_are_strict(tmp_path):
    """Both models come back, closed down to the nested ones although the file does not say so."""
    loaded = load(write(tmp_path, GOOD))
    assert loaded.judge_model is loaded.models["JudgeResult"]
    assert list(loaded.models) == ["Detail", "LLMOutput", "JudgeResult"]
    answer = {"detail": {"size": 1}, "name": "a"}
    loaded.output_model.model_validate(answer)
    for bad in ({**answer, "more": 1}, {**answer, "detail": {"size": 1, "more": 1}}):
        with pytest.raises(ValidationError, match="more"):
            loaded.output_model.model_validate(bad)


def test_other_names_can_be_configured_and_a_judge_may_be_missing(tmp_path):
    """The configured name decides which class validates the answers."""
    loaded = load(write(tmp_path, GOOD), output_model="Detail", judge_model="Verdict")
    assert loaded.output_model is loaded.models["Detail"]
    assert loaded.judge_model is None


def test_the_same_source_gives_the_same_classes(tmp_path):
    """Loading again imports nothing anew, and an edit at once gives other classes."""
    path = write(tmp_path, GOOD)
    first = load(path)
    assert load(path).output_model is first.output_model
    write(tmp_path, GOOD.replace("size: int", "size: str"))
    second = load(path)
    assert second.source_sha256 != first.source_sha256
    second.output_model.model_validate({"detail": {"size": "big"}, "name": "a"})
    first.output_model.model_validate({"detail": {"size": 1}, "name": "a"})


def test_modules_of_two_tasks_never_meet(tmp_path):
    """Files of one name in two folders stay two modules, and no import name of theirs is taken."""
    left = write(tmp_path, GOOD, "json.py")
    (tmp_path / "other").mkdir()
    right = write(tmp_path / "other", GOOD.replace("name: str", "label: str"), "json.py")
    json_module = sys.modules["json"]
    assert "name" in load(left).output_model.model_fields
    assert "label" in load(right).output_model.model_fields
    assert sys.modules["json"] is json_module


def test_importing_leaves_nothing_beside_the_file(tmp_path):
    """No bytecode is written into a folder of configs."""
    load(write(tmp_path, GOOD))
    assert [entry.name for entry in tmp_path.iterdir()] == ["schema.py"]


def test_annotations_as_text_are_understood(tmp_path):
    """Forward references and postponed annotations resolve, during the import and after it."""
    source = """
from __future__ import annotations
from pydantic import BaseModel

class LLMOutput(BaseModel):
    children: list[LLMOutput] = []
    later: Later | None = None

class Later(BaseModel):
    x: int
"""
    loaded = load(write(tmp_path, source))
    loaded.output_model.model_validate({"children": [{"later": {"x": 1}}]})
    with pytest.raises(ValidationError, match="more"):
        loaded.output_model.model_validate({"children": [{"later": {"x": 1, "more": 1}}]})


def test_docstrings_of_fields_become_descriptions(tmp_path):
    """A module may describe its fields by the strings below them."""
    source = '''
from pydantic import BaseModel, ConfigDict

class LLMOutput(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)
    x: int
    """How many there are."""
'''
    schema = build_json_schema(load(write(tmp_path, source)).output_model)
    assert "How many there are." in str(schema)


def test_answers_that_are_no_objects_are_put_into_one(tmp_path):
    """A list model validates an object with the list as `value`."""
    source = "from pydantic import RootModel\nclass LLMOutput(RootModel[list[int]]): pass\n"
    loaded = load(write(tmp_path, source))
    assert loaded.output_model.model_validate({"value": [1]}).model_dump() == {"value": [1]}
    assert loaded.models["LLMOutput"] is loaded.output_model


def test_schema_does_not_depend_on_the_source_text(tmp_path):
    """A comment changes the module's hash and nothing that a model is sent, even where names clash."""
    source = """
from pydantic import BaseModel

class LLMOutput(BaseModel):
    class Left(BaseModel):
        class Item(BaseModel):
            a: int
        item: Item
    class Right(BaseModel):
        class Item(BaseModel):
            b: int
        item: Item
    left: Left
    right: Right
"""
    first = build_json_schema(load(write(tmp_path, source)).output_model)
    second = build_json_schema(load(write(tmp_path, f"# a comment\n{source}")).output_model)
    assert first == second
    assert MODULE_PREFIX not in str(first)


BROKEN = {
    "class LLMOutput(:\n    pass\n": "configs/schema.py, line 1: invalid syntax",
    "x = 1\n  y = 2\n": "configs/schema.py, line 2: unexpected indent",
    "import no_such_module\n": "line 1: ModuleNotFoundError: No module named 'no_such_module'",
    "x = 1\n\n\ny = 1 / 0\n": "line 4: ZeroDivisionError: division by zero",
    "import sys\nsys.exit(3)\n": "line 2: SystemExit: 3",
    "def f():\n    raise KeyError\nf()\n": "line 2: KeyError",
    "from pydantic import BaseModel\n\nclass A(BaseModel):\n    x: object()\n": "line 3: Pydantic",
    "x = 1\n": "holds no Pydantic model",
    "": "holds no Pydantic model",
    "from pydantic import BaseModel, RootModel\n": "holds no Pydantic model",
    "from pydantic import BaseModel\nclass LlmOutput(BaseModel):\n    x: int\n": "no model 'LLMOutput'",
    f"{GOOD}\nLLMOutput = 3\n": "'LLMOutput' is of type 'int' and not a Pydantic model",
    f"{GOOD}\nJudgeResult = dict\n": "'JudgeResult' is of type 'type' and not a Pydantic model",
    f"{GOOD}\nclass Open(BaseModel, extra='allow'):\n    x: int\n": "model 'Open' says extra='allow'",
    "from pydantic import BaseModel\nclass LLMOutput(BaseModel):\n    x: 'Gone'\n": "is not complete",
    "from collections.abc import Callable\nfrom pydantic import BaseModel\n"
    "class LLMOutput(BaseModel):\n    x: Callable[[], int]\n": "cannot be told to a model",
    "x = '\x00'\n": "not valid Python",
}


@pytest.mark.parametrize("source", BROKEN, ids=range(len(BROKEN)))
def test_each_fault_of_a_module_has_its_own_message(tmp_path, source):
    """A person's mistake in the module is one sentence with the file, the line where there is one, and a remedy."""
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, source))
    assert BROKEN[source] in caught.value.what
    assert caught.value.what.startswith("configs/schema.py")
    assert caught.value.remedy
    assert str(tmp_path) not in str(caught.value)


def test_a_misspelt_model_is_suggested(tmp_path):
    """The message names the model that was meant and all that there are."""
    source = GOOD.replace("LLMOutput", "LLMOutputs")
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, source))
    assert caught.value.remedy == (
        "Did you mean 'LLMOutputs'? Models there: Detail, LLMOutputs, JudgeResult."
    )


def test_a_missing_file_and_a_foreign_encoding_are_told_apart(tmp_path):
    """A module that cannot be read says why, before anything is imported."""
    with pytest.raises(ConfigError, match=r"schema module configs/schema\.py does not exist"):
        load(tmp_path / "gone.py")
    path = tmp_path / "latin.py"
    path.write_bytes(GOOD.replace("An answer", "Größe").encode("latin-1"))
    with pytest.raises(ConfigError, match="not UTF-8: line 10"):
        load(path)


def test_a_new_module_is_written_where_there_was_none(tmp_path):
    """The folder is made, and nothing is archived."""
    path = tmp_path / "configs" / "schemas" / "task.py"
    assert write_schema_module(path, GOOD, archived_at=NOON) is None
    assert path.read_text(encoding="utf-8") == GOOD
    assert [entry.name for entry in path.parent.iterdir()] == ["task.py"]


def test_the_old_module_is_archived_under_its_time_in_utc(tmp_path):
    """Replacing a module keeps the old one, whatever the clock's time zone."""
    path = write(tmp_path, "old = 1\n", "task.py")
    local = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    archived = write_schema_module(path, "new = 1\n", archived_at=local)
    assert archived is not None
    assert archived == tmp_path / "archive" / "task_20261120_123005.py"
    assert archived.read_text(encoding="utf-8") == "old = 1\n"
    assert path.read_text(encoding="utf-8") == "new = 1\n"


def test_nothing_in_the_archive_is_ever_overwritten(tmp_path):
    """Two replacements within a second leave both old modules."""
    path = write(tmp_path, "first = 1\n", "task.py")
    archived = [
        write_schema_module(path, source, archived_at=NOON) for source in ("second = 1\n", GOOD)
    ]
    assert [each and each.name for each in archived] == [
        "task_20261120_123005.py",
        "task_20261120_123005_2.py",
    ]
    texts = {entry.read_text(encoding="utf-8") for entry in (tmp_path / "archive").iterdir()}
    assert texts == {"first = 1\n", "second = 1\n"}


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path):
    """A place that cannot hold the module leaves the old one and says so."""
    (tmp_path / "schemas").write_text("a file in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        write_schema_module(tmp_path / "schemas" / "task.py", GOOD, archived_at=NOON)


def test_a_proposal_goes_all_the_way_to_a_loaded_module(tmp_path):
    """A model's answer becomes data, source, file and a class that validates, without running what it wrote."""
    answer = """Here you are:
```python
raise SystemExit("never run")
```
```json
{"type": "object", "properties": {"mood": {"type": "string", "enum": ["good", "bad"]}}, "required": ["mood"]}
```"""
    path = tmp_path / "task.py"
    source = render_schema_source(parse_proposed_schema(answer))
    write_schema_module(path, source, archived_at=NOON)
    model = load(path).output_model
    assert model.model_validate({"mood": "good"}).model_dump() == {"mood": "good"}
    with pytest.raises(ValidationError):
        model.model_validate({"mood": "great"})


def test_the_prompt_offers_what_a_model_needs_to_know():
    """The prompt file renders with the names that the stage gives it, their braces untouched."""
    settings = PromptSettings.model_validate(yaml.safe_load(PROMPT.read_text(encoding="utf-8")))
    values = {
        "description": "The {{ mood }} of a text.",
        "columns": ["id", "text"],
        "sample_rows": '[{"id": "1", "text": "fine"}]',
        "model_name": "LLMOutput",
    }
    system, user = render_free_prompt(settings, values, path="prompts/schema_generation.yaml")
    assert (system.role, user.role) == ("system", "user")
    assert "JSON Schema" in system.content
    for part in ("The {{ mood }} of a text.", "id, text", '"text": "fine"', "LLMOutput"):
        assert part in user.content
