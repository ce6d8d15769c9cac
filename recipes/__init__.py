"""A recipe for every topology: data -> train -> evaluate -> export -> predict, from one command."""

import zoo  # noqa: F401  (first, so that Ctrl-C and closed streams do no harm from here on)
