"""What the command's options set."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Options of the server; sizes are limits of one request unless said otherwise.

    Attributes:
        folder: `saved_models`, or one of its models' folders.
        labels: Model -> label -> version.
        keep: Newest versions of each model that are served.
        poll: Seconds between two looks for new versions.
        batch_rows: Rows of a joined batch at most; 1 joins nothing.
        batch_wait: Seconds that a request waits for others to be joined with.
        workers: Batches that run at the same time.
        queue: Requests that wait at most, all clients together.
        timeout: Seconds until a request that waits is given up.
        client_timeout: Seconds that a client may take to send its headers, or its body.
        max_body: Bytes of a body.
        max_rows: Rows.
        max_text: Characters of a text.
        max_tokens: Tokens of a generated text.
        origins: Origins of pages elsewhere that may call the server; "*" for all.
        access_log: `text`, `json` or `off`.
    """

    folder: Path
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    keep: int = 1
    poll: float = 2.0
    batch_rows: int = 64
    batch_wait: float = 0.002
    workers: int = 2
    queue: int = 1024
    timeout: float = 30.0
    client_timeout: float = 20.0
    max_body: int = 8 * 2**20
    max_rows: int = 1024
    max_text: int = 65_536
    max_tokens: int = 1000
    origins: tuple[str, ...] = ()
    access_log: str = "text"
