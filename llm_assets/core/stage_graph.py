"""How the stages of a task hang together."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StageNode:
    """One stage as it is defined now."""

    name: str
    upstream: tuple[str, ...]
    """The stages whose values it reads."""
    is_batched: bool
    """Whether it has a value for every batch; one that has not is about all of them."""
    reads_input: bool
    """Whether it reads the batch's own file."""
    code_version: str
    calls_models: bool = False
    """Whether making it asks models, so that the same sources may give something else or fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageGraph:
    """All stages of a task, each after those it reads."""

    nodes: tuple[StageNode, ...]

    @property
    def batched(self) -> tuple[StageNode, ...]:
        """The stages that every batch has."""
        return tuple(node for node in self.nodes if node.is_batched)

    @property
    def shared(self) -> tuple[StageNode, ...]:
        """The stages that batches share: what they read, and what is made of all of them."""
        return tuple(node for node in self.nodes if not node.is_batched)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all stages."""
        return tuple(node.name for node in self.nodes)

    def find(self, name: str) -> StageNode:
        """The stage of that name, which has to be there."""
        return next(node for node in self.nodes if node.name == name)

    def is_about_batches(self, node: StageNode) -> bool:
        """Whether a stage reads what batches made, though it has no batches itself."""
        batched = {each.name for each in self.batched}
        return not node.is_batched and not batched.isdisjoint(node.upstream)

    def list_ends(self) -> tuple[str, ...]:
        """The stages of a batch that no other one of it reads."""
        read = {name for node in self.batched for name in node.upstream}
        return tuple(node.name for node in self.batched if node.name not in read)

    def find_downstream(self, first: str) -> tuple[str, ...]:
        """A stage and all that is made from it, near and far."""
        found = {first}
        for node in self.nodes:
            if not found.isdisjoint(node.upstream):
                found.add(node.name)
        return tuple(name for name in self.names if name in found)


def build_stage_graph(nodes: Sequence[StageNode]) -> StageGraph:
    """Put the stages into an order in which each comes after those it reads; otherwise they stay as given."""
    ordered: list[StageNode] = []
    waiting = list(nodes)
    while waiting:
        known = {node.name for node in ordered}
        following = next(node for node in waiting if known.issuperset(node.upstream))
        ordered.append(following)
        waiting.remove(following)
    return StageGraph(nodes=tuple(ordered))
