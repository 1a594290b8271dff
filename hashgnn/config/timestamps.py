"""Timestamps in the config."""

from datetime import UTC, datetime

from hashgnn.errors import InputError


def parse_moment(text: str, key: str) -> float:
    """ISO 8601 (UTC where it names no zone) as seconds since 1970; ``key`` is for the error."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{key}: {text!r} is no time in ISO 8601") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
