# %% [markdown]
# # Many to many, other length: the past of a series → its next H values
#
# A shop's sales of the last weeks say something about those of the next four. A single number for
# each day would hide how sure the forecast is, so the network writes *quantiles*: one value that
# sales exceed in half of the cases, others that they exceed in 97.5 and in 2.5 percent.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

import zoo
from recipes.corpora.sales import generate
from zoo.layers.numeric.forecast_loss import ForecastLoss

keras.utils.set_random_seed(0)
LOOK_BACK, HORIZON, TEST = 112, 28, 168

# %% [markdown]
# ## Data
#
# Generated sales of eight shops on 1,096 days. Two covariates are known in advance, promotions and
# holidays: they are given for the past *and* for the days to forecast. A few days are missing, NaN.
#
# The last 168 days are test. A window that is trained on ends before them: a random split would
# show the network the future.

# %%
shops = generate(seed=0).series


def windows(first, last, stride):
    """Windows whose forecast days are in [first, last): inputs, and the sales of these days."""
    values, future, targets = [], [], []
    for shop in shops:
        known = shop.future
        for start in range(first, last - HORIZON + 1, stride):
            past, ahead = slice(start - LOOK_BACK, start), slice(start, start + HORIZON)
            values.append(np.concatenate([shop.values[past], known[past]], axis=1))
            future.append(known[ahead])
            targets.append(shop.values[ahead])
    values, future, targets = (
        np.stack(part).astype("float32") for part in (values, future, targets)
    )
    lengths = np.full(len(values), LOOK_BACK, "int32")
    return {"values": values, "lengths": lengths, "future": future}, targets


days = len(shops[0].values)
x, y = windows(LOOK_BACK, days - TEST, stride=2)
x_test, y_test = windows(days - TEST, days, stride=7)
print({name: part.shape for name, part in x.items()}, "->", y.shape)

# %% [markdown]
# ## Build and train
#
# `decoder="segment"` (SegRNN, arXiv:2308.11200) reads a week per step and writes a week per step:
# 16 steps in place of 112, which is faster and easier to learn. `instance_norm="mean_std"` divides
# each window by its own mean and deviation, so that a large and a small shop look alike.
#
# The loss of a quantile q is q times the error where the forecast was too low, and 1 - q times
# where it was too high. It is least where a fraction q of the values is below the forecast.

# %%
LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
model = zoo.build(
    "forecaster",
    input_dim=3,
    future_dim=2,
    horizon=HORIZON,
    decoder="segment",
    segment_length=7,
    quantiles=LEVELS,
    instance_norm="mean_std",
    missing="indicator",
    cell="gru",
    units=48,
    dropout=0.1,
)
zoo.adapt(model, x)
model.compile(keras.optimizers.Adam(0.003), ForecastLoss("quantiles", LEVELS))
model.fit(x, y, batch_size=64, epochs=12, verbose=0)

# %% [markdown]
# ## Is it any good?
#
# The forecast to beat costs nothing: the same weekday of the last week. An error relative to it is
# below 1 where the network is better. An interval from the 2.5 to the 97.5 percent quantile should
# hold 95 percent of the values.

# %%
forecaster = zoo.pipelines.SeriesForecaster(model)
found = forecaster.forecast(x_test["values"], future=x_test["future"])
quantiles = found["quantiles"][:, :, 0]
known = np.isfinite(y_test[:, :, 0])
truth = y_test[:, :, 0][known]
naive = np.tile(x_test["values"][:, -7:, 0], (1, HORIZON // 7))[known]
error = np.nanmean(np.abs(truth - quantiles[:, :, 2][known]))
naive_error = np.nanmean(np.abs(truth - naive))
inside = (quantiles[:, :, 0][known] <= truth) & (truth <= quantiles[:, :, -1][known])
print(f"mean absolute error {error:.1f}; same day of last week {naive_error:.1f}")
print(f"relative error {error / naive_error:.2f}; in the interval: {inside.mean():.3f}")

# %% [markdown]
# ## Look: the fan
#
# The bands hold 80 and 95 percent. They are wider at weekends and in promotions, where more is sold
# and counts vary more.

# %%
figure, rows = plt.subplots(3, figsize=(8, 6), layout="constrained")
each = len(x_test["values"]) // len(shops)
for axes, number in zip(rows, (0, 3, 6), strict=True):
    row = number * each + each // 2
    past, ahead = np.arange(-56, 0), np.arange(HORIZON)
    axes.plot(past, x_test["values"][row, -56:, 0], color="grey")
    for low, high, shade in ((0, 4, 0.2), (1, 3, 0.35)):
        band = quantiles[row][:, low], quantiles[row][:, high]
        axes.fill_between(ahead, *band, alpha=shade, color="tab:blue", linewidth=0)
    axes.plot(ahead, quantiles[row][:, 2], color="tab:blue")
    axes.plot(ahead, y_test[row], color="black", linewidth=0.8)
    axes.set_ylabel(shops[number].name)
rows[-1].set_xlabel("days from the day of the forecast")
plt.show()

# %% [markdown]
# ## Export
#
# The scaling is a part of the model: clients send raw sales and get raw sales.

# %%
path = forecaster.export("saved_models/sales")
print(path.name, forecaster(x_test["values"][:1], future=x_test["future"][:1])[0][:7, 0].round(1))

# %% [markdown]
# ## Exercises
#
# 1. Set the promotions of `future` to 0 in a test window and forecast again. *On the days of
#    promotions the forecasts fall by a third: it answers "what if".*
# 2. Use `decoder="recurrent"` with `output="negative_binomial"` and `instance_norm="mean"`: DeepAR,
#    which draws paths of counts. The sum of a path over a month has a distribution, too, which
#    quantiles for single days do not give.
# 3. Why are the intervals of a day four weeks ahead hardly wider than those of tomorrow? *What is
#    uncertain here is the noise of a single day, and it does not add up. On a random walk it
#    would.*
# 4. Your own file as a command: `rnn-zoo all forecasting --data sales.csv --series-column shop`.
