"""Which kinds of names there are, so that one is never taken for another."""

from typing import NewType

TaskName = NewType("TaskName", str)
BatchKey = NewType("BatchKey", str)
"""The stem of an input file; also the Dagster partition."""
StepName = NewType("StepName", str)
"""One of several kinds of calls of a task; the only one of a task has no name."""
RowId = NewType("RowId", str)
WorkId = NewType("WorkId", str)
GroupKey = NewType("GroupKey", str)
"""The value of the grouping column that a group's rows share."""
GroupContextId = NewType("GroupContextId", str)
CallKey = NewType("CallKey", str)
"""The content hash of everything that shapes a model's answer."""
Sha256 = NewType("Sha256", str)
"""64 hexadecimal digits."""
