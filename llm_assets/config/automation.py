"""What a task file can say about runs that start by themselves, and what holds where it says nothing: none do."""

import re

from pydantic import field_validator

from llm_assets.config.base import Settings

_CRON = re.compile(r"\S+( \S+){4}")


class AutomationSettings(Settings):
    """What starts by itself under `dagster dev` or a Dagster daemon; each can also be switched in the UI."""

    run_new_files: bool = False
    """Run a batch as soon as its file is new or has changed. This is paid without anybody looking."""
    keep_fresh: bool = False
    """Make a stage anew as soon as what it reads has a new version, or its settings do. This may be paid."""
    schedule: str | None = None
    """When to bring everything up to date, as a cron line such as `0 6 * * *` (every day at six, UTC). This may be paid."""

    @field_validator("schedule")
    @classmethod
    def _check_schedule(cls, line: str | None) -> str | None:
        if line is not None and not _CRON.fullmatch(line):
            raise ValueError("a cron line has five fields: minute, hour, day, month, weekday")
        return line
