"""Section P.2: forecasts that see no future, held to statsmodels, to loops written out, and to closed forms."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import beta
from sklearn.linear_model import Ridge
from statsmodels.tsa.ar_model import AutoReg

from companion import forecasting as fc
from companion.cells.echo import esn_states
from companion.data import store
from companion.forecasting import methods, modules, trials
from companion.forecasting.series import _co2
from companion.reservoir import esn_init
from companion.studies import forecasting as study

torch.set_num_threads(1)
few = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**32 - 1)
ORDERS = st.integers(1, 6)


def wander(seed: int, tau: int = 120) -> np.ndarray:
    """A drawn series with a swing in it."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.standard_normal(tau)) * 0.3 + np.sin(np.arange(tau) / 3) + 20


# --- series ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "length"), [("co2", 526), ("sunspots", 309), ("stock", 1047), ("mackey-glass", 1800)])
def test_a_series_comes_with_its_times_and_without_gaps(name: str, length: int) -> None:
    when, y = fc.load_series(name)
    assert when.shape == y.shape == (length,)
    assert (np.diff(when) > 0).all() and np.isfinite(y).all()


def test_gaps_are_filled_only_long_before_the_first_origin() -> None:
    from statsmodels.datasets import co2

    weekly = co2.load_pandas().data["co2"]
    empty = np.flatnonzero(weekly.resample("MS").count() == 0)
    assert 0 < len(empty) < 10 and empty.max() < 12 * 8
    when, y = _co2()
    months = weekly.dropna()
    here = (months.index.year == 1990) & (months.index.month == 5)
    assert y.iloc[np.argmin(abs(when - (1990 + 4 / 12)))] == pytest.approx(months[here].mean())


def test_the_stock_is_googles_first_four_years() -> None:
    when, price = fc.load_series("stock")
    assert price[0] == 100.34 and price[-1] == 362.71
    assert when[0] == pytest.approx(2004.63, abs=0.01) and when[-1] == pytest.approx(2008.78, abs=0.01)


# --- windows, the loop, the rolling origin --------------------------------------------------------------------------


@few
@given(seeds, st.integers(1, 9), st.integers(1, 5))
def test_a_window_ends_before_its_origin_and_the_truth_begins_there(seed: int, width: int, horizon: int) -> None:
    y = wander(seed, 40)
    origins = sorted(np.random.default_rng(seed).choice(np.arange(width, 40 - horizon + 1), 4).tolist())
    seen, came = fc.windows(y, origins, width), fc.truth(y, origins, horizon)
    for k, t in enumerate(origins):
        assert seen[k].tolist() == [y[t - width + i] for i in range(width)]
        assert came[k].tolist() == [y[t + i] for i in range(horizon)]


@few
@given(seeds, ORDERS, st.integers(1, 8))
def test_the_closed_loop_is_the_recursion_written_out(seed: int, p: int, horizon: int) -> None:
    y, rng = wander(seed), np.random.default_rng(seed)
    f = fc.Linear(rng.uniform(-0.4, 0.4, p), 1.5)
    ahead = fc.closed_loop(f, fc.windows(y, [30, 77], 10), horizon)
    for row, t in zip(ahead, (30, 77), strict=True):
        past = list(y[:t])
        for _ in range(horizon):
            past.append(1.5 + sum(w * v for w, v in zip(f.w, past[::-1], strict=False)))
        assert np.allclose(row, past[t:], rtol=1e-12)


@pytest.mark.parametrize("method", trials.METHODS)
def test_a_changed_future_changes_no_forecast(method: str) -> None:
    task = trials.TASKS["co2, yearly differences"]._replace(
        width=20, horizon=6, refits=(100, 112), last=123, stride=4, held=30, orders=(2,)
    )
    y, rng = wander(3, 140), np.random.default_rng(4)
    ahead = trials.forecasts(y, task, method, 0, 1, 5)
    for k, t in enumerate(task.origins):
        other = y.copy()
        other[t:] = rng.uniform(-1e3, 1e3, len(y) - t)
        refits = tuple(r for r in task.refits if r <= t)
        alone = trials.forecasts(other, task._replace(refits=refits, last=t), method, 0, 1, 5)
        # a batch of another size rounds otherwise, in the nets' single precision
        assert np.allclose(alone[k], ahead[k], rtol=1e-6), f"origin {t}"
    changed = y.copy()
    changed[task.refits[0] :] = 0
    assert trials.choice_error(changed, task, method, 0, 1, 5) == trials.choice_error(y, task, method, 0, 1, 5)
    assert not np.allclose(trials.forecasts(y + 1, task, method, 0, 1, 5), ahead, rtol=1e-3), (
        "the past does change them"
    )


