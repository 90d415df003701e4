"""What a task file can say, and what holds where it says nothing."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from llm_assets.config.answer import AnswerSettings
from llm_assets.config.automation import AutomationSettings
from llm_assets.config.base import LEFT_OUT_IF_EMPTY, LEFT_OUT_IF_NONE, Settings
from llm_assets.config.checks import CheckSettings
from llm_assets.config.compare import CompareSettings
from llm_assets.config.embed import EmbedSettings
from llm_assets.config.expected import ExpectedSettings
from llm_assets.config.export import ExportSettings
from llm_assets.config.gate import GateSettings
from llm_assets.config.grouping import ContextSettings, GroupingSettings
from llm_assets.config.hooks import HookSettings
from llm_assets.config.images import ImageSettings
from llm_assets.config.limits import BudgetSettings, LimitSettings
from llm_assets.config.llm import AttemptSettings, JudgeSettings, LLMSettings, find_judge_llm
from llm_assets.config.steps import ChainStep, StepSettings, build_chain

TableFormat = Literal["csv", "psv", "tsv", "xlsx", "jsonl", "parquet"]

NULL_TOKENS = (
    "None",
    "none",
    "NaN",
    "nan",
    "N/A",
    "n/a",
    "NULL",
    "null",
    "[None]",
    "<NA>",
    "NaT",
    "#N/A",
)


class InputSettings(Settings):
    """Where the tables lie and how they are read."""

    folder: str | None = None
    """Each file in it is a batch, named by its stem; `data/inputs/<task>` where it is not given."""
    format: TableFormat | None = None
    """How the file is built; told by its ending where it is not given."""
    encoding: str = "utf-8"
    """The text encoding; UTF-8 with or without a mark needs no setting, anything else must be named here."""
    delimiter: str | None = None
    """What separates cells of a csv file; found among `, ; | tab` where it is not given."""
    sheet: str | None = None
    """The worksheet to read; the first one where it is not given."""
    header_row: Annotated[int, Field(ge=1)] = 1
    """The row that holds the column names, counted from 1; rows above it are passed over."""
    id_column: str | None = None
    """The column that names each row; its values must be filled and unique."""
    types: Literal["text", "keep"] = "text"
    """`text` reads every value as text; `keep` keeps numbers, booleans and dates of formats that have them."""


class CleaningSettings(Settings):
    """Which dirt is taken off every cell."""

    trim: bool = True
    """Take white space off both ends."""
    flatten_whitespace: bool = True
    """Turn line breaks and tabs inside a cell into single spaces."""
    null_tokens: tuple[str, ...] = NULL_TOKENS
    """Cells that equal one of these become empty."""
    null_tokens_by_column: dict[str, tuple[str, ...]] = {}
    """The list for one column in place of the general one; `[]` where "N/A" is a real label."""
    undo_escapes: bool = False
    """Turn `\\,` `\\;` `\\|` back into the delimiter they stand for."""


class SchemaGenerationSettings(Settings):
    """How a missing schema module is proposed by a model, as data that this project turns into code."""

    description: str
    """What each output should hold, in a person's words."""
    prompt: str = "prompts/schema_generation.yaml"
    """The prompt file that asks for it."""
    sample_rows: Annotated[int, Field(ge=0)] = 5
    """How many rows the model sees."""


class SchemaSettings(Settings):
    """The Pydantic module that says what an answer is."""

    module: str | None = None
    """The Python file; `configs/schemas/<task>.py` where it is not given."""
    output_model: str = "LLMOutput"
    """The class that every answer is validated by."""
    judge_model: str = "JudgeResult"
    """The class of a judge's verdict, where the task has a judge."""
    generate: SchemaGenerationSettings | None = None
    """How to make the module where it is missing; without it a missing module is an error."""
    force: bool = False
    """Make the module anew although it exists; the old one is archived."""


class ReportSettings(Settings):
    """What the report shows."""

    samples: Annotated[int, Field(ge=0)] = 5
    """How many accepted outputs are shown in full."""
    failures_per_cause: Annotated[int, Field(ge=0)] = 5
    """How many items are named under each cause of failure."""


