"""Every example begins: its study is read, prepared and computed for a few steps, and what there is kept as a file."""

from pathlib import Path

import pytest

from ehbilayer.results.base import Result
from ehbilayer.run import runner
from ehbilayer.status import Status
from ehbilayer.studies.kinds import rows
from legal_studies import Patience

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.toml"))
STEPS = 4  # times that it may ask whether to stop


@pytest.mark.parametrize("study", EXAMPLES, ids=lambda path: path.stem)
def test_the_first_step(study: Path, tmp_path: Path) -> None:
    result = runner.run(study, should_stop=Patience(STEPS))
    assert result.status in (Status.timeout, Status.converged, Status.not_converged) and rows(result)
    result.save(tmp_path / "result.nc")
    kept = Result.load(tmp_path / "result.nc")
    assert (kept.status, kept.kind) == (result.status, result.kind)
    assert all((kept.data[name].values.shape, kept.data[name].units) == (array.values.shape, array.units)
               for name, array in result.data.items())
