"""What is raised for a signal, wherever it arrives."""

import signal
import threading

import pytest

from hashgnn.stage.interruption import Terminated, exit_status, interruptible


@pytest.mark.parametrize(("cause", "status"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_a_signal_within_a_compiled_kernel_is_still_an_interruption(
    cause: KeyboardInterrupt, status: int
) -> None:
    """numba: "SystemError: CPUDispatcher(...) returned a result with an exception set"."""
    inner, outer = SystemError("in a kernel"), SystemError("around it")
    inner.__cause__, outer.__cause__ = cause, inner

    with pytest.raises(KeyboardInterrupt) as caught, interruptible():
        raise outer

    assert caught.value is cause
    assert exit_status(cause) == status


def test_another_system_error_stays_what_it_is() -> None:
    with pytest.raises(SystemError, match="of its own"), interruptible():
        raise SystemError("of its own")


def test_another_thread_handles_no_signals() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with interruptible():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [before]
