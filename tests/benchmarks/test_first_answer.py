"""The benchmark of a service's start at tiny sizes."""

import pytest

from benchmarks import first_answer


@pytest.mark.slow
def test_a_start_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ("--items", "600", "--users", "20", "--interactions", "100", "--starts", "1")
    first_answer.main(sizes)

    lines = capsys.readouterr().out.splitlines()
    assert [line.split(";")[0] for line in lines] == ["verify=False", "verify=True"]
    assert all("torch 0.00" in line for line in lines)
