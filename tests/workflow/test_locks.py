import socket

from tests.workflow.project import Project


def test_a_run_says_on_which_machine_it_took_its_locks(project: Project) -> None:
    alive = project.root / ".snakemake/alive"

    assert alive.read_text() == socket.gethostname()
