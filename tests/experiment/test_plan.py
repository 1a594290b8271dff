"""What the rules of the workflow ask for: files, settings and code entries of small configs."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hashgnn.errors import InputError
from hashgnn.experiment.plan import Plan
from hashgnn.experiment.runs import derived_models
from hashgnn.stage.record import job_digest

FIGURES = {name: f"figures:{name}" for name in ("fig3", "fig4", "fig5")}
TABLES = {name: f"tables:{name}" for name in ("table1", "table2", "table4", "methods")}
ONE = {"bits": [8], "seeds": [0]}

GRIDS: dict[str, Any] = {
    "fig3": {"datasets": ["a", "b"], "models": ["m", "hash"], **ONE},
    "fig4": {"datasets": ["a"], "models": ["m"], "bits": [8], "seeds": [0, 1]},
    "fig5": {"datasets": ["a"], "sweeps": ["weight"], **ONE},
    "table1": {"datasets": ["a", "b"]},
    "table2": {"datasets": ["a", "b"], "models": ["m", "hash"], **ONE},
    "table4": {"datasets": ["a"], "models": ["m"], **ONE},
    "methods": {"datasets": ["a"], "models": ["m"], "bits": [16], "seeds": [0]},
}


SPACE = {"weight": {"low": 0.0, "high": 1.0, "log": False}}


def entry(name: str, **more: Any) -> dict[str, Any]:
    made = {"name": name, "module": f"hashgnn.models.{name.lower()}", "continuous": False}
    return {**made, "color": f"#{name}", "marker": "o", **more}


def config(grids: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A resolved config; ``more`` replaces its sections."""
    made: dict[str, Any] = {
        "datasets": {
            "a": {
                "name": "A",
                "in_paper": True,
                "reader": "table",
                "files": {"a.tsv": {"address": "https://x.org/a.tsv", "checksum": "md5:0"}},
                "columns": {"user": 0, "item": 1},
                "filter": {"rating_at_least": 2},
                "split": {"by": "random", "validation": 0.1, "test": 0.3, "per_user": None},
                "training": {"rate": 0.1},
                "citation": "not used by any job",
            },
            "b": {
                "name": "B",
                "stands_in_for": "C",
                "reader": "synthetic",
                "generator": {"users": 3, "items": 2, "interactions": 4},
                "split": {"by": "time", "validation": 0.2, "test": 0.4},
                "negative_rounds": 1,
            },
        },
        "triplets": {"per_interaction": 10, "rounds": 2},
        "training": {"rate": 0.2, "encoder": "hashgnn.models.encoders.mean"},
        "models": {
            "m": entry("M", parameters={"weight": 0.5}, place="HashGNN"),
            "own": entry("Own", continuous=True, negatives=4),
            "hash": entry("Hash", shared_training=False, pretrained="own"),
        },
        "sweeps": {"weight": {"name": "w", "model": "m", "vary": ["weight"], "values": [0, 0.5]}},
        "tuning": {
            **{"datasets": ["a"], "seed": 3, "bits": 16, "trials": 2, "seconds": 9},
            **{"reduction": 2, "least_epochs": 4, "spaces": {"m": SPACE}},
        },
        "evaluation": {"cutoffs": [50, 100], "candidates": 500, "validation_cutoff": 20},
        "timing": {"rounds": 5},
        "checks": {"baselines": "fail"},
        "mirror": None,
        "mirror_checksums": "check",
        "grids": GRIDS if grids is None else grids,
        **more,
    }
    models = {**made["models"], **derived_models(made)}
    return {**made, "models": models}


def plan(grids: Mapping[str, Any] | None = None, **more: Any) -> Plan:
    return Plan(config(grids, **more), Path("/base"), FIGURES, TABLES, ["table2", "fig7"])


def run(dataset: str, model: str, file: str, bits: int = 8, seed: int = 0) -> str:
    return f"results/{dataset}/{model}/bits{bits}/seed{seed}/{file}"


