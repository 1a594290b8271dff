"""What reruns after which edit, and that nothing else does."""

import json
import os
from collections.abc import Sequence
from fnmatch import fnmatch
from typing import Any

import pytest

# lsh hashes what graphsage gives; lsh and pte do not take the shared training.
MODELS = ("graphsage", "hash_ste", "hashgnn", "lsh", "pte")
EVERYTHING = {
    *(f"{stage} {dataset}" for stage in ("prepare", "split") for dataset in ("tiny", "shop")),
    *(f"triplets {dataset} seed0" for dataset in ("tiny", "shop")),
    *(
        f"{stage} {dataset} {model} seed0"
        for stage in ("train", "evaluate")
        for dataset in ("tiny", "shop")
        for model in MODELS
    ),
    *("train tiny hashgnn@ranking_weight=0 seed0", "evaluate tiny hashgnn@ranking_weight=0 seed0"),
    "timing tiny hash_ste seed0",
    *("figure fig3", "figure fig5", "table table1", "table table2", "table table4"),
}


def matching(patterns: Sequence[str], jobs: set[str] = EVERYTHING) -> set[str]:
    return {job for job in jobs if any(fnmatch(job, pattern) for pattern in patterns)}


SHOWN = ("figure fig3", "table table2")
SWEPT = (*SHOWN, "figure fig5")  # with HashGNN on the data set tiny
GRAPH_METHODS = tuple(
    f"{stage} * {model}*" for stage in ("train", "evaluate") for model in MODELS if model != "pte"
)
TIMED = ("timing *", "table table4")
OF_SHOP = ("* shop*", "figure fig3", "table table1", "table table2")


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        pytest.param(
            "hashgnn/models/losses.py",
            '"""Losses over links',
            '# A comment.\n\n"""Other losses over links',
            (),
            id="a comment and a docstring",
        ),
        pytest.param(
            "hashgnn/reporting/figures/curves.py",
            "run_figure(fig3.__doc__,",
            "run_figure('Another text',",
            ("figure fig3",),
            id="a figure's function",
        ),
        pytest.param(
            "hashgnn/reporting/tables/paper.py",
            ":.0f}",
            ":.1f}",
            ("table table2",),
            id="a table's function",
        ),
        pytest.param(
            "hashgnn/evaluation/time_searches.py",
            "_TRIES = 10",
            "_TRIES = 9",
            TIMED,
            id="how times are taken",
        ),
        pytest.param(
            "hashgnn/evaluation/metrics.py",
            "np.log2(",
            "1.0 * np.log2(",
            ("evaluate *", *SWEPT),
            id="a metric",
        ),
        pytest.param(
            "hashgnn/models/losses.py",
            "softplus(negative)",
            "softplus(1.0 * negative)",
            (*GRAPH_METHODS, *SWEPT, *TIMED),
            id="the loss that all graph methods share",
        ),
        pytest.param(
            "hashgnn/models/losses.py",
            "gap + margin",
            "gap + 1.0 * margin",
            ("train * hashgnn*", "evaluate * hashgnn*", *SWEPT),
            id="the loss of one method",
        ),
        pytest.param(
            "hashgnn/models/hash_ste.py",
            "return 0.0",
            "return 0.0 * iteration",
            ("train * hash_ste *", "evaluate * hash_ste *", *SHOWN, *TIMED),
            id="a model's module",
        ),
        pytest.param(
            "hashgnn/models/lsh.py",
            "vectors @ planes.T",
            "vectors @ -planes.T",
            ("train * lsh *", "evaluate * lsh *", *SHOWN),
            id="a model made of another's vectors",
        ),
        pytest.param(
            "hashgnn/models/graphsage.py",
            "return 1.0",
            "return 1.0 * 1.0",
            (
                *("train * graphsage *", "evaluate * graphsage *"),
                *("train * lsh *", "evaluate * lsh *", *SHOWN),
            ),
            id="a model that another is made of",
        ),
        pytest.param(
            "hashgnn/stage/record.py",
            "indent=2",
            "indent=4",
            (),
            id="how results are recorded",
        ),
        pytest.param(
            "odd.tsv",
            "käufer 39\t",
            "käufer 40\t",
            OF_SHOP,
            id="a user's own file",
        ),
    ],
)
def test_edited_files(project: Any, file: str, old: str, new: str, stale: Sequence[str]) -> None:
    with project.edited(file, old, new):
        assert project.stale() == matching(stale)


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        pytest.param({}, (), id="nothing"),
        pytest.param(
            {"models": {"hashgnn": {"parameters": {"margin": 0.3}}}},
            ("train * hashgnn*", "evaluate * hashgnn*", *SWEPT),
            id="a hyper-parameter of one model",
        ),
        pytest.param(
            {"models": {"hashgnn": {"per_dataset": {"shop": {"epochs": 3}}}}},
            ("train shop hashgnn *", "evaluate shop hashgnn *", *SHOWN),
            id="a hyper-parameter of one model on one data set",
        ),
        pytest.param(
            {"training": {"widths": [8, 7]}},
            (*GRAPH_METHODS, *SWEPT, *TIMED),
            id="a hyper-parameter of the graph methods",
        ),
        pytest.param(
            {"triplets": {"rounds": 3}},
            ("triplets *", *GRAPH_METHODS, *SWEPT, *TIMED),
            id="the negatives of the graph methods",
        ),
        pytest.param(
            {"models": {"pte": {"parameters": {"passes": 2}}}},
            ("train * pte *", "evaluate * pte *", *SHOWN),
            id="a hyper-parameter of a method without encoder",
        ),
        pytest.param(
            {"datasets": {"shop": {"filter": {"user_interactions": 6}}}},
            OF_SHOP,
            id="a data set's filter",
        ),
        pytest.param(
            {"datasets": {"shop": {"split": {"seed": 1}}}},
            ("split shop", "triplets shop *", "train shop *", "evaluate shop *", *SHOWN),
            id="a split's seed",
        ),
        pytest.param(
            {"evaluation": {"candidates": 400}},
            ("train *", "evaluate *", *SWEPT, *TIMED),
            id="what validation, evaluation and timing re-rank",
        ),
        pytest.param(
            {"evaluation": {"validation_cutoff": 40}},
            ("train *", "evaluate *", *SWEPT, *TIMED),
            id="how the epoch of a training is chosen",
        ),
        pytest.param(
            {"evaluation": {"ndcg": "retrieved"}},
            ("evaluate *", *SWEPT),
            id="how is evaluated",
        ),
        pytest.param(
            {"evaluation": {"metrics": ["hr", "any_hit", "ndcg", "map", "gini"]}},
            ("evaluate *", *SWEPT),
            id="what is evaluated",
        ),
        pytest.param(
            {"models": {"hashgnn": {"color": "#123456", "marker": "o"}}},
            ("figure fig3", "figure fig5"),
            id="a model's look",
        ),
        pytest.param(
            {"models": {"hashgnn": {"place": "12"}}},
            ("table table2",),
            id="a model's place in the paper",
        ),
        pytest.param(
            {"datasets": {"tiny": {"name": "Other"}}},
            ("figure *", "table *"),
            id="a display name",
        ),
        pytest.param({"timing": {"rounds": 2}}, TIMED, id="how is timed"),
        pytest.param({"device": "cpu", "mirror": "/nowhere"}, (), id="where things are"),
    ],
)
def test_changed_config(project: Any, changes: dict[str, Any], stale: Sequence[str]) -> None:
    assert project.stale(changes) == matching(stale)


