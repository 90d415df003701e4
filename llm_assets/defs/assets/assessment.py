"""The assessment stage: how good the outputs are by what people expected."""

import dagster as dg

from llm_assets.config.expected import ExpectedSettings
from llm_assets.core.assessment import Assessment
from llm_assets.core.corrections import Corrections
from llm_assets.core.fingerprint import fingerprint
from llm_assets.core.input_snapshot import InputSnapshot
from llm_assets.core.llm_outputs import LLMOutputs
from llm_assets.core.stage_checks import check_assessment
from llm_assets.defs.check_results import build_stage_checks
from llm_assets.defs.checks import CheckedResult
from llm_assets.defs.definition_metadata import describe_definition
from llm_assets.defs.metadata import describe_assessment
from llm_assets.defs.publishing import build_version, publish, stop_plainly
from llm_assets.defs.scope import TaskScope, dump_settings
from llm_assets.defs.stage_arguments import build_checked_arguments
from llm_assets.gateways.assessments import assess_outputs, fingerprint_labels
from llm_assets.gateways.hook_files import find_scorer_files
from llm_assets.gateways.text_files import fingerprint_file

RECIPE = 1
"""Raised when the same outputs would get other scores."""


def _build_hook_parts(scope: TaskScope) -> dict[str, object]:
    """What the functions that score add to the code version: nothing, where there are none."""
    files = find_scorer_files(scope.task)
    return {"hooks": list(map(fingerprint_file, files))} if files else {}


def _build_cleaning_parts(scope: TaskScope, settings: ExpectedSettings) -> dict[str, object]:
    """What cleans a table of labels; labels in the input are cleaned with it."""
    return {"cleaning": dump_settings(scope.task.settings.cleaning)} if settings.file else {}


def build_assessment_asset(scope: TaskScope, settings: ExpectedSettings) -> dg.AssetsDefinition:
    """The asset of one task that expects something."""
    task = scope.task

    @dg.asset(
        **build_checked_arguments(scope, "assessment", Assessment),
        ins={
            **scope.build_inputs("input_snapshot", "llm_outputs"),
            **(
                scope.build_optional_input("corrections", Corrections)
                if settings.from_review
                else {}
            ),
        },
        kinds={"json"},
        metadata=describe_definition(scope),
        code_version=scope.build_code_version(
            RECIPE,
            expected=dump_settings(settings),
            labels=fingerprint_labels(task),
            **_build_cleaning_parts(scope, settings),
            mode=task.settings.grouping.mode,
            **_build_hook_parts(scope),
        ),
    )
    def assessment(
        input_snapshot: InputSnapshot, llm_outputs: LLMOutputs, **optional: Corrections
    ) -> CheckedResult[Assessment]:
        """The score of every item by what people expected of it, and what the scores come to.

        An item without an accepted output is wrong; one of which nothing is expected is left out and counted. No
        call is made, so scorers can be changed at will. The model has seen none of the columns that it is scored by.
        What people approved or wrote at the gate can be what is expected, in place of columns.
        """
        with stop_plainly():
            value = assess_outputs(
                task,
                scope.project,
                settings,
                snapshot=input_snapshot,
                outputs=llm_outputs,
                corrections=optional.get("corrections"),
            )
            return publish(
                value,
                metadata=describe_assessment(value.meta),
                content_sha256=fingerprint(
                    [build_version(value), value.meta.model_dump(mode="json")]
                ),
                checks=build_stage_checks(
                    check_assessment(value.meta, settings=task.settings), task.settings.checks
                ),
            )

    return assessment
