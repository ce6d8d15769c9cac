"""Counts and times of the server, in Prometheus' format."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from zoo.serving.repository import Repository
from zoo.serving.served import Version

KIND = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The metrics of one server.

    Attributes:
        waiting: Requests that wait for a batch.
        tokens: Tokens of text that was streamed or generated at once.
    """

    def __init__(self, repository: Repository) -> None:
        self.repository, self.registry = repository, CollectorRegistry()
        of = ["model", "version"]
        self._requests = Counter(
            "rnn_zoo_requests",
            "Requests by interface, model, version and HTTP status",
            ["api", *of, "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "rnn_zoo_request_seconds",
            "Seconds from a request's headers to the end of its answer",
            ["api", *of],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._joined = Histogram(
            "rnn_zoo_batch_requests",
            "Requests that were answered in one batch",
            of,
            buckets=SIZES,
            registry=self.registry,
        )
        self._rows = Histogram(
            "rnn_zoo_batch_rows", "Rows of a batch", of, buckets=SIZES, registry=self.registry
        )
        self._batch_seconds = Histogram(
            "rnn_zoo_batch_seconds",
            "Seconds of a batch",
            of,
            buckets=SECONDS,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "rnn_zoo_waiting_requests", "Requests that wait for a batch", registry=self.registry
        )
        self.tokens = Counter(
            "rnn_zoo_generated_tokens", "Tokens of generated text", of, registry=self.registry
        )
        self._versions = Gauge(
            "rnn_zoo_model_versions",
            "1 for each version that is served, 0 for each that was refused",
            of,
            registry=self.registry,
        )

    def answered(self, api: str, version: Version | None, status: int, seconds: float) -> None:
        """Counts a request."""
        of = (version.name, str(version.number)) if version else ("", "")
        self._requests.labels(api, *of, str(status)).inc()
        self._seconds.labels(api, *of).observe(seconds)

    def batch(self, version: Version, requests: int, rows: int, seconds: float) -> None:
        """Counts a batch."""
        of = (version.name, str(version.number))
        self._joined.labels(*of).observe(requests)
        self._rows.labels(*of).observe(rows)
        self._batch_seconds.labels(*of).observe(seconds)

    def generated(self, version: Version, tokens: int) -> None:
        """Counts tokens."""
        self.tokens.labels(version.name, str(version.number)).inc(tokens)

    def text(self) -> bytes:
        """All metrics."""
        self._versions.clear()
        for name, model in list(self.repository.models.items()):
            for number in model.broken:
                self._versions.labels(name, str(number)).set(0)
            for number in model.versions:
                self._versions.labels(name, str(number)).set(1)
        found: bytes = generate_latest(self.registry)
        return found
