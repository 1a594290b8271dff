from hashgnn.errors import InputError as InputError
from hashgnn.recommender.estimator import HashGNN as HashGNN
