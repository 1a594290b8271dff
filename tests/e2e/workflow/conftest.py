"""A copy of the project in which a tiny experiment has run."""

import pytest

from tests.e2e.workflow.project import CONFIG, Project, make_project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The experiment, run once."""
    made = make_project(tmp_path_factory.mktemp("project"), CONFIG)
    ran = made.snakemake()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return made
