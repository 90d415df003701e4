"""What a first run and an unchanged second run take, start-up included: `python benchmarks/rerun.py [ROWS]`."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from trial_project import TASK, build_environ, write_trial

DEFAULT_ROWS = 20_000
COMMAND = (str(Path(sys.executable).with_name("llm-assets")), "run", TASK, "--json")


def measure_rerun(n_rows: int) -> dict[str, float]:
    """Run the task twice through the command line, each time in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_trial(root, mode="row", n_rows=n_rows)
        first, second = _run_once(root, "first"), _run_once(root, "second")
    return {"n_rows": n_rows, **first, **second}


def _run_once(root: Path, prefix: str) -> dict[str, float]:
    output = root / f"{prefix}.json"
    begin_seconds = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(COMMAND, cwd=root, env=build_environ(), stdout=file)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"The {prefix} run failed.")
    batch = json.loads(output.read_bytes())["batches"][0]
    return {
        f"{prefix}_cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        f"{prefix}_wall_seconds": round(time.monotonic() - begin_seconds, 2),
        f"{prefix}_peak_mb": round(usage.ru_maxrss / 1024),
        f"{prefix}_calls_sent": batch["calls_sent"],
        f"{prefix}_calls_reused": batch["calls_reused"],
    }


if __name__ == "__main__":
    print(json.dumps(measure_rerun(int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_ROWS)))
