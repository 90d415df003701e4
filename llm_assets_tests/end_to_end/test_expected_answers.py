"""Scores on maths problems whose answers are known."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from llm_assets_tests.end_to_end.tiny_project import TinyProject
from llm_assets_tests.shared_tables import PROBLEMS, find_shared_table

N_PROBLEMS = 200
CONFIG = """\
prompt: prompts/maths.yaml
input: {folder: data/maths}
llm: {endpoint: offline, model: MODEL}
expected:
  fields:
    answer: {column: answer, scorer: numeric, pattern: '#### (.+)'}
  group_by: length
  min_score: 0.9
report: {samples: 0}
"""
PROMPT = """\
system: |
  Solve the problem. Answer with one JSON object for this schema.
  {{ llm_schema }}
user: |
  {{ question }}
"""
SCHEMA = '''\
from pydantic import BaseModel, Field


class LLMOutput(BaseModel):
    """What comes out."""

    answer: float = Field(ge=0, le=1000000, description="The number that the problem asks for.")
'''


@pytest.fixture
def problems() -> Sequence[dict[str, str]]:
    """The first problems of GSM8K, with how long each is."""
    lines = find_shared_table(PROBLEMS).read_text(encoding="utf-8").splitlines()[:N_PROBLEMS]
    records = [json.loads(line) for line in lines]
    return [
        {**record, "length": "long" if len(record["question"]) > 250 else "short"}
        for record in records
    ]


def build_maths(
    root: Path, problems: Sequence[dict[str, str]], *, model: str = "extractive"
) -> TinyProject:
    tiny = TinyProject(root)
    tiny.write("configs/maths.yaml", CONFIG.replace("MODEL", model))
    tiny.write("configs/schemas/maths.py", SCHEMA)
    tiny.write("prompts/maths.yaml", PROMPT)
    table = "".join(f"{json.dumps(problem)}\n" for problem in problems)
    tiny.write("data/maths/test.jsonl", table)
    return tiny


def test_wrong_answers_to_maths_problems_give_a_score_with_its_interval(
    tmp_path: Path, problems: Sequence[dict[str, str]]
):
    """Each worked answer's number is found, the offline model is mostly wrong, and the report says how sure that is."""
    tiny = build_maths(tmp_path, problems)
    assert tiny.run_json("maths").batch["outcomes"] == {"accepted": N_PROBLEMS}
    records = tiny.read_records("assessment", "test", "maths")
    wanted = [float(p["answer"].rpartition("#### ")[2].replace(",", "")) for p in problems]
    right = [
        record["fields"][0]["found"] == number
        for record, number in zip(records, wanted, strict=True)
    ]
    assert [record["score"] for record in records] == [float(each) for each in right]
    assert 0 < sum(right) < N_PROBLEMS / 2
    meta = json.loads(tiny.read("data/artifacts/maths/assessment/test.meta.json"))
    total = meta["total"]
    assert total["score"] == pytest.approx(sum(right) / N_PROBLEMS)
    assert 0 < total["interval"]["low"] < total["score"] < total["interval"]["high"] < 0.6
    assert {group["group"] for group in meta["groups"]} == {"long", "short"}
    report = tiny.read("data/reports/maths/test.md")
    assert f"right answers of {N_PROBLEMS} items; 95% interval" in report
    assert "below the 0.9 that `min_score` asks for" in report


def test_no_answer_is_in_any_prompt(tmp_path: Path, problems: Sequence[dict[str, str]]):
    """The worked answers stand in the input and reach the record of calls nowhere."""
    tiny = build_maths(tmp_path, problems[:20])
    tiny.run_json("maths")
    sent = (tiny.root / "data" / "ledger.sqlite").read_bytes()
    assert problems[0]["question"][:40].encode() in sent
    for problem in problems[:20]:
        assert problem["answer"].partition("\n")[0].encode() not in sent


def test_items_without_an_answer_count_as_wrong(tmp_path: Path, problems: Sequence[dict[str, str]]):
    """A model that is often broken loses points for what it does not answer, and the report tells both apart."""
    tiny = build_maths(tmp_path, problems[:40], model="flaky")
    tiny.write("configs/maths.yaml", tiny.read("configs/maths.yaml") + "attempts: {attempts: 1}\n")
    done = tiny.run("run", "maths", "--json")
    n_accepted = done.batch["outcomes"]["accepted"]
    assert 0 < n_accepted < 40
    meta = json.loads(tiny.read("data/artifacts/maths/assessment/test.meta.json"))
    assert (meta["total"]["n_scored"], meta["total"]["n_without_output"]) == (40, 40 - n_accepted)
    assert f"{40 - n_accepted} items without an accepted output: wrong." in tiny.read(
        "data/reports/maths/test.md"
    )


def test_two_variants_are_compared_problem_by_problem(
    tmp_path: Path, problems: Sequence[dict[str, str]]
):
    """The same problems differ where their answers do, and the difference of the scores comes with a paired interval."""
    tiny = build_maths(tmp_path, problems)
    variant = "extends: configs/maths.yaml\nprompt: prompts/terse.yaml\n"
    tiny.write("configs/terse.yaml", variant)
    tiny.write(
        "prompts/terse.yaml", PROMPT.replace("{{ question }}", "Work it out: {{ question }}")
    )
    tiny.run_json("maths")
    tiny.run_json("terse")
    found = json.loads(tiny.run("compare", "maths", "terse", "--json").stdout)
    a, b = (
        [
            (each["output"], each["work_id"])
            for each in tiny.read_records("llm_outputs", "test", task)
        ]
        for task in ("maths", "terse")
    )
    n_different = sum(one != other for (one, _), (other, _) in zip(a, b, strict=True))
    (field,) = found["fields"]
    assert (field["n_pairs"], field["n_different"]) == (N_PROBLEMS, n_different)
    assert 0 < n_different < N_PROBLEMS
    score = next(each for each in found["differences"] if each["name"] == "score")
    assert score["n_pairs"] == N_PROBLEMS
    assert score["difference"] == pytest.approx(score["mean_b"] - score["mean_a"])
    assert score["interval"]["low"] <= score["difference"] <= score["interval"]["high"]
