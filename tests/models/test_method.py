from hashgnn.models.method import EpochParameters
from hashgnn.models.puresvd import Parameters
from hashgnn.search.validation import MAX_BITS


def test_vectors_have_at_most_as_many_dimensions_as_a_code_may_have_bits() -> None:
    for kind in (EpochParameters, Parameters):
        assert kind.model_json_schema()["properties"]["dimensions"]["anyOf"][0] == {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_BITS,
        }