def test_the_users_own_file_that_was_moved_away_is_missed(project: Any) -> None:
    own = project.root / "odd.tsv"
    kept = own.rename(own.with_suffix(".kept"))
    try:
        assert project.stale() == matching(OF_SHOP)
    finally:
        kept.rename(own)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": {"odd.tsv": {"address": "hashgnn"}}}, "is no regular file"),
        ({"columns": {"rating": "star"}}, "odd.tsv: no column 'star' for rating"),
    ],
)
def test_an_unfit_file_of_the_user_is_refused_before_any_job(
    project: Any, changes: dict[str, Any], message: str
) -> None:
    ran = project.snakemake("-n", "--config", f"datasets={json.dumps({'shop': changes})}")

    assert ran.returncode == 1
    said = ran.stdout + ran.stderr
    assert "invalid configuration" in said
    assert message in said
    assert "Traceback" not in said


@pytest.mark.parametrize("address", ["~/nowhere.tsv", "$HOME/odd.tsv", "odd"])
def test_an_address_that_leads_to_no_file_is_missed(project: Any, address: str) -> None:
    files = {"files": {"odd.tsv": {"address": address}}}
    assert project.stale({"datasets": {"shop": files}}) == matching(OF_SHOP)


def test_an_edited_file_of_a_mirror_is_seen(project: Any) -> None:
    file = project.root / "mirror/shop/odd.tsv"
    file.parent.mkdir(parents=True)
    own = (project.root / "odd.tsv").read_text()
    file.write_text(own)
    assert project.stale({"mirror": "mirror"}) == set()

    file.write_text(own.replace("käufer 39\t", "käufer 40\t"))
    os.utime(file, (0, 0))
    assert project.stale({"mirror": "mirror"}) == matching(OF_SHOP)
    assert project.stale({"mirror": "elsewhere"}) == set()