def job(dataset: str = "a", model: str = "m", **more: str) -> dict[str, str]:
    """The wildcards of a training."""
    return {"dataset": dataset, "model": model, "bits": "8", "seed": "0", **more}


def test_targets_of_one_grid() -> None:
    found = plan({"fig4": GRIDS["fig4"]}).targets()

    vectors = ("user_codes.npy", "user_vectors.npy")
    files = ("item_codes.npy", "item_vectors.npy", "metrics.csv", *vectors)
    assert found == [
        "figures/fig4.pdf",
        "figures/fig4.svg",
        *(run("a", "m", file, seed=seed) for seed in (0, 1) for file in files),
        "results/explore.html",
        "results/summary.rst",
        "results/checks.csv",
        "results/checks.md",
        "results/a/provenance.csv",
        "results/a/provenance.md",
    ]


@pytest.mark.parametrize(
    ("grids", "expected"),
    [
        ({}, []),
        (
            {"table1": GRIDS["table1"]},
            ["results/table1.csv", "results/table1.md", "results/table1.tex"],
        ),
    ],
)
def test_targets_without_trainings(grids: dict[str, Any], expected: list[str]) -> None:
    assert plan(grids).targets() == expected


def test_a_sweep_alone_is_checked_but_has_no_page() -> None:
    only = plan({"fig5": GRIDS["fig5"]})

    assert only.pages() == []
    assert "results/checks.csv" in only.verdicts()


def test_claims_are_assessed_where_one_of_their_results_has_a_grid() -> None:
    assert plan().claims_inputs() == ["results/table2.csv"]
    assert "results/claims.md" in plan().verdicts()
    assert "results/claims.md" not in plan({"fig3": GRIDS["fig3"]}).verdicts()


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ("fig3", [run(d, m, "metrics.csv") for d in "ab" for m in ("m", "hash")]),
        ("fig4", [run("a", "m", "history.csv", seed=seed) for seed in (0, 1)]),
        ("fig5", [run("a", m, "metrics.csv") for m in ("m@weight=0", "m")]),
    ],
)
def test_figures_are_drawn_from(figure: str, expected: list[str]) -> None:
    assert plan().figure_inputs({"figure": figure}) == expected


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("table1", [f"results/{dataset}/prepare.provenance.json" for dataset in "ab"]),
        (
            "table2",
            [
                run(dataset, model, file)
                for file in ("metrics.csv", "per_user.npz")
                for dataset in "ab"
                for model in ("m", "hash")
            ],
        ),
        ("table4", [run("a", "m", "timing.csv")]),
        ("methods", [run("a", "m", "metrics.csv", bits=16)]),
    ],
)
def test_tables_are_made_of(table: str, expected: list[str]) -> None:
    assert plan().table_inputs({"table": table}) == expected


def test_the_table_of_quantizers_has_their_bytes() -> None:
    grid = {"quantization": {"datasets": ["a"], "models": ["own", "hash"], **ONE}}
    asked = plan(grid)

    assert asked.table_inputs({"table": "quantization"}) == [
        run("a", model, file)
        for file in ("metrics.csv", "item_vectors.npy")
        for model in ("own", "hash")
    ]
    found = json.loads(asked.settings.table({"table": "quantization"}))
    assert found["quantized"] == {"hash": ["own", {}]}
    assert found["continuous"] == ["own"]


def test_the_figure_beside_published_results_has_what_the_table_has() -> None:
    grid = {"datasets": ["a", "b"], "models": ["m", "own"], **ONE, "bits_of": {"m": [8, 16]}}
    reported = [{"method": "theirs", "recall": 0.5}]
    datasets = config()["datasets"]
    datasets["a"]["published"] = reported
    evaluation = {"cutoffs": [20], "candidates": 500}
    asked = plan({"fig10": grid, "published": grid}, datasets=datasets, evaluation=evaluation)

    inputs = asked.figure_inputs({"figure": "fig10"})
    assert inputs == asked.table_inputs({"table": "published"})
    assert inputs[:3] == [
        *(run("a", "m", "metrics.csv", bits=bits) for bits in (8, 16)),
        run("a", "own", "metrics.csv"),
    ]
    for settings in (
        asked.settings.figure({"figure": "fig10"}),
        asked.settings.table({"table": "published"}),
    ):
        assert json.loads(settings)["published"] == {"a": reported, "b": []}


