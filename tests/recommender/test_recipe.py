from hashgnn.recommender.recipe import recipe


def test_a_method_without_encoder_gets_its_own_hyper_parameters_alone() -> None:
    made = recipe("als", {"alpha": 3.0}, bits=16, n_interactions=10_000)

    assert made.module == "hashgnn.models.als"
    assert set(made.parameters) == {"epochs", "alpha", "regularization"}
    assert made.parameters["alpha"] == 3
    assert {"encoder", "batch_size"} <= set(recipe("mf", {}, 16, 10_000).parameters)
