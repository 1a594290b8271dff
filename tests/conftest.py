"""One thread for every test, as jobs have: on a busy machine several wait for each other in turns,
and tests of seconds take minutes. What depends on their number sets it itself."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
