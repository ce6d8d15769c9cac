"""One layer as a plain SavedModel, loaded in a fresh process: the time of one request."""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.speed import machine, torch_peers
from benchmarks.speed.children import in_fresh_process
from benchmarks.speed.contenders import STOCK, peer_of
from benchmarks.speed.shapes import Shape, parse_shape
from benchmarks.speed.tables import HEADINGS, contender_rows, record, table
from benchmarks.speed.timing import Contender, interleave
from zoo.errors import InputError
from zoo.layers import Recurrent


def run(shapes: list[Shape], cells: list[str], rounds: int, threads: int) -> list[dict[str, Any]]:
    """Exports, times, prints a table for each shape, and returns the records.

    Args:
        shapes: Full shapes; B and T are unknown to the exported function.
        cells: Registered cells.
        rounds: Calls of each contender.
        threads: Of TensorFlow and PyTorch.
    """
    records = []
    for shape in shapes:
        with tempfile.TemporaryDirectory() as folder:
            left_out = export_all(cells, shape, Path(folder))
            able = [cell for cell in cells if cell not in left_out]
            job = {
                "shape": shape.name,
                "cells": able,
                "folder": folder,
                "rounds": rounds,
                "threads": threads,
            }
            answer = in_fresh_process("serve", job)
        rows = [row[:4] for row in answer["rows"]]
        text = "\n".join([table(HEADINGS[:4], rows), *left_out.values()])
        print(f"\n## {shape.name}, served\n\n{text}", flush=True)
        records += answer["records"]
    return records


def export_all(cells: list[str], shape: Shape, folder: Path) -> dict[str, str]:
    """Exports a layer of each cell and the stock layers they need; returns those left out."""
    left_out = {}
    for cell in cells:
        layer = Recurrent(cell, shape.units)
        try:
            layer.build((None, None, shape.inputs))
        except InputError as error:
            left_out[cell] = f"\n{cell} is left out: {error}"
            continue
        export(layer, our_request(layer), shape.inputs, folder / f"ours_{cell}")
    for kind in sorted({peer_of(cell) for cell in cells}):
        stock = getattr(keras.layers, STOCK[kind])(shape.units, return_sequences=True)
        stock.build((None, None, shape.inputs))
        export(stock, _stock_request(stock), shape.inputs, folder / f"stock_{kind}")
    return left_out


def our_request(layer: Recurrent) -> Any:
    """`x -> outputs`; every token of a request is real."""
    return lambda x: layer(x, mask=tf.ones(tf.shape(x)[:2], "bool"), training=False)[0]


def _stock_request(layer: Any) -> Any:
    return lambda x: layer(x, training=False)


def export(layer: Any, outputs: Any, inputs: int, path: Path) -> None:
    """Writes `serve`, (B, T, E) -> (B, T, K), for any B and T, as a plain SavedModel."""
    module = tf.Module()
    module.weights = [weight.value for weight in layer.weights]
    signature = [tf.TensorSpec([None, None, inputs], tf.float32, name="x")]
    module.serve = tf.function(
        lambda x: {"outputs": outputs(x)}, input_signature=signature, autograph=False
    )
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})


def serve(job: dict[str, Any]) -> dict[str, Any]:
    """The child's part: all exports of a shape side by side, with PyTorch."""
    machine.set_threads(job["threads"])
    shape, folder = parse_shape(job["shape"]), Path(job["folder"])
    size = (shape.batch, shape.time, shape.inputs)
    array = np.random.default_rng(0).normal(size=size).astype("float32")
    lengths = np.full(shape.batch, shape.time, "int32")
    peers = {}
    for kind in sorted({peer_of(cell) for cell in job["cells"]}):
        stock = Contender(f"Keras {STOCK[kind]}", _loaded(folder / f"stock_{kind}", array))
        other = torch_peers.contender(kind, shape, [array], [lengths], "forward")
        peers[kind] = [stock, other]
    ours = {
        cell: Contender("ours", _loaded(folder / f"ours_{cell}", array)) for cell in job["cells"]
    }
    interleave(
        [*ours.values(), *[peer for group in peers.values() for peer in group]], job["rounds"]
    )
    rows, records = [], []
    for cell, own in ours.items():
        group = [own, *peers[peer_of(cell)]]
        rows += contender_rows(cell, group, None, "forward")
        where = {"shape": shape.name, "pass": "served", "cell": cell}
        records += [record(each, **where) for each in group]
    return {"rows": rows, "records": records}


def _loaded(path: Path, array: np.ndarray) -> Any:
    module = tf.saved_model.load(str(path))
    function, x = module.signatures["serving_default"], tf.constant(array)

    def call(loaded: Any = module) -> np.ndarray:
        return function(x=x)["outputs"].numpy()

    return call
