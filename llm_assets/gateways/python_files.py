"""How a person's Python file is imported, and what is said where that fails."""

import sys
import traceback
from dataclasses import dataclass
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

from llm_assets.errors import ConfigError


def import_python_text(
    text: str, *, path: Path, name: str, shown_path: str, purpose: str
) -> ModuleType:
    """Run the text of a file as the module `name`, which it stays in `sys.modules`.

    The import leaves no bytecode beside the file, and hands the import system the very text that it is given.

    Args:
        text: The file's text.
        path: Where it lies; tracebacks name it.
        name: A name that no other module has, such as one made from a hash of the text.
        shown_path: What messages call the file.
        purpose: The kind of file, as messages say it: "schema module".

    Raises `ConfigError` for text that is not valid Python, and for whatever the file raises when it is run.
    """
    loader = _Source(str(path), text)
    _check_syntax(loader, name, shown_path=shown_path, purpose=purpose)
    spec = ModuleSpec(name, loader, origin=str(path))
    spec.has_location = True  # Pydantic finds the docstrings of fields in the file
    module = module_from_spec(spec)
    sys.modules[name] = module  # Pydantic looks up annotations there, also long after the import
    try:
        _run(module, loader, shown_path=shown_path, purpose=purpose)
    except ConfigError:
        forget_module(name)
        raise
    return module


def forget_module(name: str) -> None:
    """Take a module out of `sys.modules` that turned out to be of no use."""
    sys.modules.pop(name, None)


def render_exception(exc: BaseException) -> str:
    """The kind of an exception and the first line of what it says."""
    first_line = str(exc).partition("\n")[0].rstrip(".")
    return f"{type(exc).__name__}: {first_line}" if first_line else type(exc).__name__


@dataclass(frozen=True, slots=True)
class _Source(SourceLoader):
    """Hands the import system the very text that was hashed, so that no bytecode is read or left behind."""

    path: str
    text: str

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002 - the import system passes it
        return self.path

    def get_data(self, path: str) -> bytes:
        if path != self.path:
            raise OSError(path)
        return self.text.encode()


def _check_syntax(loader: _Source, name: str, *, shown_path: str, purpose: str) -> None:
    try:
        loader.get_code(name)
    except SyntaxError as exc:
        raise ConfigError(
            f"{shown_path}, line {exc.lineno}: {exc.msg}; the {purpose} is not valid Python.",
            remedy="Mend that line.",
        ) from exc
    except (ValueError, RecursionError) as exc:
        raise ConfigError(
            f"{shown_path} is not valid Python: {exc}.", remedy=f"Mend the {purpose}."
        ) from exc


def _run(module: ModuleType, loader: _Source, *, shown_path: str, purpose: str) -> None:
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as exc:
        frames = traceback.extract_tb(exc.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == loader.path]
        where = f"{shown_path}, line {lines[-1]}" if lines else shown_path
        raise ConfigError(
            f"{where}: {render_exception(exc)}; the {purpose} could not be imported.",
            remedy="Mend that line.",
        ) from exc
