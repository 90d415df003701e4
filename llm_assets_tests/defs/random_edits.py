"""What people do to a project between two refreshes, drawn by a seed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from llm_assets.core.run_choice import RunChoice
from llm_assets.defs.cleaning import build_task_cleaner
from llm_assets.errors import LLMAssetsError
from llm_assets.gateways.reviews import take_review
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.defs.changing_project import COLUMNS, KNOBS, ROWS, State, Table
from llm_assets_tests.defs.worked_project import ALL, TASKS, WorkedProject
from llm_assets_tests.end_to_end.gated_project import fill_review
from llm_assets_tests.end_to_end.tiny_project import TinyProject
from llm_assets_tests.fakes import FakeClock

CELLS = {
    "text": ("The lathe is broken.", "Repaired in the wind.", *[row[2] for row in ROWS]),
    "internal": ("x", "y"),
    "topic": ("lathe", "paint", "None"),
    "label": ("repair", "other", ""),
}
BROKEN_FILES = {
    "configs/hooks/notes.py": "def check(:\n",
    "configs/schemas/notes.py": "x = 1\n",
    "prompts/classify.yaml": "user: '{{ nothing }}'\n",
    "data/notes/may.csv": "id,topic\n1,2,3,4\n",
}


@dataclass(slots=True)
class Editor:
    """A person at work; every edit says in a line what it did, or `nothing`."""

    worked: WorkedProject
    state: State
    draw: Random
    clock: FakeClock = field(default_factory=FakeClock)

    def edit(self) -> str:
        """Do one thing, and leave the files as the state says."""
        edits: dict[Callable[[], str], int] = {
            self.turn_knob: 10,
            self.change_cell: 3,
            self.change_order: 2,
            self.change_rows: 2,
            self.change_files: 3,
            self.put_away: 1,
            self.make_some: 2,
            self.run: 2,
            self.fail: 2,
            self.review: 2,
        }
        (chosen,) = self.draw.choices(list(edits), list(edits.values()))
        try:
            said = chosen()
        except LLMAssetsError as exc:  # what a person may not do leaves things as they are
            said = f"{chosen.__name__}: {exc}"
        self.state.write(self.worked.root)
        return said

    def turn_knob(self) -> str:
        knobs = self.state.knobs
        name = self.draw.choice([name for name in KNOBS if name != "endpoint"])
        knobs[name] = self.draw.choice([value for value in KNOBS[name] if value != knobs[name]])
        return f"{name} = {knobs[name]!r}"

    def change_cell(self) -> str:
        name, table = self._draw_table()
        at, column = self.draw.randrange(len(table.rows)), self.draw.choice(list(CELLS))
        cells = list(table.rows[at])
        cells[COLUMNS.index(column)] = self.draw.choice(CELLS[column])
        table.rows[at] = tuple(cells)
        return f"{name}: {cells}"

    def change_order(self) -> str:
        name, table = self._draw_table()
        if self.draw.random() < 0.5:
            self.draw.shuffle(table.rows)
            return f"{name}: rows shuffled"
        table.columns = tuple(self.draw.sample(table.columns, len(table.columns)))
        return f"{name}: {table.columns}"

    def change_rows(self) -> str:
        name, table = self._draw_table()
        new = str(self.draw.randrange(10, 99))
        if len(table.rows) > 2 and self.draw.random() < 0.5:
            return f"{name}: without {table.rows.pop(self.draw.randrange(len(table.rows)))}"
        if any(row[0] == new for row in table.rows):
            return "nothing"
        row = (new, "paint", self.draw.choice(CELLS["text"]), "n", "repair")
        table.rows.insert(self.draw.randrange(len(table.rows) + 1), row)
        return f"{name}: with {row}"

    def change_files(self) -> str:
        tables, name = self.state.tables, self.draw.choice(["may", "june", "july"])
        if name in tables:
            if len(tables) > 1:
                del tables[name]
            return f"{name}: gone"
        if len(tables) > 1:
            old = self.draw.choice(list(tables))
            tables[name] = tables.pop(old)
            return f"{old}: renamed {name}"
        tables[name] = Table(rows=list(ROWS[1:3]))
        return f"{name}: new"

    def put_away(self) -> str:
        scope = self.worked.build_scope(self.draw.choice(TASKS))
        cleaner = build_task_cleaner(scope, self.worked.history)
        first = self.draw.choice(cleaner.graph.names)
        cleaner.clean(cleaner.plan(first, []))
        return f"clean {scope.task.name} --from {first}"

    def make_some(self) -> str:
        task, batch = self._draw_batch()
        scope = self.worked.build_scope(task)
        names = [node.name for node in build_task_cleaner(scope, self.worked.history).graph.batched]
        first = self.draw.randrange(len(names))
        stages = names[first : first + self.draw.choice([1, 1, 2, 3])]
        is_fine = self.worked.materialize(task, stages, batch)
        return f"{task} {batch}: {stages} alone, {'fine' if is_fine else 'failed'}"

    def run(self) -> str:
        task, batch = self._draw_batch()
        choice = self.draw.choice([ALL, RunChoice(limit=None, is_forced=True)])
        end = self.worked.run(task, batch, choice)
        return f"run {task} {batch}, {choice}: {end.problem}"

    def fail(self) -> str:
        """Break something, run, and mend it again."""
        task, batch = self._draw_batch()
        name = self.draw.choice([*BROKEN_FILES, "configs/notes.yaml"])
        broken = self.state.copy()
        broken.knobs["endpoint"] = "broken"
        broken.write(self.worked.root)
        if name in BROKEN_FILES:
            self.state.write(self.worked.root)
            (self.worked.root / name).write_text(BROKEN_FILES[name], encoding="utf-8")
        end = self.worked.run(task, batch)
        return f"run {task} {batch} with a broken {name}: {end.problem}"

    def review(self) -> str:
        task, batch = self._draw_batch()
        book = self.worked.project.review_queues / task / f"{batch}.xlsx"
        table = self.state.tables[batch]
        row = self.draw.choice(table.rows)[0]
        decision = self.draw.choice(["approve", "reject", "edit"])
        cells = {"decision": decision, "note": self.draw.choice(["ok", "hm"])}
        if decision == "edit":
            cells["classify.category"] = "other"
        self.clock.seconds += 60
        try:
            tiny, edits = TinyProject(self.worked.root), {row: cells}
            path = fill_review(tiny, edits, to="filled.xlsx", batch=batch, task=task)
        except (FileNotFoundError, KeyError, ValueError):  # no workbook, or that row does not wait
            return "nothing"
        project = self.worked.project
        take_review(load_task(project, task), project, path, clock=self.clock)
        return f"{book.name} of {task}: {decision} {row}"

    def _draw_batch(self) -> tuple[str, str]:
        return self.draw.choice(TASKS), self.draw.choice(list(self.state.tables))

    def _draw_table(self) -> tuple[str, Table]:
        name = self.draw.choice(list(self.state.tables))
        return name, self.state.tables[name]
