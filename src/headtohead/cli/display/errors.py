"""Messages of a command that stops early: one line, settings named as command-line options."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

__all__ = ["error_line", "os_error_line", "stop_line", "unforeseen_line"]

# Commands that go on where they were when they are given again.
_RESUMABLE = ("compare", "best", "reproduce", "demo")
_REASONS = {
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "no space is left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "permission is denied",
    errno.EPERM: "the operation is not permitted",
    errno.EEXIST: "a file of that name is in the way",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: "it is a folder, not a file",
    errno.ENOENT: "it does not exist",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EMFILE: "too many files are open",
    errno.EIO: "the device reports an input/output error",
}


def error_line(message: str) -> str:
    """Return an explained error as one line, settings named as options ("--label-from", not "label_from").

    >>> error_line("positive='x' has no effect; leave it out,\\n or merge with map_labels.")
    "--positive 'x' has no effect; leave it out, or merge with --map-labels."
    """
    return _as_options(" ".join(message.split()))


def os_error_line(error: OSError) -> str:
    """Return why a file could not be written or read, and what to do, in one line."""
    from headtohead.core.cache_home import cache_home

    name = "" if error.filename is None else str(error.filename)
    reason = _REASONS.get(error.errno or 0, (error.strerror or str(error) or "unknown reason").lower())
    what = f"Cannot use {name}" if name else "A file cannot be written or read"
    hint = "Choose another --out."
    if error.errno == errno.ENOENT:
        hint = "Check the path."
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "Make room, then give the same command again; or choose another --out."
    if name and name.startswith(str(cache_home())):
        hint = "It lies in the cache; set HEADTOHEAD_HOME to a folder that can be written."
    return f"{what}: {reason}. {hint}"


def unforeseen_line(error: BaseException, words: Sequence[str]) -> str:
    """Return one line for an error that nothing explained: its kind, what the command was given, and what to do.

    Args:
        error: of any kind.
        words: of the command line.
    """
    inputs = ", ".join(repr(word[:120]) for word in words[1:] if not word.startswith("-")) or "no input"
    if isinstance(error, MemoryError):
        told = "the memory is used up"
    elif isinstance(error, RecursionError):
        told = "something is nested too deep"
    else:
        told = f"{type(error).__name__}: {' '.join(str(error).split())[:200] or 'without a message'}"
    return (
        f"{words[0] if words else 'The command'} stopped on {inputs}: {told}. That is not foreseen: the input may be "
        "damaged. --debug shows where it happened; please report it."
    )


def stop_line(words: Sequence[str]) -> str:
    """Return the message after Ctrl-C, with how to continue.

    Args:
        words: of the command line.
    """
    command = next((word for word in words if not word.startswith("-")), "")
    if command in _RESUMABLE:
        return "Stopped. Finished parts are kept: give the same command again to go on where it was."
    return "Stopped before it was finished; give the same command again to start over."


def _as_options(text: str) -> str:
    """Replace the names of settings, as Python writes them, by options of the command line."""
    options = _options_by_name()
    # a name may begin with another one
    names = "|".join(sorted(map(re.escape, options), key=len, reverse=True))
    idle = re.match(rf"^((?:(?:{names})(?:, )?)+)(?= would have no effect)", text)
    if idle:
        flags = ", ".join(options[name] for name in idle[1].split(", "))
        text = flags + text[idle.end() :]
    if "another configuration (" in text:
        text = re.sub(rf"(?:data_options\.|train\.)({names})(?=:)", lambda m: options[m[1]], text)
        text = re.sub(rf"(?<=[(;])( ?)({names})(?=: )", lambda m: f"{m[1]}{options[m[2]]}", text)
    text = re.sub(rf"(?<![\w.-])({names})=(?=\S)", lambda m: f"{options[m[1]]} ", text)
    text = re.sub(rf"(?<![\w.-])({names})=(?=$|\s)", lambda m: options[m[1]], text)
    # A name of one word is a word of the language too.
    wordy = "|".join(re.escape(name) for name in options if "_" in name)
    return re.sub(rf"(?<![\w.-])({wordy})(?![\w=])", lambda m: options[m[1]], text)


def _options_by_name() -> dict[str, str]:
    """Return setting -> the option that states it."""
    from headtohead.cli.config_options import FLAGS, TRAINING
    from headtohead.core import config
    from headtohead.core.config import TrainConfig

    found = {}
    for record in (config.DataConfig, config.StudyConfig, config.SearchConfig, config.ReproductionConfig):
        for name in record.model_fields:
            found[name] = FLAGS.get(name) or f"--{name.replace('_', '-')}"
    for name in TrainConfig.model_fields:
        stated = name in TRAINING
        found[name] = FLAGS.get(name) or f"--{name.replace('_', '-')}" if stated else f"--set finetune.{name}"
    return {
        name: flag for name, flag in found.items() if name not in ("data", "kind", "train", "data_options")
    }
