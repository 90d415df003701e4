"""Whether everything that stopped a run is told, and the worst of it decides."""

import dagster as dg
import pytest

from llm_assets.defs.publishing import stop_plainly
from llm_assets.defs.run_ends import read_end
from llm_assets.errors import ConfigError, ProviderError


@dg.asset(check_specs=[dg.AssetCheckSpec("complete", asset="table", blocking=True)])
def table() -> dg.MaterializeResult:
    """A stage whose check stops what comes after it."""
    found = dg.AssetCheckResult(check_name="complete", passed=False, description="A row is gone.")
    return dg.MaterializeResult(check_results=[found])


@dg.asset
def vectors() -> None:
    """A stage whose endpoint refuses."""
    with stop_plainly():
        raise ProviderError("The key was refused.", remedy="Check it.", kind="bad_key")


@dg.asset
def settings() -> None:
    """A stage that a mistake stops."""
    with stop_plainly():
        raise ConfigError("A value is missing.")


TOLD = {
    table: ("The batch stopped at the check complete of table: A row is gone.", 1),
    vectors: ("The key was refused. Check it.", 3),
    settings: ("A value is missing.", 2),
}


@pytest.mark.parametrize(
    "stages", [[table], [vectors], [settings], [table, vectors], [settings, vectors]]
)
def test_all_that_stopped_a_run_is_told(stages: list[dg.AssetsDefinition]):
    """A stage beside the one that failed first is not passed over, nor is the endpoint that it lost."""
    end = read_end(dg.materialize(stages, raise_on_error=False))
    assert set(str(end.problem).split("\n")) == {TOLD[stage][0] for stage in stages}
    assert end.exit_code == max(TOLD[stage][1] for stage in stages)
    assert end.is_endpoint_lost is (vectors in stages)


def test_what_nobody_foresaw_is_told_in_full():
    """A fault of the code comes with its stack trace, which is what there is to report."""

    @dg.asset
    def faulty() -> None:
        raise KeyError("lost")

    end = read_end(dg.materialize([faulty], raise_on_error=False))
    assert "KeyError: 'lost'" in str(end.problem)
    assert end.exit_code == 2
