"""A small project with all features, as a state that can be changed step by step and written down at any time."""

import csv
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

COLUMNS = ("id", "topic", "text", "internal", "label")
ROWS = (
    ("1", "lathe", "The lathe hums and the belt slips under load.", "a", "repair"),
    ("2", "paint", "New paint arrived; the blue is lovely.", "b", "delivery"),
    ("3", "lathe", "Belt replaced, the lathe runs quietly again.", "c", "repair"),
    ("4", "doors", "The north door does not close in the wind.", "d", ""),
)
SCHEMA = '''\
from typing import Literal

from pydantic import BaseModel, Field


class Extract(BaseModel):
    """What a note names."""

    summary: str = Field(min_length=1, max_length={max_length}, description="{description}")
    score: int = Field(ge=0, le=10, description="How urgent it is.")
{added}

class Kind(BaseModel):
    """Which kind of note it is."""

    category: Literal["repair", "delivery", "other"] = Field(description="Its kind.")
    confidence: float = Field(ge=0, le=1, description="How sure that is.")


class TurnedKind(BaseModel):
    """Which kind of note it is."""

    confidence: float = Field(ge=0, le=1, description="How sure that is.")
    category: Literal["repair", "delivery", "other"] = Field(description="Its kind.")


class JudgeResult(BaseModel):
    """Whether a note is read well."""

    reason: str
    verdict: bool
'''
HOOKS = """\
from llm_assets.hooks import HookItem, Output, Rejection


def check(item: HookItem, output: Output) -> Rejection | None:
    return Rejection("{reason}") if "{word}" in str(item.values["text"]) else None


def scorer(output: Output, expected: object) -> float:
    return {points}
"""
PROMPTS = {
    "extract": "system: |\n  {words}\n  {{{{ llm_schema }}}}\nuser: |\n  {seen}\n",
    "classify": "{comment}system: |\n  {words}\n  {{{{ llm_schema }}}}\nuser: |\n"
    "  {{{{ steps.extract.summary }}}} {{{{ topic }}}}\n",
    "judge": "user: |\n  {words} {{{{ row_block }}}} {{{{ output_json }}}} {{{{ llm_schema }}}}\n",
}
KNOBS: Mapping[str, tuple[Any, ...]] = {
    "extract words": ("Take out what it names.", "Draw out what it names."),
    "extract seen": ("{{ row_block }}", "{{ group_context }} {{ row_block }}", "{{ text }}"),
    "classify words": ("Which kind is it?", "What kind is it?"),
    "classify comment": ("", "# by Ada\n"),
    "judge words": ("Is it right?", "Is it fair?"),
    "is judged": (True, False),
    "schema description": ("The note in a sentence.", "The note in brief."),
    "schema max_length": (300, 30),
    "schema added": ("", '    mood: Literal["good", "bad"] = "good"\n'),
    "classify model": ("Kind", "TurnedKind"),
    "hook word": ("wind", "nothing"),
    "hook reason": ("Say more.", "Say less."),
    "hook points": (1.0, 2.0),
    "is hooked": (True, False),
    "temperature": (0, 1),
    "price": (None, 3),
    "attempts": (2, 1),
    "in flight": (4, 2),
    "level": ("json_schema", "json_object"),
    "endpoint": ("own", "broken"),
    "export columns": ([], ["id", "output.*", "*"], ["id", "status", "topic"]),
    "only accepted": (False, True),
    "nested": ("flatten", "json"),
    "at least": (0.63, 0.2, 0.99),
    "scorer": ("exact", "normalised"),
    "expected from": ("column", "file", "review", None),
    "labels": ("repair", "Delivery"),
    "grouping": ("group", "row"),
    "max rows": (None, 1),
    "null tokens": (["None"], ["lathe"], ["Delivery"]),
    "excluded": (["id", "internal"], ["id"]),
    "order": ("input", "alphabetical"),
    "id column": ("id", None),
    "samples": (2, 3),
    "types": ("text", "keep"),
    "brief temperature": (0.5, 1),
    "brief examples": (5, 1),
    "brief max changed": (None, 1),
}
"""What can be set, each to one of these; it starts with the first."""


@dataclass(slots=True)
class Table:
    """One input file."""

    rows: list[tuple[str, ...]] = field(default_factory=lambda: list(ROWS))
    columns: tuple[str, ...] = COLUMNS

    def write(self, path: Path) -> None:
        order = [COLUMNS.index(name) for name in self.columns]
        rows = [[row[at] for at in order] for row in self.rows]
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([self.columns, *rows])


