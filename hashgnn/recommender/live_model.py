"""Keep the model of a folder in memory, and replace it when the folder has a new one.

Requests take ``LiveModel.model`` once and finish with it; the model before stays mapped until the
last of them has ended, also when its files have been replaced.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from hashgnn.errors import InputError
from hashgnn.recommender.folder import INDEX, load_model
from hashgnn.recommender.trained_model import Model

State = tuple[tuple[str, int, int, int], ...]  # name, inode, size and time of each file


class LiveModel:
    """The latest model of ``folder`` that could be loaded.

    Attributes:
        model: The model that answers.
        replaced: How often a new model took the place of another.
        refused: How often a new model could not be loaded.
    """

    def __init__(self, folder: Path, log: logging.Logger, verify: bool = True) -> None:
        """Load the model; raise ``InputError`` if that fails."""
        self.folder = folder
        self.replaced = self.refused = 0
        self._log, self._verify = log, verify
        self._seen = self._tried = _state(folder)
        self.model = self._load()

    def refresh(self) -> bool:
        """Load the model again if its files differ from those of the last attempt.

        Files that changed since the last call may still be written, and wait for the next one. If a
        model cannot be loaded, one line says why and the model before stays. Returns whether the
        model was replaced.
        """
        before, self._seen = self._seen, _state(self.folder)
        if self._seen == self._tried or self._seen != before:
            return False
        self._tried = self._seen
        try:
            self.model = self._load()
        except (InputError, OSError) as error:
            self.refused += 1
            reason = " ".join(str(error).split())
            self._log.error("%s; the model before is still served", reason)
            return False
        self.replaced += 1
        self.announce()
        return True

    def announce(self) -> None:
        """Log the folder and the size of the model."""
        users, items = len(self.model.user_ids), len(self.model.item_ids)
        self._log.info("serving %s: %s users, %s items", self.folder, f"{users:,}", f"{items:,}")

    def watch(self, seconds: float, ended: threading.Event) -> None:
        """Call ``refresh`` every ``seconds`` until ``ended`` is set."""
        while not ended.wait(seconds):
            _guarded(self.refresh, self._log)

    def _load(self) -> Model:
        model = load_model(self.folder, self._verify)
        first = model.user_ids.text[0]
        # Compiled kernels are read, and tables of ids are made, before the first request.
        search = "continuous" if model.items.codes is None else "hierarchical"
        search = "hamming" if model.items.vectors is None else search
        model.recommend([first], 1, search=search, filter_items=[model.item_ids.text[0]])
        return model


def _state(folder: Path) -> State:
    """Return what tells the files of a model from others of the same names."""
    found = []
    for part in (folder, folder / INDEX):
        try:
            for path in sorted(part.iterdir()):
                if path.is_file() and not path.name.startswith("."):
                    stat = path.stat()
                    found.append((path.name, stat.st_ino, stat.st_size, stat.st_mtime_ns))
        except OSError:  # being replaced, or gone
            continue
    return tuple(found)


def _guarded(call: Callable[[], object], log: logging.Logger) -> None:
    try:
        call()
    except Exception:  # of a defect; the thread must go on
        log.exception("the folder of the model could not be looked at")
