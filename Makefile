# make demo: install, train on the built-in corpus, export, ask a pretrained model, predict.
# make test: install, lint, types beside tests.
# make test-sweeps: further values of its checks, and long jobs that it leaves out.
# make test-backends: all models on JAX and PyTorch, against TensorFlow.
# make web: the packages of the page that runs a model, where npm is installed.
# make models: train the models of rnn-zoo-models again (hours), from the data in DATA.
# make docs: build the site into docs/_build, check its links.
PYTHON ?= python3.11
VENV := .venv
DATA ?= data
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-sweeps test-backends web models docs clean

demo: $(VENV)/demo.stamp
	$(BIN)/python -m recipes sentiment
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -W ignore -c 'import zoo; print(zoo.load("pos-en")("Time flies."))'
	$(BIN)/python -m recipes sentiment predict \
		"there is nothing to like" "slow, but I loved it" "not as good as the first one"

test: $(VENV)/test.stamp web
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy & $(PYTEST) && wait $$!

test-sweeps: $(VENV)/test.stamp
	$(PYTEST) -m sweep

test-backends: $(VENV)/backends.stamp
	$(BIN)/python -m pytest -m backends tests/backends tests/recipes/training
	$(PYTEST) --unmasked-rnn tests/zoo/recurrence/test_keras_cell.py tests/zoo/layers

web:
	if command -v npm > /dev/null; then $(MAKE) $(VENV)/web.stamp; fi

models: $(VENV)/test.stamp
	$(BIN)/python -m models --data $(DATA)

docs: $(VENV)/docs.stamp
	$(BIN)/sphinx-build -W --keep-going --quiet -c docs . docs/_build
	$(BIN)/python docs/links.py docs/_build
	@echo "the site: docs/_build/index.html"

$(VENV)/demo.stamp: pyproject.toml models/pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-compile -e '.[tfds,serve]' -e ./models -c constraints.txt
	touch $@

$(VENV)/test.stamp: pyproject.toml runtime/pyproject.toml models/pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-compile -e '.[dev]' -e ./runtime -e ./models \
		-c constraints.txt
	touch $@

$(VENV)/backends.stamp: $(VENV)/test.stamp
	$(BIN)/python -m pip install --quiet --no-compile -e '.[backends]' -c constraints.txt
	touch $@

$(VENV)/web.stamp: runtime/web/package.json | $(BIN)/python
	npm install --prefix runtime/web --ignore-scripts --no-package-lock --no-audit --no-fund
	touch $@

$(VENV)/docs.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-compile -e '.[docs]' -c constraints.txt
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) docs/_build