class TaskSettings(Settings):
    """One task: a table, a prompt, a schema and a model."""

    description: str = ""
    """What the task is for; shown in the UI."""
    owners: tuple[str, ...] = ()
    """E-mail addresses, or `team:name`; shown in the UI."""
    tags: dict[str, str] = {}
    """Labels to find the task's assets by in the UI."""
    extends: str | None = None
    """The task file of which this one is a variant: what is not said here is as there.

    Blocks are laid over each other key by key; texts, numbers and lists are replaced as a whole, but for `steps`: a
    block there, `steps: {<name>: {llm: …}}`, changes the steps it names. A variant reads the input and the schema of
    the task it extends unless it names others. The path starts from this file's folder, else
    from the project.
    """
    prompt: Annotated[str | None, LEFT_OUT_IF_NONE] = None
    """The prompt file; a task with `steps` names one at each of them instead."""
    steps: Annotated[tuple[StepSettings, ...], LEFT_OUT_IF_EMPTY] = ()
    """Several kinds of calls, one after the other or as `after` says; without them a task is one."""
    input: InputSettings = InputSettings()
    cleaning: CleaningSettings = CleaningSettings()
    grouping: GroupingSettings = GroupingSettings()
    context: ContextSettings = ContextSettings()
    images: ImageSettings | None = None
    """Without it every column is text."""
    schema_: Annotated[SchemaSettings, Field(alias="schema")] = SchemaSettings()
    answer: AnswerSettings = AnswerSettings()
    llm: LLMSettings = LLMSettings()
    attempts: AttemptSettings = AttemptSettings()
    judge: JudgeSettings | None = None
    """Without it every valid answer is accepted."""
    hooks: HookSettings = HookSettings()
    limits: LimitSettings = LimitSettings()
    budget: BudgetSettings = BudgetSettings()
    checks: CheckSettings = CheckSettings()
    automation: AutomationSettings = AutomationSettings()
    gate: Annotated[GateSettings | None, LEFT_OUT_IF_NONE] = None
    """Which accepted outputs are published without a person's look; without it nothing is published or reviewed."""
    export: ExportSettings = ExportSettings()
    report: ReportSettings = ReportSettings()
    expected: ExpectedSettings | None = None
    """Without it outputs get no score."""
    compare: CompareSettings | None = None
    """Without it outputs are compared only where somebody asks for it."""
    embed: Annotated[EmbedSettings | None, LEFT_OUT_IF_NONE] = None
    """Without it published records get no vectors."""

    @field_validator("embed")
    @classmethod
    def _check_embed(
        cls, embed: EmbedSettings | None, info: ValidationInfo
    ) -> EmbedSettings | None:
        if embed is not None and info.data.get("gate", embed) is None:
            raise ValueError("vectors are of what is published, which needs a `gate` block")
        return embed

    @field_validator("compare")
    @classmethod
    def _check_compare(
        cls, compare: CompareSettings | None, info: ValidationInfo
    ) -> CompareSettings | None:
        limit = None if compare is None else compare.max_score_drop
        if limit is not None and info.data.get("expected", limit) is None:
            raise ValueError("`max_score_drop` needs an `expected` block")
        return compare

    @model_validator(mode="after")
    def _keep_labels_apart(self) -> "TaskSettings":
        if self.expected is None:
            return self
        if self.expected.from_review and self.gate is None:
            raise ValueError(
                "`expected.from_review` takes what people decided on, which needs a `gate` block"
            )
        self.expected.check(self.grouping, self.context, self.input.id_column)
        judges = [self.judge, *(step.judge for step in self.steps)]
        if self.expected.needs_judge and not any(judges):
            raise ValueError("the scorer `judge` of `expected` needs a `judge` block")
        if not self.context.include:
            # Whoever reads the context gets it so: an asset or a preview cannot forget to hide the labels.
            hidden = tuple(dict.fromkeys([*self.context.hidden, *self.expected.columns]))
            context = self.context.model_copy(update={"hidden": hidden})
            object.__setattr__(self, "context", context)
        return self

    @property
    def guards(self) -> tuple[str, ...]:
        """The stages that must have passed before anything of a batch is handed on to people or programs."""
        rule = self.checks.agreement
        is_guarded = self.compare is not None and self.compare.has_limits
        return ("comparison",) if is_guarded and rule.enabled and rule.is_blocking else ()

    @property
    def image_columns(self) -> tuple[str, ...]:
        """The columns that name pictures and are no text for the model."""
        return () if self.images is None else self.images.columns

    @property
    def judge_llm(self) -> LLMSettings:
        """How the judge is asked."""
        return find_judge_llm(self.judge, self.llm)

    @property
    def chain(self) -> tuple[ChainStep, ...]:
        """The steps, each after those it comes after, with every default filled in; one without a name where the task names none."""
        if self.steps:
            return build_chain(
                self.steps,
                llm=self.llm,
                attempts=self.attempts,
                judge_model=self.schema_.judge_model,
                images=self.images,
            )
        return (
            ChainStep(
                name=None,
                after=(),
                upstream=(),
                prompt=self.prompt or "",
                llm=self.llm,
                attempts=self.attempts,
                judge=self.judge,
                judge_llm=self.judge_llm,
                output_model=self.schema_.output_model,
                judge_model=self.schema_.judge_model,
                answer=self.answer,
                hooks=self.hooks,
                images=self.images,
            ),
        )
