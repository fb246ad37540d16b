"""What ends a start: each in one line that says what, where and what to do."""


class Refusal(Exception):
    """The program cannot be started. The text is for the user, without a prefix."""


class Unreadable(Exception):
    """A file is no library that can be loaded here, or a damaged one."""
