"""The ``hashgnn`` command: its group of subcommands, exit status and error messages.

Subcommands import what they need when they run, so that help and completion are quick.
"""

import functools
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from hashgnn.cli.evaluate_model import evaluate
from hashgnn.cli.quantize import quantize
from hashgnn.cli.recommend import recommend, similar
from hashgnn.cli.run_status import status
from hashgnn.cli.saved_model import export, info, serve
from hashgnn.cli.streams import drop_unwritten, use_utf8
from hashgnn.cli.train_model import train, update
from hashgnn.errors import InputError, not_installed
from hashgnn.stage.command import exit_status, interruptible

# The optional dependencies of subcommands that need other ones than train.
_EXTRAS = {"quantize": "workflow", "serve": "serve", "status": "workflow"}


class _Group(click.Group):
    def main(self, *args: Any, **extra: Any) -> Any:
        use_utf8()
        try:
            return super().main(*args, **extra)
        except InputError as error:
            message, status = str(error), 2
        except OSError as error:  # click itself handles a closed pipe
            where = f"{error.filename}: " if error.filename else ""
            message, status = f"{where}{error.strerror or error}", 1
        with suppress(OSError):  # stderr may be closed, too; the exit status remains
            for line in message.splitlines():
                click.echo(f"error: {line}", err=True)  # the format of the workflow's stages
        drop_unwritten()
        sys.exit(status)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with interruptible():
                return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise not_installed(error, _EXTRAS.get(str(ctx.invoked_subcommand), "train")) from error
        except KeyboardInterrupt as error:
            resumes = ctx.invoked_subcommand == train.name
            rest = "; a training resumes from its last checkpoint, if any" if resumes else ""
            click.echo(f"error: interrupted: run the same command again{rest}", err=True)
            ctx.exit(exit_status(error))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hashgnn")
def main() -> None:
    """Learn binary codes of users and items, and recommend items with them.

    \b
    hashgnn train clicks.csv --output model
    hashgnn update model today.csv
    hashgnn evaluate clicks.csv --time ts --test-days 7
    hashgnn recommend model --user anna --number 5
    hashgnn similar model items --id 42
    hashgnn export model --output exported --format faiss
    hashgnn serve model --port 8000
    hashgnn info model
    hashgnn quantize items.npy --users users.npy
    hashgnn status --watch

    recommend, similar, export, serve and info also accept a result folder of the workflow,
    results/DATASET/MODEL/bitsK/seedS.

    Tab completion: eval "$(_HASHGNN_COMPLETE=bash_source hashgnn)", or zsh_source, fish_source.

    Output is UTF-8. Exit status: 0 on success, 2 after bad input or usage, 1 if a file cannot be
    read or written, 130 after Ctrl-C, 143 after SIGTERM. Errors are printed to standard error, one
    line each.
    """


def _announcing(command: click.Command) -> click.Command:
    """Let ``command`` say so when it compiles kernels."""
    run: Callable[..., Any] = command.callback or (lambda: None)

    @functools.wraps(run)
    def announced(*args: Any, **options: Any) -> Any:
        from hashgnn.kernels import announce_compilation

        announce_compilation()
        return run(*args, **options)

    command.callback = announced
    return command


for _command in (train, update, evaluate, recommend, similar, export, serve, quantize):
    main.add_command(_announcing(_command))
for _command in (info, status):
    main.add_command(_command)