@dataclass(slots=True)
class State:
    """What a person has written by now."""

    knobs: dict[str, Any] = field(default_factory=lambda: {k: v[0] for k, v in KNOBS.items()})
    tables: dict[str, Table] = field(default_factory=lambda: {"may": Table()})

    def copy(self) -> "State":
        return deepcopy(self)

    def write(self, root: Path) -> None:
        """Save every file of the project, and take away tables that are gone."""
        for name, text in self._draw_files():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        folder = root / "data" / "notes"
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.stem not in self.tables:
                path.unlink()
        for name, table in self.tables.items():
            table.write(folder / f"{name}.csv")

    def _draw_files(self) -> Iterator[tuple[str, str]]:
        knobs = self.knobs
        yield "configs/notes.yaml", yaml.safe_dump(self._build_task())
        yield "configs/brief.yaml", yaml.safe_dump(self._build_variant())
        yield "configs/endpoints.yaml", yaml.safe_dump({"endpoints": self._build_endpoints()})
        yield (
            "configs/schemas/notes.py",
            SCHEMA.format(
                max_length=knobs["schema max_length"],
                description=knobs["schema description"],
                added=knobs["schema added"],
            ),
        )
        yield (
            "configs/hooks/notes.py",
            HOOKS.format(
                word=knobs["hook word"], reason=knobs["hook reason"], points=knobs["hook points"]
            ),
        )
        seen = knobs["extract seen"]
        if knobs["grouping"] == "row":
            seen = seen.replace("{{ group_context }} ", "")
        for name, text in PROMPTS.items():
            words, comment = knobs[f"{name} words"], knobs["classify comment"]
            yield f"prompts/{name}.yaml", text.format(words=words, comment=comment, seen=seen)
        labels = "".join(f"{row[0]},{knobs['labels']}\n" for row in ROWS)
        yield "data/labels/labels.csv", f"note,label\n{labels}"

    def _build_task(self) -> dict[str, Any]:
        knobs = self.knobs
        is_grouped = knobs["grouping"] == "group"
        price = {"input_usd": knobs["price"], "output_usd": 1} if knobs["price"] else None
        return {
            "input": {
                "folder": "data/notes",
                "types": knobs["types"],
                "id_column": knobs["id column"],
            },
            "cleaning": {"null_tokens": knobs["null tokens"]},
            "grouping": {
                "mode": "row_output_with_group_context",
                "column": "topic",
                "max_rows_per_group": knobs["max rows"],
            }
            if is_grouped
            else {},
            "context": {
                "exclude": knobs["excluded"],
                "order": knobs["order"],
                "hidden": ["label"],
            },
            "schema": {"module": "configs/schemas/notes.py"},
            "steps": self._build_steps(),
            "llm": {
                "endpoint": knobs["endpoint"],
                "model": "extractive",
                "temperature": knobs["temperature"],
                "price": price,
            },
            "attempts": {"attempts": knobs["attempts"], "retry_failed": False},
            "limits": {"max_in_flight": knobs["in flight"], "fault_retries": 0},
            "export": {
                "columns": knobs["export columns"],
                "only_accepted": knobs["only accepted"],
                "nested": knobs["nested"],
            },
            "gate": {"field": "classify.confidence", "at_least": knobs["at least"]},
            "expected": self._build_expected(),
            "report": {"samples": knobs["samples"]},
        }

    def _build_steps(self) -> list[dict[str, Any]]:
        knobs = self.knobs
        judge = {"prompt": "prompts/judge.yaml", "retries": 1}
        hooks = {name: f"configs/hooks/notes.py:{name}" for name in ("check", "scorer")}
        return [
            {
                "name": "extract",
                "prompt": "prompts/extract.yaml",
                "output_model": "Extract",
                "judge": judge if knobs["is judged"] else None,
                "hooks": hooks if knobs["is hooked"] else {},
            },
            {
                "name": "classify",
                "prompt": "prompts/classify.yaml",
                "output_model": knobs["classify model"],
            },
        ]

    def _build_expected(self) -> dict[str, Any] | None:
        scorer, source = {"scorer": self.knobs["scorer"]}, self.knobs["expected from"]
        fields = {"classify.category": scorer | {"column": "label"}}
        if source is None:
            return None
        if source == "review":
            return {"from_review": True, "fields": {"classify.category": scorer}}
        if source == "file" and self.knobs["id column"]:
            return {"fields": fields, "file": "data/labels/labels.csv", "id_column": "note"}
        return {"fields": fields}

    def _build_variant(self) -> dict[str, Any]:
        knobs = self.knobs
        return {
            "extends": "notes.yaml",
            "llm": {"temperature": knobs["brief temperature"]},
            "compare": {
                "with": "notes",
                "examples": knobs["brief examples"],
                "max_changed": knobs["brief max changed"],
            },
        }

    def _build_endpoints(self) -> dict[str, Any]:
        return {
            "own": {"preset": "offline", "structured_output": self.knobs["level"]},
            "broken": {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "NO_SUCH_KEY"},
        }


def copy_ledger(source: Path, target: Path) -> None:
    """Hand a project the record of all calls and decisions of another one."""
    (target / "data").mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source / "data" / "ledger.sqlite")) as ledger:
        ledger.execute("pragma wal_checkpoint(truncate)")
    shutil.copy(source / "data" / "ledger.sqlite", target / "data" / "ledger.sqlite")


def count_calls(root: Path) -> int:
    """How many calls were ever paid for."""
    path = root / "data" / "ledger.sqlite"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as ledger:
        (n_calls,) = ledger.execute("select count(*) from calls").fetchone()
    return n_calls
