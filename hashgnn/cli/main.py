"""The command and how it fails: 0; 2 after one line about bad input or usage; 1 after one about
a file that the system refuses. Commands import what they need when they run: help is quick.
"""

import sys
from contextlib import suppress
from typing import Any

import click

from hashgnn.cli.export import export
from hashgnn.cli.info import info
from hashgnn.cli.recommend import recommend
from hashgnn.cli.streams import drop_unwritten, speak_utf8
from hashgnn.cli.train import train
from hashgnn.errors import InputError
from hashgnn.stage.interruption import exit_status, interruptible


class _Group(click.Group):
    def main(self, *args: Any, **extra: Any) -> Any:
        speak_utf8()
        try:
            return super().main(*args, **extra)
        except InputError as error:
            message, status = str(error), 2
        except OSError as error:  # a closed pipe is none: click ends without a word
            where = f"{error.filename}: " if error.filename else ""
            message, status = f"{where}{error.strerror or error}", 1
        with suppress(OSError):  # the status tells where nobody can be told more
            click.echo(f"error: {message}", err=True)  # as the stages of the workflow print it
        drop_unwritten()
        sys.exit(status)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with interruptible():
                return super().invoke(ctx)
        except KeyboardInterrupt as error:
            resumed = ctx.invoked_subcommand == train.name
            rest = "; a training goes on from its last saved state, if any" if resumed else ""
            click.echo(f"error: interrupted: give the same command again{rest}", err=True)
            ctx.exit(exit_status(error))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hashgnn")
def main() -> None:
    """Short binary codes for users and items, learned from their interactions.

    \b
    hashgnn train clicks.csv --output model
    hashgnn recommend model --user anna --number 5
    hashgnn export model --output exported --format faiss
    hashgnn info model

    recommend, export and info also take a result folder of the workflow,
    results/DATASET/MODEL/bitsK/seedS.

    Tab completion: eval "$(_HASHGNN_COMPLETE=bash_source hashgnn)", or zsh_source, fish_source.

    What is written is UTF-8. Exit status: 0; 2 after bad input or usage, 1 where the system refuses
    a file, each with one line that says what to do; 130 after Ctrl-C and 143 after SIGTERM,
    likewise.
    """


for _command in (train, recommend, export, info):
    main.add_command(_command)
