"""`llm-assets doctor`: can this project run, and if not, what is to be done?"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from llm_assets.core.findings import (
    Finding,
    decide_exit_code,
    render_finding,
    render_findings_summary,
)
from llm_assets.gateways.doctor.endpoints import examine_endpoints, list_uses
from llm_assets.gateways.doctor.folders import examine_folders
from llm_assets.gateways.doctor.installation import examine_installation
from llm_assets.gateways.doctor.records import examine_counting, examine_ledger
from llm_assets.gateways.doctor.task_files import examine_tasks
from llm_assets.gateways.env_file import load_env_file
from llm_assets.gateways.project import Project, load_project


@click.command()
@click.argument("task", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def doctor(task: str | None, *, as_json: bool) -> None:
    """Look whether the project, or TASK, can run: one line for each thing, with the remedy.

    Endpoints are asked for their lists of models, so nothing is paid. Runs whose process was killed are ended and
    their places freed. The exit code is 0 unless something would stop a run.
    """
    home = os.environ.get("DAGSTER_HOME") or None
    project = load_project(Path.cwd())
    load_env_file(project.root)
    findings: list[Finding] = []
    for finding in _examine(project, task, home=home):
        findings.append(finding)
        if not as_json:
            click.echo(render_finding(finding))
    code = decide_exit_code(findings)
    if as_json:
        records = [finding.build_record() for finding in findings]
        click.echo(json.dumps({"is_well": code == 0, "findings": records}, ensure_ascii=False))
    else:
        click.echo(render_findings_summary(findings))
    sys.exit(code)


def _examine(project: Project, task: str | None, *, home: str | None) -> Iterator[Finding]:
    installed = examine_installation()
    yield from installed
    if decide_exit_code(installed):
        return  # what is not installed cannot be asked
    yield from examine_folders(project)
    examined = examine_tasks(project, task)
    yield from examined.findings
    uses = list_uses(examined.tasks)
    yield from examine_endpoints(uses, project)
    models = {llm.model for llm, endpoint in uses.values() if not endpoint.is_offline}
    yield from examine_counting(sorted(models))
    yield from examine_ledger(project)
    from llm_assets.defs.examination import examine_history, examine_home

    yield examine_home(project, from_environ=home)
    yield from examine_history(project)
