"""What does a task file say, together with the files that it extends?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_assets.config.layers import lay_over
from llm_assets.config.parsing import read_blocks
from llm_assets.config.problems import Problem, build_config_error
from llm_assets.config.task import TaskSettings
from llm_assets.config.yaml_text import YamlDocument, parse_yaml
from llm_assets.core.fingerprint import fingerprint, fingerprint_text
from llm_assets.core.ids import Sha256
from llm_assets.errors import ConfigError, suggest
from llm_assets.gateways.project import Project, resolve_path
from llm_assets.gateways.text_files import read_text_file

_EXTENDS = ("extends",)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """A task file laid over those that it extends."""

    document: YamlDocument
    paths: tuple[Path, ...]
    """The file itself, then the one that it extends, and so on."""
    sha256: Sha256
    """Of the file's text; of all texts where there are several."""
    input_owner: str
    """The task whose input folder is read where none is named: the last one to say otherwise, else the first."""

    @property
    def root_name(self) -> str:
        """The name of the task that all others of the chain are variants of."""
        return self.paths[-1].stem


def read_task_file(path: Path, project: Project, *, home: Path) -> TaskFile:
    """Read a task file and the chain of files it extends.

    `ConfigError` with file and line for a file that is missing, that is no YAML, or that extends itself.
    """
    layers = _read_chain(path, project, home=home)
    document = layers[-1].document
    for layer in reversed(layers[:-1]):
        document = lay_over(TaskSettings, document, layer.document)
    texts = [layer.text for layer in layers]
    return TaskFile(
        document=document,
        paths=tuple(layer.path for layer in layers),
        sha256=fingerprint_text(texts[0]) if len(texts) == 1 else fingerprint(texts),
        input_owner=_find_input_owner(layers),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """One file of a chain."""

    path: Path
    text: str
    document: YamlDocument


def _read_chain(path: Path, project: Project, *, home: Path) -> list[_Layer]:
    layers = [_read_layer(path, project)]
    while (base := _find_base(layers[-1], project, home=home)) is not None:
        paths = [layer.path.resolve() for layer in layers]
        if base.resolve() in paths:
            chain = " extends ".join(each.name for each in (*paths, base))
            raise _build_error(layers[-1], f"a task cannot extend itself: {chain}.")
        layers.append(_read_layer(base, project))
    return layers


def _read_layer(path: Path, project: Project) -> _Layer:
    shown = project.locate(path)
    text = read_text_file(path, shown=shown, purpose="task file")
    return _Layer(path=path, text=text, document=parse_yaml(text, file=shown))


def _find_base(layer: _Layer, project: Project, *, home: Path) -> Path | None:
    """The file that a layer extends, looked for beside it, then from the project."""
    named = read_blocks(TaskSettings, layer.document).get("extends")
    if named is None:
        return None
    if not isinstance(named, str):
        raise _build_error(layer, "expected the path of a task file.")
    places = [resolve_path(named, home=folder) for folder in (layer.path.parent, home)]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        names = [entry.name for entry in places[0].parent.glob("*.yaml")]
        shown = project.locate(places[0])
        hint = suggest(places[0].name, names) or "Correct the path."
        raise _build_error(layer, f"the task file {shown} does not exist.", remedy=hint)
    return found


def _find_input_owner(layers: Sequence[_Layer]) -> str:
    for layer in layers:
        own = read_blocks(TaskSettings, layer.document).get("input")
        if isinstance(own, dict) and own.get("folder") is not None:
            return layer.path.stem
    return layers[-1].path.stem


def _build_error(layer: _Layer, what: str, *, remedy: str = "") -> ConfigError:
    position = layer.document.find_position(_EXTENDS)
    problem = Problem(position=position, path=_EXTENDS, what=what, remedy=remedy)
    return build_config_error(layer.document.file, [problem])
