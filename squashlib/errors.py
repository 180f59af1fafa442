"""What can go wrong, by kind; a message names the thing, what it is, what it must be and what to do."""


class SquashError(Exception):
    """Anything this project refuses for a reason that it can name."""


class DecodeError(SquashError):
    """The bytes are no recording, or go beyond a limit."""


class SchemaError(SquashError):
    """A dataset is not a session (see `squashlib.schema`)."""


class NotFoundError(SquashError):
    """What was asked for does not exist, or is not the asker's."""
