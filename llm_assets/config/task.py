"""What a task file can say, and what holds where it says nothing."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from llm_assets.config.answer import AnswerSettings
from llm_assets.config.automation import AutomationSettings
from llm_assets.config.base import FreeValue, Settings
from llm_assets.config.checks import CheckSettings
from llm_assets.config.compare import CompareSettings
from llm_assets.config.endpoint import PriceSettings, StructuredOutput
from llm_assets.config.expected import ExpectedSettings
from llm_assets.config.export import ExportSettings
from llm_assets.config.grouping import ContextSettings, GroupingSettings
from llm_assets.config.hooks import HookSettings
from llm_assets.config.images import ImageSettings
from llm_assets.config.limits import BudgetSettings, LimitSettings

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


_FIELDS_OF_A_MODEL = ("model", "price", "structured_output")
"""What is the same wherever a task asks the same model; parameters may differ from use to use."""


class LLMSettings(Settings):
    """Which model answers, and how it is asked."""

    endpoint: str = "offline"
    """A built-in endpoint or one from `configs/endpoints.yaml`."""
    model: str = "extractive"
    """The model's name as the endpoint knows it."""
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    """The cap on an answer's length; the server's own where it is not given."""
    structured_output: StructuredOutput | None = None
    """A lower level than the endpoint's own, where a model cannot keep to it."""
    extra: dict[str, FreeValue] = {}
    """Parameters of the provider's own, sent as they are."""
    price: PriceSettings | None = None
    """This model's price, before the endpoint's and the published one."""


class AttemptSettings(Settings):
    """How often an item may ask again before it counts as not answered."""

    attempts: Annotated[int, Field(ge=1)] = 3
    """Calls for one item, the first included; each tells the model what was wrong with the one before."""
    retry_failed: bool = True
    """Whether a new run gives items without an accepted output fresh attempts."""
    share_identical: bool = True
    """Whether equal requests share one call; `false` asks for each row, also where two rows are equal."""
    max_output_tokens_on_retry: Annotated[int, Field(ge=1)] | None = None
    """The cap for attempts after a cut-off answer; twice the first one where it is not given."""


class JudgeSettings(Settings):
    """Who checks a valid answer before it counts."""

    prompt: str
    """The judge's prompt file; it sees the row's names, and the answer as `output` and `output_json`."""
    llm: LLMSettings | None = None
    """The judge's model and its parameters; those of the model that answers where the block is not given.

    A block without an `endpoint` means the task's own, and without a `model`, too, the task's own.
    """
    retries: Annotated[int, Field(ge=0)] = 1
    """How often an item is asked again with the judge's reason before it counts as rejected.

    These calls do not count as `attempts`, which are about answers that are not valid.
    """
    attempts: Annotated[int, Field(ge=1)] = 2
    """Calls for one verdict, the first included, where the judge's own answer is not valid."""
    verdict_field: str = "verdict"
    """The boolean field of the judge's model that says whether the answer is accepted."""
    reason_field: str = "reason"
    """The text field of the judge's model that says why; a rejection hands it to the next attempt."""


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

    Blocks are laid over each other key by key; texts, numbers and lists are replaced as a whole. A variant reads the
    input and the schema of the task it extends unless it names others. The path starts from this file's folder, else
    from the project.
    """
    prompt: str
    """The prompt file."""
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
    export: ExportSettings = ExportSettings()
    report: ReportSettings = ReportSettings()
    expected: ExpectedSettings | None = None
    """Without it outputs get no score."""
    compare: CompareSettings | None = None
    """Without it outputs are compared only where somebody asks for it."""

    @model_validator(mode="after")
    def _keep_labels_apart(self) -> "TaskSettings":
        if self.expected is None:
            return self
        self.expected.check(self.grouping, self.context, self.input.id_column)
        if self.judge is None and self.expected.needs_judge:
            raise ValueError("the scorer `judge` of `expected` needs a `judge` block")
        if not self.context.include:
            # Whoever reads the context gets it so: an asset or a preview cannot forget to hide the labels.
            hidden = tuple(dict.fromkeys([*self.context.hidden, *self.expected.columns]))
            context = self.context.model_copy(update={"hidden": hidden})
            object.__setattr__(self, "context", context)
        return self

    @model_validator(mode="after")
    def _check_score_limit(self) -> "TaskSettings":
        limit = None if self.compare is None else self.compare.max_score_drop
        if limit is not None and self.expected is None:
            raise ValueError("`compare.max_score_drop` needs an `expected` block")
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
        """How the judge is asked.

        An endpoint that is not named must not fall back to the default: verdicts would come from the offline model.
        """
        own = None if self.judge is None else self.judge.llm
        if own is None:
            return self.llm
        given = own.model_fields_set
        if "endpoint" in given:
            return own
        shared = ("endpoint",) if "model" in given else ("endpoint", *_FIELDS_OF_A_MODEL)
        return own.model_copy(
            update={name: getattr(self.llm, name) for name in shared if name not in given}
        )
