"""The tiny project with a judge, and what model and judge say when both are scripted."""

from pathlib import Path

from llm_assets_tests.end_to_end.scripted_model import Asked
from llm_assets_tests.end_to_end.tiny_project import TinyProject, build_project

CONFIG, SCHEMA, JUDGE = "configs/notes.yaml", "configs/schemas/notes.py", "prompts/judge.yaml"
JUDGE_BLOCK = """\
judge:
  prompt: prompts/judge.yaml
  llm:
    model: judge
attempts:
"""
JUDGE_PROMPT = """\
system: |
  You check sorted notes. {{ llm_schema }}
user: |
  <note>
  {{ row_block }}
  </note>
  {{ output_json }}
"""
JUDGE_MODEL = '''

class JudgeResult(BaseModel):
    """Whether a note is sorted well."""

    model_config = ConfigDict(extra="forbid")

    reason: str
    verdict: bool
'''
TOO_VAGUE = "Say what is broken."


def work(asked: Asked) -> dict[str, object]:
    """A model that drafts, and mends its draft when told, but for notes on doors; a judge that rejects drafts."""
    if asked.model != "writer":
        is_good = "DRAFT" not in asked.texts[-1]
        return {"reason": "All is said." if is_good else TOO_VAGUE, "verdict": is_good}
    was_told = TOO_VAGUE in asked.texts[-1] and "doors" not in asked.question
    return {"summary": "FINAL" if was_told else "DRAFT", "mood": "good", "score": 1}


def agree(asked: Asked) -> dict[str, object] | str:
    """A model that is right at once, and a judge that says so."""
    if asked.model == "writer":
        return {"summary": "FINAL", "mood": "good", "score": 1}
    return {"reason": "All is said.", "verdict": True}


def build_judged_project(root: Path, *, base_url: str) -> TinyProject:
    """The task's models are `writer` and `judge`, both at `base_url`; one call is made after the other."""
    project = build_project(root, base_url=base_url, model="writer")
    project.edit(CONFIG, "attempts:\n  ", f"{JUDGE_BLOCK}  ")
    project.edit(CONFIG, "formats: [csv, jsonl]", "formats: [csv, psv, tsv, jsonl]")
    project.edit(CONFIG, "max_in_flight: 4", "max_in_flight: 1\n  fault_retries: 1")
    project.write(JUDGE, JUDGE_PROMPT)
    project.write(SCHEMA, project.read(SCHEMA) + JUDGE_MODEL)
    return project


def add_own_endpoint(project: TinyProject, base_url: str) -> None:
    """Give the judge an endpoint of its own, with a key and a price."""
    endpoint = f"""\
  bench:
    base_url: {base_url}
    api_key_env: BENCH_KEY
    price: {{input_usd: 1000, output_usd: 0}}
"""
    project.write("configs/endpoints.yaml", project.read("configs/endpoints.yaml") + endpoint)
    project.edit(CONFIG, "    model: judge\n", "    endpoint: bench\n    model: judge\n")
    project.edit(
        CONFIG, "  model: writer\n", "  model: writer\n  price: {input_usd: 0, output_usd: 100}\n"
    )
    project.write(".env", "BENCH_KEY=sk-bench\n")
