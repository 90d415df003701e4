import pytest

from llm_assets.core.cleaning import (
    build_cleaning,
    choose_cells,
    choose_files,
    list_folders,
    render_cleaning,
)
from llm_assets.core.ids import BatchKey, TaskName
from llm_assets.core.stage_graph import StageNode, build_stage_graph
from llm_assets.core.staleness import Cell
from llm_assets.errors import InputError

TASK = TaskName("notes")
APRIL, MAY = BatchKey("april"), BatchKey("may")


def build_node(name: str, *upstream: str, is_batched: bool = True) -> StageNode:
    return StageNode(
        name=name, upstream=upstream, is_batched=is_batched, reads_input=False, code_version=""
    )


GRAPH = build_stage_graph(
    [
        build_node("schema", is_batched=False),
        build_node("snapshot"),
        build_node("outputs", "snapshot", "schema"),
        build_node("export", "outputs"),
        build_node("report", "outputs"),
        build_node("overview", "export", "report", is_batched=False),
    ]
)


def choose(first: str, *named: str) -> list[Cell]:
    return list(choose_cells(GRAPH, TASK, first=first, named=named, known=[APRIL, MAY]))


def test_what_comes_after_a_stage_goes_with_it():
    """Each batch loses the stage and what is made from it, the last one first, and the look at all batches goes first."""
    assert choose("export") == [("overview", None), ("export", APRIL), ("export", MAY)]
    assert choose("outputs") == [
        ("overview", None),
        *[(stage, batch) for batch in (APRIL, MAY) for stage in ("report", "export", "outputs")],
    ]


def test_what_batches_read_goes_after_them():
    """A stage that all batches share goes last, so that nothing is left that was made from what is gone."""
    cells = choose("schema")
    assert cells[-1] == ("schema", None)
    assert ("outputs", MAY) in cells
    assert ("snapshot", MAY) not in cells


def test_a_named_batch_keeps_what_it_shares():
    """Other batches, and what is the same for all of them, stay where they are."""
    assert choose("schema", "may") == [("report", MAY), ("export", MAY), ("outputs", MAY)]


@pytest.mark.parametrize(
    ("first", "named", "words"),
    [
        ("exprot", (), "Did you mean 'export'?"),
        ("input_file", (), "Stages: schema, snapshot"),
        ("export", ("mai",), "Did you mean 'may'?"),
        ("export", ("june",), "Batches: april, may."),
        ("overview", ("may",), "Leave --batch out."),
    ],
)
def test_what_is_not_there_is_told(first: str, named: tuple[str, ...], words: str):
    """A wrong name is told with the one that was meant, or with those there are."""
    with pytest.raises(InputError) as caught:
        choose(first, *named)
    assert words in str(caught.value)
    assert "nothing was put away" in str(caught.value)


def test_a_long_list_of_batches_is_cut():
    """With a thousand batches the message still fits on a screen."""
    known = [BatchKey(f"b{number}") for number in range(1000)]
    with pytest.raises(InputError, match="and 990 more"):
        choose_cells(GRAPH, TASK, first="export", named=["x"], known=known)


def test_the_files_of_a_stage_are_its_value_and_what_people_get():
    """What stands beside a value goes with it; other batches' files and those of a person do not."""
    listing = {
        "artifacts/notes": frozenset({"schema.json", "overview.json", "outputs", "export"}),
        "artifacts/notes/outputs": frozenset(
            {"may.jsonl", "may.meta.json", "may.run.json", "april.jsonl", ".may.jsonl.17"}
        ),
        "artifacts/notes/export": frozenset({"may.jsonl", "may.meta.json"}),
        "exports/notes": frozenset({"may.csv", "may.jsonl", "may.docx", "may_old.csv"}),
    }
    cells: list[Cell] = [("overview", None), ("export", MAY), ("outputs", MAY)]
    assert choose_files(TASK, cells, listing) == {
        ("overview", None): ["artifacts/notes/overview.json"],
        ("export", MAY): [
            "artifacts/notes/export/may.jsonl",
            "artifacts/notes/export/may.meta.json",
            "exports/notes/may.csv",
            "exports/notes/may.jsonl",
        ],
        ("outputs", MAY): [
            "artifacts/notes/outputs/may.jsonl",
            "artifacts/notes/outputs/may.meta.json",
            "artifacts/notes/outputs/may.run.json",
        ],
    }
    assert set(list_folders(TASK, cells)) == set(listing)


def test_a_batch_may_be_called_like_the_file_beside_another_one():
    """`may.meta.json` belongs to `may` beside its records, and is a batch's value where there are none."""
    odd = BatchKey("may.meta")
    folder = "artifacts/notes/outputs"
    beside = {folder: frozenset({"may.jsonl", "may.meta.json"})}
    alone = {folder: frozenset({"may.meta.json"})}
    assert choose_files(TASK, [("outputs", odd)], beside) == {("outputs", odd): []}
    assert choose_files(TASK, [("outputs", odd)], alone) == {
        ("outputs", odd): [f"{folder}/may.meta.json"]
    }


def test_what_is_put_away_is_what_is_there_or_known():
    """A stage whose files are gone is told to the history where that still calls it made; the others are left out."""
    files: dict[Cell, list[str]] = {
        ("export", MAY): ["a", "b"],
        ("outputs", MAY): [],
        ("report", MAY): [],
    }
    cleaning = build_cleaning(TASK, files, made=[("outputs", MAY)])
    assert cleaning.files == {("export", MAY): ("a", "b"), ("outputs", MAY): ()}
    assert cleaning.n_files == 2
    assert cleaning.build_record() == {
        "task": "notes",
        "cleaned": [
            {"stage": "export", "batch": "may", "files": ["a", "b"]},
            {"stage": "outputs", "batch": "may", "files": []},
        ],
    }


def test_a_person_sees_a_line_for_each_batch():
    """Stages are named in the order in which they are made."""
    files: dict[Cell, list[str]] = {
        ("overview", None): ["o"],
        ("export", MAY): ["e"],
        ("outputs", MAY): ["u"],
    }
    cleaning = build_cleaning(TASK, files, made=[])
    assert render_cleaning(cleaning) == ("may: outputs, export", "all batches: overview")
