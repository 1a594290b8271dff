import json
from pathlib import Path

import pandas as pd

from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.claims.assess import CLAIMS, main


def test_every_claim_has_a_row_in_both_forms(tmp_path: Path) -> None:
    rows = [
        ("d", model, 8, "hamming", "hr", n, 0, value * n)
        # The last is ours: what the paper says of all methods is not said of it.
        for model, value in (("hashgnn", 0.01), ("lsh", 0.001), ("hashgnn_plus", 0.02))
        for n in (10, 20)
    ]
    figure = tmp_path / "fig3.csv"
    pd.DataFrame(rows, columns=COLUMNS).to_csv(figure, index=False)
    csv, md = tmp_path / "claims.csv", tmp_path / "claims.md"

    own = {"places": {"hashgnn": "1", "lsh": "4 to 11"}, "datasets": {"d": "Data"}, "roles": {}}
    settings = json.dumps(own)
    arguments = [
        str(figure),
        "--settings",
        settings,
        "--csv",
        str(csv),
        "--md",
        str(md),
        "--html",
        str(tmp_path / "page.html"),
    ]

    assert main(arguments) == 0

    claims = pd.read_csv(csv).set_index("claim")
    assert len(claims) == len(CLAIMS)
    assert claims.loc["hamming-best", "verdict"] == "holds"
    assert claims.loc["hamming-best", ["held", "comparisons"]].tolist() == [2, 2]
    assert (
        "d HR@10 (8 bits), hashgnn to lsh: 0.1000 to 0.0100"
        in claims.loc["hamming-best", "numbers"]
    )
    assert claims.loc["hamming-best", "data"] == "Data"
    assert claims.loc["gap", ["verdict", "data"]].tolist() == ["not run", "-"]
    rows = [line for line in md.read_text().splitlines() if line.startswith("| ")]
    assert len(rows) == len(CLAIMS) + 2
    assert "<td>not run</td>" in (tmp_path / "page.html").read_text()
