"""Kernels forked from one process that has already imported what chapters need.

Importing pandas, matplotlib and statsmodels is most of what a short chapter costs. On Linux the
build starts this module once as a process of its own, and each chapter's kernel is forked from it:
a fresh interpreter state, without the imports. Elsewhere, or if the server fails, kernels start in
the ordinary way.
"""

import json
import os
import signal
import subprocess
import sys
from threading import Lock
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

PRELOADED = (
    "ipykernel.kernelapp",
    "msct_helpers.sections_ledger",
    "msct_helpers.sections_cohort",
    "msct_helpers.sections_efficacy",
    "msct_helpers.sections_meld",
    "msct_helpers.sections_safety",
    "statsmodels.stats.proportion",
)


class Forked:
    """A forked kernel, with the part of Popen's interface that a provisioner uses."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int):
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return None while the kernel runs; the server reaps it when it ends."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            self.returncode = 0
        return self.returncode

    def wait(self) -> int | None:
        """Return the exit status of an ended kernel."""
        return self.poll()

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel."""
        os.kill(self.pid, signum)

    def kill(self) -> None:
        """End the kernel at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)


class Server:
    """The process from which kernels are forked; started at the first request."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None

    def fork(self, argv: list[str], cwd: str) -> int:
        """Return the process id of a new kernel with these arguments."""
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "msct_helpers.kernel_server"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps({"argv": argv, "cwd": cwd}) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def stop(self) -> None:
        """End the server; running kernels are left alone."""
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
                self._process.wait()
            self._process = None


SERVER = Server()


class ForkProvisioner(LocalProvisioner):
    """Starts kernels by forking them from the server."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launch a kernel with the arguments of its ordinary command."""
        try:
            pid = SERVER.fork(cmd[cmd.index("-f") :], str(kwargs.get("cwd") or os.getcwd()))
        except (OSError, ValueError):
            return await super().launch_kernel(cmd, **kwargs)
        self.process = Forked(pid)  # type: ignore[assignment]
        self.pid = self.pgid = pid
        self.cwd = kwargs.get("cwd")
        return self.connection_info


def run_kernel(argv: list[str], cwd: str) -> None:
    """Become a kernel: in a session of its own, deaf to the server's input and output."""
    os.setsid()
    os.chdir(cwd)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(argv=argv)


def serve() -> None:
    """Fork a kernel for each line of the input, and answer with its process id."""
    for name in PRELOADED:
        __import__(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            run_kernel(request["argv"], request["cwd"])
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    serve()
