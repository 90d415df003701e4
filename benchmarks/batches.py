"""What a task of many batches takes to be looked at: `python benchmarks/batches.py [BATCHES] [--keep FOLDER]`."""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from trial_project import TASK, build_environ, write_trial

BIN = Path(sys.executable).parent
DEFAULT_BATCHES = 1000
ROWS = 3
LOOKS = 3
ASSET_PAGE = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  id description opNames staleStatus staleCauses { reason category }
  assetMaterializations(limit: 100) { runId timestamp partition metadataEntries { label __typename } }
  assetPartitionStatuses { __typename ... on DefaultPartitionStatuses { materializedPartitions } }
  partitionStats { numMaterialized numPartitions numFailed }
  partitionKeysByDimension { name partitionKeys } } } }"""
GRAPH_PAGE = """{ assetNodes { id assetKey { path } staleStatus partitionStats { numMaterialized numPartitions }
  assetMaterializations(limit: 1) { runId timestamp } } }"""


def measure_batches(root: Path, n_batches: int) -> dict[str, float]:
    """Make the batches where they are not there yet, then look at them in each way."""
    if not (root / "configs").exists():
        _write_batches(root, n_batches)
    figures: dict[str, float] = {"batches": n_batches}
    figures["first_run_seconds_a_batch"] = round(_time(root, "run", TASK, "--stale") / n_batches, 2)
    figures["status_seconds"] = _time(root, "status", TASK)
    figures["nothing_to_do_seconds"] = _time(root, "run", TASK, "--stale")
    with _open_webserver(root) as url:
        key = {"path": [TASK, "llm_outputs"]}
        figures["asset_page_seconds"] = _time_query(url, ASSET_PAGE, key=key)
        figures["graph_page_seconds"] = _time_query(url, GRAPH_PAGE)
    return figures


def _write_batches(root: Path, n_batches: int) -> None:
    write_trial(root, mode="row", n_rows=ROWS)
    folder = root / "data" / "tables"
    (first,) = folder.iterdir()
    content = first.read_text(encoding="utf-8")
    first.unlink()
    for number in range(n_batches):
        path = folder / f"batch_{number:04}{first.suffix}"
        path.write_text(content.replace("ticket", f"ticket {number}"), encoding="utf-8")


def _time(root: Path, *args: str) -> float:
    begin_seconds = time.monotonic()
    command = [str(BIN / "llm-assets"), *args]
    subprocess.run(command, cwd=root, env=build_environ(), check=True, capture_output=True)
    return round(time.monotonic() - begin_seconds, 2)


def _time_query(url: str, query: str, **variables: object) -> float:
    """The median of a few looks, the first of which fills the server's caches."""
    seconds: list[float] = []
    for _ in range(LOOKS):
        begin_seconds = time.monotonic()
        _ask(url, query, variables)
        seconds.append(time.monotonic() - begin_seconds)
    return round(sorted(seconds)[LOOKS // 2], 2)


def _ask(url: str, query: str, variables: dict[str, object]) -> None:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 -- loopback
    with urlopen(request, timeout=60) as reply:  # noqa: S310 -- loopback
        answer = json.load(reply)
    if "errors" in answer:
        sys.exit(json.dumps(answer["errors"]))


@contextmanager
def _open_webserver(root: Path) -> Generator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [BIN / "dagster-webserver", "-m", "llm_assets.definitions", "-p", str(port)],
        cwd=root,
        env={**build_environ(), "DAGSTER_HOME": str(root / ".dagster")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/graphql"
    try:
        _wait_until_up(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            _ask(url, "{ version }", {})
        except (URLError, ConnectionError):
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
        else:
            return
    sys.exit("The web server did not come up.")


if __name__ == "__main__":
    arguments = [each for each in sys.argv[1:] if not each.startswith("--")]
    n_wanted = int(arguments[0]) if arguments else DEFAULT_BATCHES
    if "--keep" in sys.argv:
        kept = Path(arguments[1])
        kept.mkdir(parents=True, exist_ok=True)
        print(json.dumps(measure_batches(kept, n_wanted)))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            print(json.dumps(measure_batches(Path(temporary), n_wanted)))
