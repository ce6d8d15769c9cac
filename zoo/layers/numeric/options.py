"""The options of models that read numbers in place of token ids."""

from dataclasses import dataclass

from zoo.errors import InputError, require_positive_int
from zoo.layers.recurrent_options import require_count
from zoo.options import Condition, option, validate

MISSING = ("error", "indicator")
FEATURES = ("none", "log_mel")


def _positive_or_none(name: str, value: object) -> None:
    if value is not None:
        require_positive_int(name, value)


@dataclass(frozen=True)
class NumberOptions:
    """Sequences of vectors as a model's input, in place of token ids."""

    input_dim: int | None = option(
        None, "F, numbers of each step; for token ids vocabulary_size.", check=_positive_or_none
    )
    missing: str = option(
        "error",
        "A NaN within a sequence: an `error`, or the training mean with an `indicator`, a second "
        "input for each number that is 1 where it is missing.",
        choices=MISSING,
        late=True,
    )
    features: str = option(
        "none",
        "What is computed from the numbers first: `none`, or `log_mel`, the logarithmic mel "
        "spectrum of a waveform.",
        choices=FEATURES,
        late=True,
    )
    sample_rate: int = option(
        8000,
        "Samples of a waveform per second.",
        check=require_positive_int,
        only_if=Condition("features", among=("log_mel",)),
        late=True,
    )
    mel_bands: int = option(
        40,
        "Bands of the mel spectrum.",
        check=require_positive_int,
        only_if=Condition("features", among=("log_mel",)),
        late=True,
    )
    frame_ms: int = option(
        25,
        "Milliseconds of a waveform that a spectrum is computed from.",
        check=require_positive_int,
        only_if=Condition("features", among=("log_mel",)),
        late=True,
    )
    hop_ms: int = option(
        10,
        "Milliseconds from one spectrum to the next.",
        check=require_positive_int,
        only_if=Condition("features", among=("log_mel",)),
        late=True,
    )
    spec_augment: int = option(
        0,
        "Number of masks over time, and as many over bands, laid on a spectrum in training (Park "
        "et al., arXiv:1904.08779).",
        check=require_count,
        only_if=Condition("features", among=("log_mel",)),
        late=True,
    )

    def __post_init__(self) -> None:
        """Checks the values, alone and together."""
        validate(self)
        if self.features == "log_mel" and self.input_dim not in (None, 1):
            raise InputError(
                f"log_mel reads a waveform, input_dim 1, got input_dim {self.input_dim}: give one "
                "channel, or features 'none'"
            )
        if self.features == "log_mel" and self.missing == "indicator":
            raise InputError("log_mel reads a waveform without gaps: leave missing 'error'")

    @property
    def size(self) -> int:
        """Numbers of each step that the recurrent body reads."""
        width = self.mel_bands if self.features == "log_mel" else self.input_dim or 0
        return 2 * width if self.missing == "indicator" else width