def test_a_method_is_fitted_again_at_each_refit_on_the_past_alone() -> None:
    lengths = []

    def fit(past: np.ndarray) -> fc.Forecaster:
        lengths.append(len(past))
        return lambda seen: np.full(len(seen), float(len(past)))

    ahead = fc.rolling_forecasts(fit, wander(0), [20, 39, 40, 41, 80], 2, 5, [20, 40, 60])
    assert lengths == [20, 40, 60] and ahead[:, 1].tolist() == [20, 20, 40, 40, 60]


def test_a_fit_that_serves_no_origin_is_not_made() -> None:
    calls = []
    fc.rolling_forecasts(lambda past: calls.append(len(past)) or fc.persistence, wander(0), [40, 51], 1, 5, [20, 40])
    assert calls == [40]


# --- methods --------------------------------------------------------------------------------------------------------


@few
@given(seeds, ORDERS)
def test_our_autoregression_is_that_of_statsmodels(seed: int, p: int) -> None:
    y = wander(seed)
    ours, theirs = fc.fit_linear(y, p), AutoReg(y, lags=p, trend="c").fit()
    assert np.allclose([ours.c, *ours.w], theirs.params, rtol=1e-8, atol=1e-8)
    ahead = fc.closed_loop(ours, fc.windows(y, [len(y)], 10), 7)[0]
    assert np.allclose(ahead, theirs.predict(len(y), len(y) + 6), rtol=1e-8)


@pytest.mark.parametrize("p", [13, 25, 37])
def test_on_co2_too(p: int) -> None:
    y = fc.load_series("co2")[1][:346]
    ours, theirs = fc.fit_linear(y, p), AutoReg(y, lags=p, trend="c").fit()
    assert np.allclose([ours.c, *ours.w], theirs.params, rtol=1e-8, atol=1e-8)


def test_a_series_that_obeys_a_recursion_gives_its_weights_back() -> None:
    y = [1.0, 2.0, 0.5]
    for _ in range(60):
        y.append(0.3 + 0.9 * y[-1] - 0.5 * y[-2] + 0.2 * y[-3])
    f = fc.fit_linear(np.array(y), 3)
    assert np.allclose(f.w, [0.9, -0.5, 0.2]) and f.c == pytest.approx(0.3)


def test_persistence_repeats_the_last_value_and_the_last_season_a_season() -> None:
    y = np.arange(40.0) % 12
    seen = fc.windows(y, [25, 30], 14)
    assert fc.closed_loop(fc.persistence, seen, 3).tolist() == [[0.0] * 3, [5.0] * 3]
    assert np.array_equal(fc.closed_loop(fc.last_season(12), seen, 10), fc.truth(y, [25, 30], 10))


def test_the_echo_state_forecast_is_the_ridge_read_out_of_states_run_from_zero() -> None:
    y = wander(5)
    z = (y - y.mean()) / y.std()
    f = fc.fit_echo(z, np.random.default_rng(1), 15, 0.3, 0.8, 12)
    net = esn_init(1, 12, np.random.default_rng(1), 0.8, scale=0.5, bias=0.2)
    states = np.array([esn_states(net, z[i : i + 15, None])[-1] for i in range(len(z) - 15)])
    theirs = Ridge(alpha=0.3).fit(states, z[15:])
    new = np.random.default_rng(2).standard_normal((4, 15))
    wanted = theirs.predict(np.array([esn_states(net, x[:, None])[-1] for x in new]))
    assert np.allclose(f(new), wanted, rtol=1e-7)


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_a_net_reads_its_window_step_by_step_from_a_zero_state(kind: str) -> None:
    torch.manual_seed(0)
    net = modules.NextValue(kind, 5)
    x = torch.randn(3, 9)
    cell = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell}[kind](1, 5)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in net.cell.state_dict().items()})
    state = torch.zeros(3, 5) if kind == "rnn" else (torch.zeros(3, 5), torch.zeros(3, 5))
    for t in range(9):
        state = cell(x[:, t : t + 1], state)
    h = state if kind == "rnn" else state[0]
    assert torch.allclose(net(x)[:, -1], net.out(h)[:, 0], atol=1e-6)
    assert net.out.weight.shape == (1, 5)