def test_the_verdict_on_quantizers_is_chosen_on_validation() -> None:
    grid = {"quantization_verdict": {"datasets": ["a"], "models": ["own", "hash"], **ONE}}

    assert plan(grid).table_inputs({"table": "quantization_verdict"}) == [
        run("a", model, file)
        for file in ("validation/metrics.csv", "per_user.npz", "item_vectors.npy")
        for model in ("own", "hash")
    ]
    with pytest.raises(InputError, match=r"training\.refit: true: quantization_verdict"):
        plan(grid, training={"refit": True}).table_inputs({"table": "quantization_verdict"})


def test_queries_are_timed_as_the_models_items_are_searched() -> None:
    grid = {"fig9": {"datasets": ["a"], "models": ["m", "hash"], "items": 77, **ONE}}
    asked = plan(
        grid,
        models={
            "m": entry("M"),
            "own": entry("Own", continuous=True),
            "pq": entry("PQ", continuous=True, pretrained="own", parameters={"quantizer": "pq"}),
            "itq": entry("ITQ", pretrained="own", parameters={"quantizer": "itq"}),
        },
        tuning={"datasets": [], "spaces": {}},
        sweeps={},
    )

    found = {
        model: json.loads(asked.settings.query_times(job(model=model)))
        for model in ("m", "own", "pq", "itq")
    }
    assert {model: made["has_codes"] for model, made in found.items()} == {
        **{"m": True, "own": False, "pq": False, "itq": True}
    }
    assert found["pq"]["compressed"] == {"quantizer": "pq"}
    assert all("compressed" not in found[model] for model in ("m", "own", "itq"))
    assert found["m"]["items"] == 77
    assert found["m"]["timing"] == {"rounds": 5, "candidates": 500}


def test_results_that_lack_a_cutoff_are_refused_when_they_are_asked_for() -> None:
    lacking = plan(evaluation={"cutoffs": [20], "candidates": 500})

    for inputs, wildcards in (
        (lacking.figure_inputs, {"figure": "fig5"}),
        (lacking.table_inputs, {"table": "table2"}),
    ):
        with pytest.raises(InputError, match=r"evaluation\.cutoffs: .* got 20; add 50"):
            inputs(wildcards)
    assert lacking.figure_inputs({"figure": "fig3"})


def test_a_refit_is_a_setting_of_trainings_where_it_is_wanted() -> None:
    run = {"dataset": "a", "model": "m", "bits": "8", "seed": "0"}
    training = config()["training"]
    refitted = plan(training={**training, "refit": True})
    settings = json.loads(refitted.settings.train(run))

    assert settings["refit"] is True
    assert "refit" not in settings["parameters"]
    assert plan(training={**training, "refit": False}).settings.train(run) == (
        plan().settings.train(run)
    )
    assert refitted.settings.tune(run) == plan().settings.tune(run)


def test_a_validation_file_is_no_setting_of_a_training() -> None:
    split = {"by": "file", "test": "test.txt", "validation": "valid.txt"}
    datasets = config()["datasets"]
    found = plan(datasets={**datasets, "a": {**datasets["a"], "split": split}})
    run = {"dataset": "a", "model": "m", "bits": "8", "seed": "0"}

    assert "validation" not in json.loads(found.settings.train(run))


@pytest.mark.parametrize(
    ("model", "triplets", "pretrained"),
    [
        ("m", ["results/a/triplets10/seed0.npy"], []),
        ("own", ["results/a/triplets4/seed0.npy"], []),
        ("hash", [], [run("a", "own", f"{side}_vectors.npy") for side in ("user", "item")]),
    ],
)
def test_trainings_read(model: str, triplets: list[str], pretrained: list[str]) -> None:
    assert plan().triplets(job(model=model)) == triplets
    assert plan().pretrained(job(model=model)) == pretrained


