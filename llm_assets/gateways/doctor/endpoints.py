"""Do the endpoints that tasks use answer, and do they know the models?

Asked for their lists of models, which costs nothing; no model is called.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from llm_assets.config.endpoint import EndpointSettings
from llm_assets.config.task import LLMSettings
from llm_assets.core.calls import Fault
from llm_assets.core.findings import Finding, build_problems
from llm_assets.errors import ConfigError, suggest
from llm_assets.gateways.connections import Connection, build_connection
from llm_assets.gateways.endpoint_client import open_endpoint_client
from llm_assets.gateways.project import Project
from llm_assets.gateways.tasks import Task

TIMEOUT_SECONDS = 5.0

Uses = Mapping[tuple[str, str], tuple[LLMSettings, EndpointSettings]]
"""How each endpoint and model is used, by their names."""
Models = frozenset[str] | Fault


def list_uses(tasks: Sequence[Task]) -> Uses:
    """Every endpoint and model of these tasks, those of judges included, each once."""
    uses: dict[tuple[str, str], tuple[LLMSettings, EndpointSettings]] = {}
    for task in tasks:
        pairs = [(step.settings.llm, step.endpoint) for step in task.steps]
        pairs += [
            (step.settings.judge_llm, step.judge_endpoint)
            for step in task.steps
            if step.settings.judge is not None
        ]
        for llm, endpoint in pairs:
            uses.setdefault((llm.endpoint, llm.model), (llm, endpoint))
    return uses


def examine_endpoints(uses: Uses, project: Project) -> tuple[Finding, ...]:
    """Whether each has its key, answers, and knows its model."""
    findings: list[Finding] = []
    connections: dict[str, Connection] = {}
    missing: set[str] = set()
    for llm, endpoint in uses.values():
        name = llm.endpoint
        if name in missing or name in connections:
            continue
        try:
            connections[name] = build_connection(llm, endpoint, project=project)
        except ConfigError as exc:
            missing.add(name)
            findings += build_problems(f"endpoint {name}", exc)
    lists = asyncio.run(_fetch_all(connections))
    for name, connection in connections.items():
        own = [llm for llm, _ in uses.values() if llm.endpoint == name]
        findings += _examine(connection, own, lists[name])
    return tuple(findings)


async def _fetch_all(connections: Mapping[str, Connection]) -> dict[str, Models]:
    found = await asyncio.gather(*map(_fetch, connections.values()))
    return dict(zip(connections, found, strict=True))


async def _fetch(connection: Connection) -> Models:
    async with open_endpoint_client(connection, timeout_seconds=TIMEOUT_SECONDS) as client:
        return await client.fetch_models()


def _examine(
    connection: Connection, uses: Sequence[LLMSettings], models: Models
) -> Iterator[Finding]:
    subject = f"endpoint {connection.name}"
    if isinstance(models, Fault):
        yield _describe_fault(subject, connection, models)
        return
    variable = connection.endpoint.api_key_env
    key = f"takes the key in {variable}" if variable else "needs no key"
    for llm in uses:
        level = llm.structured_output or connection.endpoint.structured_output
        if llm.model in models:
            text = f"answers, {key}, knows {llm.model}; structured output: {level}"
            yield Finding(level="ok", subject=subject, text=text)
        else:
            yield _describe_unknown(subject, connection, llm.model, models)


def _describe_unknown(
    subject: str, connection: Connection, model: str, models: frozenset[str]
) -> Finding:
    """Some servers list other names than they take, so only the built-in model's list is sure."""
    text = f"answers, but does not list the model {model!r}."
    remedy = (
        f"{suggest(model, models)} Check `llm.model`; `llm-assets run TASK --limit 1` tries it."
    )
    is_sure = connection.endpoint.is_offline
    level = "problem" if is_sure else "warning"
    return Finding(level=level, subject=subject, text=text, remedy=remedy.strip())


def _describe_fault(subject: str, connection: Connection, fault: Fault) -> Finding:
    variable = connection.endpoint.api_key_env
    match fault.kind:
        case "bad_key":
            text = f"does not accept the key: {fault.message}"
            where = f"the variable {variable}" if variable else "`api_key_env` of the endpoint"
            remedy = f"Check {where}."
        case "unreachable" | "timed_out":
            text = f"does not answer: {fault.message}"
            remedy = "Start the server, or check `base_url` and the network."
        case "unknown_model" | "forbidden" | "rate_limited":
            text = f"answers, but shows no list of models: {fault.message}"
            remedy = "`llm-assets run TASK --limit 1` tries a model."
            return Finding(level="warning", subject=subject, text=text, remedy=remedy)
        case _:
            text = f"answers, but not with a list of models: {fault.message}"
            remedy = "Check that `base_url` ends with the version, such as /v1, and the account."
    return Finding(level="problem", subject=subject, text=text, remedy=remedy)
