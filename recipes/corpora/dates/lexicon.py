"""What stands around the dates of the built-in corpus of the translation recipe.

`{}` is the date that is meant, `{other}` one that is not, `{number}` a number that is none.
"""

BARE = ("{}", "{}", "{}", "({})", "{}.")

# The date has its prepositions: on the 3rd of March 1998, at noon on 3/3/98.
WITH_ON = (
    "see you {}",
    "born {}",
    "she was born {} in Rome",
    "they married {}, in the rain",
    "the ship sailed {}",
    "we arrive {} with our two children",
    "let us meet {}, shall we?",
    "come to room {number} {}",
    "flight {number} leaves {}",
    "a table for {number} {}, please",
    "the shop opens {} and not before",
    "I saw him last {}",
    "he wrote chapter {number} {}",
    "not on {other} but {}",
    "the wedding is {} and not on {other}",
)

# The date has none.
WITHOUT = (
    "date of birth: {}",
    "deadline: {}",
    "invoice {number}, due {}",
    "{} would suit us",
    "{}, if I am not mistaken",
    "was it {}?",
    "from {} until further notice",
    "page {number}, dated {}",
    "valid until {}",
    "remember {}!",
    "moved from {other} to {}",
    "{} instead of {other}",
    "it was to be {other}, now it is {}",
    "{}, no longer {other}",
)