def test_tables_of_features_are_downloaded_and_read_by_graph_methods() -> None:
    item = {"file": "m.csv", "id": "sku", "address": "m.csv"}
    datasets = config()["datasets"]
    found = plan(datasets={**datasets, "a": {**datasets["a"], "features": {"item": item}}})

    assert found.raw_files(job()) == ["results/a/download/a.tsv"]
    assert found.raw_names() == {"a.tsv", "m.csv"}
    assert found.feature_files(job()) == ["results/a/download/m.csv"]
    assert found.features(job()) == ["results/a/features.npz"]
    assert found.features(job(model="hash")) == found.features(job("b")) == []
    assert json.loads(found.settings.features(job())) == {"item": {"id": "sku"}}
    assert found.settings.prepare(job()) == plan().settings.prepare(job())
    assert "results/a/features.provenance.json" in found.records(job())


def test_raw_files() -> None:
    assert plan().raw_files({"dataset": "a"}) == ["results/a/download/a.tsv"]
    assert plan().raw_files({"dataset": "b"}) == []
    assert plan().raw_names() == {"a.tsv"}


def test_checks_read_every_evaluated_training_and_pages_the_compared_ones() -> None:
    made = plan()
    trained = [*(run(d, m, "metrics.csv") for d in "ab" for m in ("m", "hash"))]
    more = [run("a", "m", "metrics.csv", seed=1), run("a", "m@weight=0", "metrics.csv")]
    last = run("a", "m", "metrics.csv", bits=16)

    assert made.evaluated() == [*trained, *more, last]
    assert made.explored() == [*trained, more[0], last]
    assert made.checked() == [
        path.replace("metrics.csv", "checks.csv") for path in made.evaluated()
    ]
    assert made.compared_tables() == ["results/table2.csv"]


STUDY = "results/a/m/study"


def test_a_tuned_training_reads_what_the_study_of_its_model_chose() -> None:
    made = plan(settings="tuned")

    for model in ("m", "m@weight=0"):
        assert made.tuned(job(model=model)) == [f"{STUDY}/tuned.yaml"]
    for other in (job(model="own"), job("b")):
        assert made.tuned(other) == []
    assert plan().tuned(job()) == []
    assert json.loads(made.settings.train(job(model="m@weight=0")))["varied"] == ["weight"]
    assert json.loads(made.settings.train(job()))["varied"] == []
    for untuned in (made.settings.train(job("b")), plan().settings.train(job())):
        assert "varied" not in json.loads(untuned)


def test_a_study_trains_with_its_bits_and_seed() -> None:
    made = plan()
    study = {"dataset": "a", "model": "m"}

    assert made.studies() == [f"{STUDY}/trials.csv"]
    assert made.study_plots() == ["figures/studies/a.m.svg"]
    assert made.study_triplets(study) == ["results/a/triplets10/seed3.npy"]
    assert made.study_pretrained(study) == []
    assert made.study_pretrained({"dataset": "a", "model": "hash"}) == [
        run("a", "own", f"{side}_vectors.npy", 16, 3) for side in ("user", "item")
    ]
    trained = json.loads(made.settings.train({**study, "bits": "16", "seed": "3"}))
    del trained["validation"]
    assert json.loads(made.settings.tune(study)) == {
        **trained,
        **{"dataset": "a", "space": SPACE},
        **{"trials": 2, "seconds": 9, "reduction": 2, "least_epochs": 4},
    }
    assert made.study_code(study) == ["hashgnn.experiment.study", *made.train_code(study)]


M = {"dataset": "a", "model": "m", "bits": 8, "seed": 0}
VALIDATED = {"validation_cutoff": 20, "candidates": 500}
NAMES = {"datasets": [["a", "A"], ["b", "B (stand-in for C)"]]}


