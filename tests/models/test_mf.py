from hashgnn.models import mf
from tests.training.planted import BITS, N_USERS, check_vectors, train


def test_vectors_find_the_planted_groups() -> None:
    check_vectors(mf, scale=1, epochs=20)


def test_it_has_no_layers_whatever_the_configuration_says() -> None:
    plain, layered = (train(mf, scale=1, epochs=1, layers=layers) for layers in (0, 2))

    assert plain.user_vectors.shape == (N_USERS, BITS)
    assert plain.user_vectors.tobytes() == layered.user_vectors.tobytes()
