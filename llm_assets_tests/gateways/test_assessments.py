from pathlib import Path

import pytest

from llm_assets.core.assessment import Assessment
from llm_assets.errors import ConfigError, InputError
from llm_assets.gateways.assessments import assess_outputs, fingerprint_labels
from llm_assets.gateways.project import Project
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project
from llm_assets_tests.gateways.stages import Stages, prepare

COLUMNS = ("id", "topic", "text", "internal", "label")
ROWS = (
    ("1", "lathe", "The lathe hums.", "a", "bad"),
    ("2", "paint", "New paint arrived; the blue is lovely.", "b", "good"),
    ("3", "lathe", "Belt replaced.", "c", "N/A"),
)
LABELLED = "\nexpected:\n  fields: {mood: label}\n  group_by: topic\n"
OF_A_FILE = "\nexpected:\n  fields: {mood: label}\n  file: data/labels.csv\n  id_column: note\n"


@pytest.fixture
def tiny(tmp_path: Path) -> TinyProject:
    """A project whose table has labels."""
    project = build_project(tmp_path)
    project.write_table("data/notes/may.csv", ROWS, COLUMNS)
    return project


def configure(tiny: TinyProject, text: str, *, id_column: str | None = None) -> None:
    path = "configs/notes.yaml"
    tiny.write(path, tiny.read(path) + text)
    if id_column:
        tiny.edit(path, "folder: data/notes", f"folder: data/notes\n  id_column: {id_column}")


def lead(tiny: TinyProject) -> Stages:
    return prepare(Project(root=tiny.root, environ={}))


def assess(stages: Stages) -> Assessment:
    settings = stages.task.settings.expected
    assert settings is not None
    return assess_outputs(
        stages.task,
        stages.project,
        settings,
        snapshot=stages.snapshot,
        outputs=stages.generate().outputs,
    )


def list_expected(assessment: Assessment) -> list[object]:
    return [field.expected for item in assessment.records for field in item.fields]


def test_labels_in_the_input_score_the_outputs_and_are_in_no_question(tiny: TinyProject):
    """What the model is shown is the same, call by call, with labels and without them."""
    configure(tiny, LABELLED)
    stages = lead(tiny)
    assert stages.items.meta.columns == ("topic", "text")
    assessment = assess(stages)
    assert list_expected(assessment) == ["bad", "good", None]
    assert assessment.meta.is_rehearsal
    keys = [a.call_key for o in stages.generate().outputs.records for a in o.attempts]
    tiny.edit("configs/notes.yaml", LABELLED, "\n")
    tiny.write_table("data/notes/may.csv", [row[:4] for row in ROWS], COLUMNS[:4])
    plain = lead(tiny).generate()
    assert plain.summary.calls_sent == 0
    assert [a.call_key for o in plain.outputs.records for a in o.attempts] == keys


def test_labels_of_a_file_are_found_by_the_rows_ids(tiny: TinyProject):
    """Lines for other batches do no harm, and a row without a line expects nothing."""
    configure(tiny, OF_A_FILE, id_column="id")
    tiny.write("data/labels.csv", "note,label\n2, good \n99,bad\n3,n/a\n")
    assessment = assess(lead(tiny))
    assert list_expected(assessment) == [None, "good", None]
    assert assessment.meta.labels_file == "data/labels.csv"


def test_labels_of_a_file_are_found_by_the_groups_keys(tiny: TinyProject):
    """Where one output answers for a group, a line is about a group."""
    configure(tiny, f"\ngrouping: {{mode: group_output, column: topic}}{OF_A_FILE}")
    tiny.write("data/labels.csv", "note,label\nlathe,good\npaint,good\n")
    tiny.edit("prompts/notes.yaml", "{{ row_block }}", "{{ group_context }}")
    assert list_expected(assess(lead(tiny))) == ["good", "good"]


@pytest.mark.parametrize(
    ("table", "parts"),
    [
        (
            "note,label\n1,good\n1,bad\n",
            ("data/labels.csv, line 3: the id column 'note' holds '1'",),
        ),
        ("note,label\n1,good\n ,bad\n", ("line 3: the id column 'note' is empty",)),
        (
            "id,label\n1,good\n",
            ("data/labels.csv has no column 'note', which `expected.id_column` names",),
        ),
        (
            "note,lable\n1,good\n",
            ("no column 'label', which `expected.fields.mood` names", "Did you mean 'lable'?"),
        ),
    ],
)
def test_a_wrong_table_of_labels_is_told(tiny: TinyProject, table: str, parts: tuple[str, ...]):
    """With the file, the line and what is wrong; nothing is scored by half of a table."""
    configure(tiny, OF_A_FILE, id_column="id")
    tiny.write("data/labels.csv", table)
    stages = lead(tiny)
    with pytest.raises(InputError) as caught:
        assess(stages)
    assert [part for part in parts if part not in str(caught.value)] == []


def test_a_missing_table_of_labels_is_told_when_it_is_used(tiny: TinyProject):
    """The graph loads without it, as it does without a prompt."""
    configure(tiny, OF_A_FILE, id_column="id")
    stages = lead(tiny)
    assert fingerprint_labels(stages.task) == ""
    with pytest.raises(InputError, match=r"data/labels\.csv"):
        assess(stages)


def test_a_misspelt_column_of_labels_stops_before_the_first_call(tiny: TinyProject):
    """Nothing would be hidden under the wrong name, and the model would read the labels."""
    configure(tiny, LABELLED.replace("label", "lable"))
    with pytest.raises(InputError, match="Did you mean 'label'"):
        lead(tiny)


def test_a_function_of_the_project_scores(tiny: TinyProject):
    """It is found in its file, and one that is not there is told by its name."""
    tiny.write(
        "configs/hooks/notes.py",
        "def score(output, expected):\n    return 0.75 if output['mood'] == expected else 0.25\n",
    )
    reference = "configs/hooks/notes.py:score"
    configure(
        tiny,
        f"\nexpected:\n  fields: {{mood: {{column: label, scorer: hook, hook: {reference}}}}}\n",
    )
    found = assess(lead(tiny))
    assert {item.score for item in found.records} <= {0.75, 0.25, None}
    assert found.records[2].standing == "nothing_expected"
    tiny.edit("configs/hooks/notes.py", "def score", "def scored")
    with pytest.raises(ConfigError) as caught:
        assess(lead(tiny))
    assert f"The scorer hook {reference} does not exist. Did you mean 'scored'?" in str(
        caught.value
    )