def test_a_method_that_cannot_be_followed_is_refused_by_one_line(project: Any) -> None:
    edit = ("class HashSte", "TABLE = open('table.csv')\n\n\nclass HashSte")
    with project.edited("hashgnn/models/hash_ste.py", *edit):
        ran = project.snakemake("-n")
    assert ran.returncode == 1
    assert "hashgnn.models.hash_ste, line " in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


def test_a_new_seed_trains_itself_alone(project: Any) -> None:
    stale = project.stale({"grids": {"fig3": {"seeds": [0, 1]}}})

    new = {
        *(f"triplets {dataset} seed1" for dataset in ("tiny", "shop")),
        *(
            job.replace("seed0", "seed1")
            for job in matching(("train *", "evaluate *"))
            if "@" not in job
        ),
    }
    assert stale == new | {"figure fig3"}


def test_a_new_data_set_prepares_and_trains_itself_alone(project: Any) -> None:
    new = {**project_config(project)["datasets"]["tiny"], "name": "New"}
    changes = {
        "datasets": {"new": new},
        "grids": {"table2": {"datasets": ["tiny", "shop", "new"]}},
    }

    own = {
        job.replace("tiny", "new")
        for job in EVERYTHING - matching(TIMED)
        if " tiny" in job and "@" not in job
    }
    assert project.stale(changes) == own | {"table table2"}


def test_a_new_method_trains_itself_alone(project: Any) -> None:
    method = {"name": "HashGNN_nr", "module": "hashgnn.models.hashgnn"}
    changes = {
        "models": {"hashgnn_nr": {**method, "parameters": {"ranking_weight": 0.0}}},
        "grids": {"fig3": {"models": [*MODELS, "hashgnn_nr"]}},
    }

    own = {job.replace("hashgnn", "hashgnn_nr") for job in matching(("* hashgnn *",))}
    assert project.stale(changes) == own | {"figure fig3"}


def test_a_new_value_of_a_sweep_trains_itself_alone(project: Any) -> None:
    stale = project.stale({"sweeps": {"ranking_weight": {"values": [0, 0.55, 1]}}})

    assert stale == {
        *(f"{stage} tiny hashgnn@ranking_weight=1 seed0" for stage in ("train", "evaluate")),
        "figure fig5",
    }


def test_a_new_default_leaves_the_other_values_of_a_sweep_alone(project: Any) -> None:
    stale = project.stale({"models": {"hashgnn": {"parameters": {"ranking_weight": 0.25}}}})

    assert stale == {
        *matching(("train * hashgnn *", "evaluate * hashgnn *", *SWEPT)),
        *(f"{stage} tiny hashgnn@ranking_weight=0.55 seed0" for stage in ("train", "evaluate")),
    }


def test_a_lost_result_is_made_again_with_what_hangs_on_it(project: Any) -> None:
    lost = project.root / "results/shop/hash_ste/bits8/seed0/metrics.csv"
    kept = lost.rename(lost.with_suffix(".kept"))
    try:
        assert project.stale() == matching(("evaluate shop hash_ste *", *SHOWN))
    finally:
        kept.rename(lost)


def test_vectors_that_a_method_hashes_are_trained_once(project: Any) -> None:
    own = {
        f"{stage} {dataset} hashgnn_sp seed0"
        for stage in ("train", "evaluate")
        for dataset in ("tiny", "shop")
    }

    stale = project.stale({"grids": {"fig3": {"models": [*MODELS, "hashgnn_sp"]}}})
    assert stale == own | {"figure fig3"}

    more = {"models": ["lsh", "hashgnn_sp"], "datasets": ["tiny"], "seeds": [1]}
    stale = project.stale({"grids": {"fig3": more}})
    assert {job for job in stale if job.startswith("train")} == {
        f"train tiny {model} seed1" for model in ("graphsage", "hashgnn_sp", "lsh")
    }


def project_config(project: Any) -> dict[str, Any]:
    import yaml

    return yaml.safe_load(project.configfile.read_text())