def test_a_net_learns_a_sine_and_a_seed_makes_it_again() -> None:
    y = np.sqrt(2) * np.sin(np.arange(160) * 0.4)
    seen, came = fc.windows(y, range(130, 150), 24), fc.truth(y, range(130, 150), 1)[:, 0]
    f = modules.fit_net(y[:130], "lstm", 8, 3, 24, 150, 0.02)
    assert fc.skill(came, f(seen), fc.persistence(seen)) > 0.5
    assert np.array_equal(f(seen), modules.fit_net(y[:130], "lstm", 8, 3, 24, 150, 0.02)(seen))
    assert not np.array_equal(f(seen), modules.fit_net(y[:130], "lstm", 8, 4, 24, 150, 0.02)(seen))


def test_only_the_second_half_of_a_window_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = []

    def trained(net: torch.nn.Module, draw: object, loss: object, **_: object) -> None:
        x, y = draw(0)
        assert torch.equal(x[:, 1:], y[:, :-1]), "the target is the next value"
        other = y.clone()
        other[:, :5] += 100
        losses.extend([loss(net, x, y), loss(net, x, other), ((net(x) - y)[:, 5:] ** 2).mean()])

    monkeypatch.setattr(modules, "train", trained)
    modules.fit_net(wander(1), "rnn", 4, 0, 10)
    assert losses[0] == losses[1] == losses[2]


# --- recipes --------------------------------------------------------------------------------------------------------


@few
@given(seeds, st.lists(st.integers(1, 12), max_size=2), st.booleans())
def test_a_recipe_undone_gives_back_a_method_that_knows_the_answer(seed: int, lags: list[int], log: bool) -> None:
    y = np.exp(wander(seed, 90) / 10)
    z = np.log(y) if log else y
    for lag in lags:
        z = fc.differences(z, lag)
    assume(z[:-1].std() > 0)
    answer = (z[-1] - z[:-1].mean()) / z[:-1].std()
    given_to: list[np.ndarray] = []

    def fit(past: np.ndarray) -> fc.Forecaster:
        given_to.append(past)
        return lambda seen: np.full(len(seen), answer)

    f = fc.fit_by_recipe(y[:-1], fc.Recipe(log, tuple(lags)), fit)
    assert np.allclose(f(y[None, -60:-1]), y[-1])
    assert given_to[0].mean() == pytest.approx(0, abs=1e-9) and given_to[0].std() == pytest.approx(1)


def test_a_yearly_difference_takes_a_line_and_a_season_away() -> None:
    t = np.arange(60)
    y = 0.5 * t + np.tile(np.random.default_rng(0).normal(size=12), 5)
    assert np.allclose(fc.differences(y, 12), 6)
    assert np.allclose(fc.differences(fc.differences(y, 12), 1), 0)
    assert fc.differences(np.stack([y, y]), 12).shape == (2, 48)


# --- scores ---------------------------------------------------------------------------------------------------------


def test_scores_are_their_formulas_on_numbers_worked_by_hand() -> None:
    y, yhat, naive = np.array([3.0, 5.0, 4.0]), np.array([2.0, 5.0, 6.0]), np.array([1.0, 3.0, 5.0])
    assert fc.skill(y, yhat, naive) == pytest.approx(1 - (3 / 3) / (5 / 3))
    assert fc.mase(y, yhat, np.array([0.0, 2.0, 1.0])) == pytest.approx(1 / 1.5)
    assert fc.mase(y, yhat, np.array([0.0, 2.0, 4.0]), 2) == pytest.approx(1 / 4)
    assert fc.skill(y, y, naive) == 1 and fc.skill(y, naive, naive) == 0


def test_the_copy_that_is_moved_by_one_day_has_no_error_at_shift_one() -> None:
    y = wander(7)
    errors = fc.copy_scores(y[1:], y[:-1])
    assert errors[1] == 0 and (np.delete(errors, 1) > 0).all()
    assert errors[0] == pytest.approx(np.abs(y[4:] - y[3:-1]).mean())
    assert fc.copy_scores(y, y).argmin() == 0


def test_correlation_of_changes_is_one_for_the_truth_and_nothing_for_persistence() -> None:
    y = wander(8)
    assert fc.change_correlation(y[1:], y[1:], y[:-1]) == pytest.approx(1)
    assert fc.change_correlation(y[1:], 2 * y[:-1] - y[1:], y[:-1]) == pytest.approx(-1)
    assert fc.change_correlation(y[1:], y[:-1], y[:-1]) == 0


def test_directions_are_counted_without_the_days_that_stand_still() -> None:
    last, y = np.array([1.0, 1, 1, 1, 1]), np.array([2.0, 0, 2, 1, 2])
    assert fc.same_direction(y, np.array([3.0, 3, 0, 3, 1]), last) == (1, 3)


