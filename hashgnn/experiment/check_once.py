"""The check of hyper-parameters, once for each config and state of the code."""

import hashlib
import json
from importlib import import_module
from pathlib import Path

from hashgnn.config.methods import Config

CHECK = "hashgnn.experiment.hyper_parameters"


def check_once(config: Config, code: str, folder: Path) -> None:
    """Check the hyper-parameters of all methods unless they were found good before.

    The check imports torch, which takes seconds: an empty file in ``folder`` remembers each config
    that was good with the ``code`` of the check and the methods, a digest. Raises ``InputError``.
    """
    used = {key: config.get(key) for key in ("training", "models", "sweeps", "tuning")}
    of_data_sets = {name: entry.get("training") for name, entry in config["datasets"].items()}
    text = json.dumps([used, of_data_sets, code], sort_keys=True, default=repr)
    good = folder / hashlib.sha256(text.encode()).hexdigest()
    if not good.exists():
        import_module(CHECK).check_hyper_parameters(config)
        folder.mkdir(parents=True, exist_ok=True)
        good.touch()