@pytest.mark.parametrize(
    ("rule", "wildcards", "expected"),
    [
        (
            "download",
            {"dataset": "a", "file": "a.tsv"},
            {
                **{"dataset": "a", "name": "a", "file": "a.tsv"},
                **{"address": "https://x.org/a.tsv", "checksum": "md5:0"},
            },
        ),
        (
            "prepare",
            {"dataset": "a"},
            {
                **{"dataset": "a", "reader": "table", "columns": {"user": 0, "item": 1}},
                "filter": {"rating_at_least": 2},
            },
        ),
        ("split", {"dataset": "a"}, {"by": "random", "validation": 0.1, "test": 0.3}),
        ("split", {"dataset": "b"}, {"by": "time", "validation": 0.2, "test": 0.4}),
        (
            "triplets",
            {"dataset": "a", "negatives": "4", "seed": "7"},
            {"per_interaction": 4, "rounds": 2, "seed": 7},
        ),
        (
            "triplets",
            {"dataset": "b", "negatives": "4", "seed": "7"},
            {"per_interaction": 4, "rounds": 1, "seed": 7},
        ),
        (
            "train",
            job(),
            {
                **{**M, "method": "hashgnn.models.m", "validation": 0.1, "negatives": 10},
                **VALIDATED,
                "parameters": {
                    **{"rate": 0.1, "encoder": "hashgnn.models.encoders.mean", "weight": 0.5}
                },
            },
        ),
        (
            "train",
            job("b", "hash"),
            {
                **{**M, "dataset": "b", "model": "hash", "method": "hashgnn.models.hash"},
                **{"validation": 0.2, "negatives": None, "parameters": {}, **VALIDATED},
            },
        ),
        (
            "evaluate",
            job(part=""),
            {**M, "evaluation": {"cutoffs": [50, 100], "candidates": 500}},
        ),
        (
            "evaluate",
            job(part="validation/"),
            {
                **{**M, "part": "validation"},
                "evaluation": {"cutoffs": [50, 100], "candidates": 500},
            },
        ),
        (
            "figure",
            {"figure": "fig3"},
            {
                **NAMES,
                "models": [["m", "M"], ["hash", "Hash"]],
                "continuous": [],
                "looks": {"m": ["#M", "o"], "hash": ["#Hash", "o"]},
                "sweeps": [],
            },
        ),
        (
            "figure",
            {"figure": "fig4"},
            {
                "datasets": [["a", "A"]],
                "models": [["m", "M"]],
                "continuous": [],
                "looks": {"m": ["#M", "o"]},
                "sweeps": [],
                "runs": [["a", "m", 8, 0], ["a", "m", 8, 1]],
            },
        ),
        (
            "figure",
            {"figure": "fig5"},
            {
                "datasets": [["a", "A"]],
                "models": [],
                "continuous": [],
                "looks": {"m": ["#M", "o"]},
                "sweeps": [
                    {
                        **{"id": "weight", "name": "w", "model": "m", "model_name": "M"},
                        "points": [[0, "a", "m@weight=0", 8], [0.5, "a", "m", 8]],
                    }
                ],
            },
        ),
        ("table", {"table": "table1"}, NAMES),
        (
            "table",
            {"table": "table2"},
            {
                **NAMES,
                "models": [["m", "M"], ["hash", "Hash"]],
                "continuous": [],
                "runs": [[d, m, 8, 0] for d in "ab" for m in ("m", "hash")],
                "places": {"m": "HashGNN"},
                "in_paper": ["a"],
            },
        ),
        (
            "table",
            {"table": "table4"},
            {
                "datasets": [["a", "A"]],
                "models": [["m", "M"]],
                "continuous": [],
                "runs": [["a", "m", 8, 0]],
                "in_paper": ["a"],
            },
        ),
        (
            "table",
            {"table": "methods"},
            {
                "datasets": [["a", "A"]],
                "models": [["m", "M"]],
                "continuous": [],
                "runs": [["a", "m", 16, 0]],
            },
        ),
    ],
)
def test_settings_of_a_job(rule: str, wildcards: dict[str, str], expected: Any) -> None:
    text = getattr(plan().settings, rule)(wildcards)

    found = json.loads(text)
    if rule == "train":
        assert found.pop("model") == wildcards["model"]
        expected = {k: v for k, v in expected.items() if k not in ("dataset", "model")}
    assert found == expected
    assert text == json.dumps(json.loads(text), sort_keys=True)


