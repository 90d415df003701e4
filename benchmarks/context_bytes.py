"""How many bytes are saved by storing the text of a group once and not with each of its rows.

`python benchmarks/context_bytes.py 50 20000` prints a JSON list with the figures for each size.
"""

import json
import sys
import tempfile
from pathlib import Path

from trial_project import BATCH, TASK, write_trial
from upath import UPath

from llm_assets.core.group_contexts import GroupContexts, build_group_contexts
from llm_assets.core.ids import BatchKey
from llm_assets.core.work_items import WorkItems, build_work_items
from llm_assets.gateways.artifacts import write_records
from llm_assets.gateways.project import Project
from llm_assets.gateways.snapshots import take_snapshot
from llm_assets.gateways.tasks import load_task


def main(sizes: list[int]) -> None:
    """Print the figures for each size."""
    print(json.dumps([measure_context_bytes(n_rows) for n_rows in sizes]))


def measure_context_bytes(n_rows: int) -> dict[str, float]:
    """The files that the stages write, against items that each carry their group's text."""
    with tempfile.TemporaryDirectory() as folder:
        write_trial(Path(folder), mode="row_output_with_group_context", n_rows=n_rows)
        contexts, items = _build_stages(Project(root=Path(folder)))
        context_path, item_path = UPath(folder) / "contexts.jsonl", UPath(folder) / "items.jsonl"
        write_records(context_path, contexts)
        write_records(item_path, items)
        stored_bytes = context_path.stat().st_size + item_path.stat().st_size
        repeated_bytes = sum(map(len, _repeat_contexts(item_path, contexts)))
    return {
        "n_rows": n_rows,
        "n_groups": len(contexts.records),
        "stored_bytes": stored_bytes,
        "repeated_bytes": repeated_bytes,
        "saved_percent": round(100 * (1 - stored_bytes / repeated_bytes), 1),
    }


def _build_stages(project: Project) -> tuple[GroupContexts, WorkItems]:
    task = load_task(project, TASK)
    settings = task.settings
    snapshot = take_snapshot(task, project, BatchKey(BATCH))
    contexts = build_group_contexts(snapshot, grouping=settings.grouping, context=settings.context)
    items = build_work_items(
        snapshot,
        contexts=contexts,
        grouping=settings.grouping,
        context=settings.context,
        id_column=settings.input.id_column,
    )
    return contexts, items


def _repeat_contexts(item_path: UPath, contexts: GroupContexts) -> list[bytes]:
    """The lines of the items with the text in the place of its id."""
    texts = {context.group_context_id: context.text for context in contexts.records}
    lines: list[bytes] = []
    for line in item_path.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        item["group_context"] = texts[item.pop("group_context_id")]
        text = json.dumps(item, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        lines.append(f"{text}\n".encode())
    return lines


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]])