@few
@given(st.integers(1, 200), st.data())
def test_the_interval_of_a_share_is_clopper_and_pearsons(of: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, of))
    low, high = fc.direction_interval(hits, of)
    assert low == pytest.approx(beta.ppf(0.025, hits, of - hits + 1) if hits else 0)
    assert high == pytest.approx(beta.ppf(0.975, hits + 1, of - hits) if hits < of else 1)


# --- what is stored -------------------------------------------------------------------------------------------------


def test_every_method_that_learns_has_the_same_number_of_settings() -> None:
    for task in trials.TASKS.values():
        assert {len(trials.settings_of(task, m)) for m in ("linear", "echo", "rnn", "lstm")} == {4}
        assert task.refits[0] == task.origins[0] and task.last + task.horizon <= len(fc.load_series(task.series)[1])
        assert max(task.orders) <= task.width and task.season <= task.width


def test_a_stored_error_is_that_of_the_stored_forecasts() -> None:
    rows = store.rows("forecasting", stage="forecasts")
    assert len(rows) == 70
    for row in rows:
        task = trials.TASKS[row["task"]]
        change = store.weights("forecasting", **{k: row[k] for k in ("stage", "task", "kind", "seed")})["change"]
        y = fc.load_series(task.series)[1]
        ahead = fc.windows(y, task.origins, 1) + change.astype(float)
        error = np.abs(ahead - fc.truth(y, task.origins, task.horizon))
        assert error.mean() == pytest.approx(row["all steps"], rel=2e-3)
        assert error[:, 0].mean() == pytest.approx(row["one step"], rel=2e-2)
        assert row["setting"] == study.best(store.rows("forecasting"), row["task"], row["kind"])


# --- bad input ------------------------------------------------------------------------------------------------------

Y = np.arange(30.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fc.load_series("weather"), "name: want one of"),
        (lambda: fc.windows(Y, [3], 5), r"origins: want some of 5 … 30, got \[3\]"),
        (lambda: fc.windows(Y, [31], 5), "origins: want some of 5 … 30"),
        (lambda: fc.windows(Y, [], 5), "origins: want some of 5 … 30"),
        (lambda: fc.truth(Y, [29], 2), "origins: want some of 0 … 28"),
        (lambda: fc.rolling_forecasts(lambda _: fc.persistence, Y, [10], 1, 5, [11]), "refits: want the first by"),
        (lambda: fc.fit_linear(Y, 15), "p: want at most 14 lags for 30 values, got 15"),
        (lambda: fc.fit_linear(np.append(Y, np.nan), 2), "y: "),
        (lambda: fc.fit_echo(Y, np.random.default_rng(0), 30, 1.0), "width: want less than the 30"),
        (lambda: fc.fit_echo(Y, np.random.default_rng(0), 5, 0.0), "ridge: want a number above 0"),
        (lambda: modules.fit_net(Y, "rnn", 4, 0, 30), "width: want less than the 30"),
        (lambda: modules.fit_net(Y, "gru", 4, 0, 5), "kind: want one of"),
        (lambda: fc.differences(Y, 30), "lag: want less than the 30 values"),
        (lambda: fc.fit_by_recipe(Y, fc.Recipe(log=True), lambda z: fc.persistence), "y: want values above 0"),
        (lambda: fc.fit_by_recipe(Y, fc.Recipe(lags=(1,)), lambda z: fc.persistence), "y: want a series that varies"),
        (lambda: fc.skill(Y, Y + 1, Y), "naive: want a naive forecast that errs"),
        (lambda: fc.skill(Y, Y[1:], Y), "yhat: "),
        (lambda: fc.mase(Y, Y, np.ones(5)), "past: want values that vary"),
        (lambda: fc.mase(Y, Y, Y, 40), "past: want more than 40 values, got 30"),
        (lambda: fc.copy_scores(Y[:3], Y[:3]), "shifts: want less than the 3"),
        (lambda: fc.direction_interval(5, 4), "hits: want at most 4, got 5"),
    ],
)
def test_bad_input_is_refused_by_name(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_the_room_without_nets_imports_no_torch() -> None:
    code = "import sys, companion.forecasting; assert 'torch' not in sys.modules and 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_last_states_of_many_windows_are_each_windows_own() -> None:
    net, seen = esn_init(1, 7, np.random.default_rng(0)), np.random.default_rng(1).standard_normal((5, 11))
    wanted = [esn_states(net, x[:, None])[-1] for x in seen]
    assert np.allclose(methods._last_states(net, seen), wanted, rtol=1e-12)