def test_settings_of_rules_without_wildcards(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("x")
    settings = plan().settings

    page = json.loads(settings.explore(tmp_path / "page.html"))
    assert page.pop("template").startswith("sha256:2d711642b726b044")
    assert page == {
        **NAMES,
        "models": [["m", "M"], ["hash", "Hash"]],
        "continuous": ["own"],
        "looks": {"m": ["#M", "o"], "hash": ["#Hash", "o"]},
    }
    assert json.loads(settings.tuning()) == {
        **{"studies": [["a", "m"]], "trials": 2, "seconds": 9},
        "names": {"a": "A", "m": "M"},
    }
    assert json.loads(settings.study({"dataset": "a", "model": "m"})) == {
        "names": ["A", "M"],
        "looks": {"m": ["#M", "o"]},
    }
    assert json.loads(settings.claims()) == {
        "places": {"m": "HashGNN"},
        "datasets": {"a": "A", "b": "B (stand-in for C)"},
        "roles": {"b": "C"},
    }
    assert json.loads(settings.checks()) == {"baselines": "fail", "floors": []}


@pytest.mark.parametrize(
    ("method", "wildcards", "expected"),
    [
        (
            "prepare_code",
            {"dataset": "a"},
            ["hashgnn.data.prepare", "hashgnn.data.readers:read_table"],
        ),
        (
            "train_code",
            job(),
            [
                *("hashgnn.training.train", "hashgnn.training.loop"),
                *("hashgnn.models.m", "hashgnn.models.encoders.mean"),
            ],
        ),
        ("train_code", job(model="hash"), ["hashgnn.training.train", "hashgnn.models.hash"]),
        ("figure_code", {"figure": "fig3"}, ["hashgnn.reporting.entries:main", "figures:fig3"]),
        ("table_code", {"table": "table2"}, ["hashgnn.reporting.entries:main", "tables:table2"]),
    ],
)
def test_code_of_a_job(method: str, wildcards: dict[str, str], expected: Any) -> None:
    assert getattr(plan(), method)(wildcards) == expected


@pytest.mark.parametrize("key", ["color", "marker", "place"])
def test_display_keys_are_in_no_settings_of_a_stage(key: str) -> None:
    other = config()
    other["models"]["m"] = {**other["models"]["m"], key: "x"}
    changed = Plan(other, Path("/base"), FIGURES, TABLES, []).settings
    settings = plan().settings

    for rule in ("train", "timing"):
        assert getattr(changed, rule)(job()) == getattr(settings, rule)(job())
    assert changed.evaluate(job(part="")) == settings.evaluate(job(part=""))
    table = {"table": "table2"}
    assert (changed.table(table) != settings.table(table)) == (key == "place")
    figure = {"figure": "fig3"}
    assert (changed.figure(figure) != settings.figure(figure)) == (key != "place")


def test_the_plan_imports_neither_snakemake_nor_torch() -> None:
    check = (
        "import sys, hashgnn.experiment.plan; "
        "sys.exit(bool({'snakemake', 'torch', 'matplotlib'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_each_recorded_result_has_a_digest_of_code_and_settings() -> None:
    grids = {"fig4": {**GRIDS["fig4"], "seeds": [0]}, "table4": {**GRIDS["table4"], "seeds": [0]}}
    made = plan(grids)

    def code(*entries: str) -> str:
        return f"digest {' '.join(entries)}"

    planned = made.planned(job(), code)

    assert made.records(job()) == list(planned)
    training = run("a", "m", "train.provenance.json")
    settings = json.loads(made.settings.train(job()))
    entries = made.train_code(job())
    assert planned[training] == job_digest(code(*entries), settings)
    assert planned[training] != job_digest(code(*entries), {**settings, "seed": 1})
    assert {path.rpartition("/")[2].partition(".")[0] for path in planned} == {
        *("prepare", "split", "seed0", "train", "evaluate", "timing"),
    }
