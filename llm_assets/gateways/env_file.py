"""Which variables does a project's `.env` set?"""

import os
from io import StringIO
from pathlib import Path

from llm_assets.gateways.text_files import read_text_file

ENV_FILE = ".env"


def read_env_file(root: Path) -> dict[str, str]:
    """The variables of `.env` in `root`, each value as it stands there; nothing where there is no such file."""
    path = root / ENV_FILE
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    text = read_text_file(path, shown=ENV_FILE, purpose="file")
    # A `$` belongs to a key or a password more often than to another variable.
    values = dotenv_values(stream=StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def load_env_file(root: Path) -> None:
    """Set the variables of `.env` in this process, for libraries that read them; those that are set stay."""
    for name, value in read_env_file(root).items():
        os.environ.setdefault(name, value)
