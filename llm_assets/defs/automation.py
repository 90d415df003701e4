"""What makes stages anew without anybody asking, where it is switched on."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from llm_assets.defs.file_sensors import decide_sensor_status
from llm_assets.defs.scope import TaskScope


def build_version_condition(unversioned: Sequence[dg.AssetKey]) -> dg.AutomationCondition[Any]:
    """Where something a stage is made from has another version than before: new content or new settings.

    `unversioned` are files of which Dagster need not know a version: to it they are missing, and nothing waits for
    them.

    Dagster's own `eager()` runs whenever something upstream ran, also where the same came out; here a run would
    be asked for, and maybe paid, for nothing. A stage that was never made is left to the sensor of new files,
    unless what it reads appears while this is on. A check that blocks stops the run it failed in, and nothing that
    a later one makes, so it is asked for here.
    """
    # Dagster's annotations call its own conditions incompatible with each other.
    condition: Any = dg.AutomationCondition
    versions_changed = condition.any_deps_match(condition.data_version_changed())
    settings_changed = condition.code_version_changed() & ~condition.missing()
    files = dg.AssetSelection.assets(*unversioned)
    is_blocked = condition.any_checks_match(condition.check_failed(), blocking_only=True)
    has_changed = versions_changed | settings_changed | condition.missing().newly_true()
    return (
        has_changed.since_last_handled()
        & ~condition.any_deps_missing().ignore(files)
        & ~condition.any_deps_in_progress()
        & ~condition.any_deps_match(is_blocked)
        & ~condition.in_progress()
    ).with_label("versions_changed")


def build_automation_sensor(scope: TaskScope) -> dg.AutomationConditionSensorDefinition:
    """Looks at the conditions of the task's stages; off unless the config switches it on."""
    # All stages come after one of these. Dagster adds a sensor of its own for those that none looks at.
    sources = [scope.build_key(name) for name in ("config_file", "input_file")]
    own = dg.AssetSelection.key_prefixes(scope.build_key("").path[:-1])
    return dg.AutomationConditionSensorDefinition(
        name=f"{scope.task.name}_keep_fresh",
        # Where another task is compared with this one, its comparison comes after this one's outputs.
        target=dg.AssetSelection.assets(*sources).downstream() & own,
        default_status=decide_sensor_status(is_on=scope.task.settings.automation.keep_fresh),
        description="Makes stages anew when what they are made from has a new version. **This may cost money.**",
    )


def build_schedules(scope: TaskScope, job: dg.JobDefinition) -> list[dg.ScheduleDefinition]:
    """The schedule that the config names; none where it names none."""
    cron = scope.task.settings.automation.schedule
    if cron is None:
        return []
    schedule = dg.ScheduleDefinition(
        name=f"{scope.task.name}_schedule",
        job=job,
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Brings everything up to date at set times. **This may cost money.**",
    )
    return [schedule]
