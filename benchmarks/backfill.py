"""What running batches side by side gains: `python benchmarks/backfill.py [BATCHES] [AT_ONCE…]`."""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from trial_project import TASK, build_environ, write_trial

BIN = Path(sys.executable).parent
ROWS = 40
DEFAULT_BATCHES = 8
DEFAULT_WIDTHS = (1, 2, 4, 8)
LATENCY_SECONDS = 0.5
IN_FLIGHT = 4


async def measure_width(root: Path, n_batches: int, width: int) -> float:
    """Run every batch in a process of its own, so many at once; the wall time of all."""
    places = asyncio.Semaphore(width)

    async def run_one(number: int) -> None:
        async with places:
            command = (str(BIN / "llm-assets"), "run", TASK, "--batch", f"batch_{number}")
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=root,
                env={
                    **build_environ(),
                    "LLM_ASSETS_OFFLINE_TROUBLES": f"latency_seconds={LATENCY_SECONDS}",
                },
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            if await process.wait():
                sys.exit("A run failed.")

    begin_seconds = time.monotonic()
    await asyncio.gather(*(run_one(number) for number in range(n_batches)))
    return round(time.monotonic() - begin_seconds, 1)


def write_batches(root: Path, n_batches: int) -> None:
    """A trial project whose every batch asks for answers of its own, a few calls at a time."""
    write_trial(root, mode="row", n_rows=ROWS)
    config = root / "configs" / f"{TASK}.yaml"
    config.write_text(f"{config.read_text()}limits: {{max_in_flight: {IN_FLIGHT}}}\n", "utf-8")
    folder = root / "data" / "tables"
    (first,) = folder.iterdir()
    lines = first.read_text(encoding="utf-8").splitlines()
    first.unlink()
    for number in range(n_batches):
        rows = [line.replace("Customer", f"Customer {number}-") for line in lines[1:]]
        text = "\n".join([lines[0], *rows]) + "\n"
        (folder / f"batch_{number}{first.suffix}").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    n_wanted = numbers[0] if numbers else DEFAULT_BATCHES
    for each_width in numbers[1:] or DEFAULT_WIDTHS:
        with tempfile.TemporaryDirectory() as folder:
            write_batches(Path(folder), n_wanted)
            seconds = asyncio.run(measure_width(Path(folder), n_wanted, each_width))
        print(json.dumps({"at_once": each_width, "batches": n_wanted, "seconds": seconds}))
