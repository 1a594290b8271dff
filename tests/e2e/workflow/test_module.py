"""Another workflow takes this one in as a module and builds on its results."""

import subprocess
import sys
from pathlib import Path

import yaml

from tests.e2e.workflow.project import CONFIG, ROOT, merged

SNAKEFILE = """
configfile: "hashgnn.yaml"


module hashgnn:
    snakefile:
        "{root}/Snakefile"
    config:
        config


use rule * from hashgnn as hashgnn_*


use rule download from hashgnn as hashgnn_download with:
    log:
        "elsewhere/{{dataset}}.{{file}}.log",


rule count:
    default_target: True
    input:
        "results/tiny/hashgnn/bits8/seed0/item_codes.npy",
    output:
        "counted.txt",
    shell:
        "wc -c < {{input}} > {{output}}"
"""


def test_use_rule_from_another_workflow(tmp_path: Path) -> None:
    paper = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    (tmp_path / "hashgnn.yaml").write_text(yaml.safe_dump(merged(paper, CONFIG)))
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(root=ROOT))

    ran = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "counted.txt").read_text().strip() == str(
        128 + 50
    )  # header, codes of 8 bits
    assert "hashgnn_train" in ran.stderr
