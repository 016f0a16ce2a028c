"""The training loop learns, clips, stops, resumes and fails as it says."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from companion import training


def batch(step):
    x = torch.randn(16, 3, generator=torch.Generator().manual_seed(step))
    return x, x @ torch.tensor([[1.0], [-2.0], [0.5]])


def squared(model, x, y):
    return ((model(x) - y) ** 2).mean()


def fresh(seed=0):
    training.torch_seed(seed)
    return nn.Linear(3, 1)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize(("optimizer", "lr"), [("adam", 0.05), ("sgd", 0.05), ("rmsprop", 0.02)])
def test_every_optimizer_learns_a_linear_map(optimizer, lr):
    model = fresh()
    history = training.train(model, batch, squared, steps=300, lr=lr, optimizer=optimizer)
    assert [e["step"] for e in history] == [100, 200, 300]
    assert history[-1]["loss"] < 0.02 * history[0]["loss"]
    assert torch.allclose(model.weight, torch.tensor([[1.0, -2.0, 0.5]]), atol=0.1)


@settings(max_examples=20)
@given(clip=st.floats(1e-3, 0.5), seed=st.integers(0, 1000))
def test_one_clipped_sgd_step_moves_by_lr_times_clip_against_the_gradient(clip, seed):
    model, lr = fresh(seed), 0.1
    before = weights(model)
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(squared(model, *batch(0)), model.parameters())])
    training.train(model, batch, squared, steps=1, lr=lr, clip=clip, optimizer="sgd")
    moved = weights(model) - before
    assert gradient.norm() > clip
    assert moved.norm().item() == pytest.approx(lr * clip, rel=1e-3)
    assert torch.cosine_similarity(moved, -gradient, dim=0).item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_each_net_of_a_stack_learns_as_if_it_were_alone(optimizer):
    start, (x, y) = torch.randn(3, 3, 1, generator=torch.Generator().manual_seed(4)), batch(0)
    x = torch.stack([x, 10 * x, 0.01 * x])  # so that one clip for all would clip by the second alone
    how = {"steps": 20, "lr": 0.05, "optimizer": optimizer}

    def apart(model, x, y):
        return ((x @ model[0] - y) ** 2).mean(dim=(1, 2)).sum()

    stack = nn.ParameterList([start.clone()])
    training.train(stack, lambda step: (x, y), apart, rule=training.each_by_norm(0.3), **how)
    for i in range(3):
        alone = nn.ParameterList([start[i : i + 1].clone()])
        training.train(alone, lambda step, i=i: (x[i : i + 1], y), apart, clip=0.3, **how)
        assert torch.allclose(stack[0][i], alone[0][0], atol=1e-6)
        assert not torch.allclose(alone[0][0], start[i], atol=1e-3)


def by_value(model):
    nn.utils.clip_grad_value_(model.parameters(), 0.1)
    return torch.zeros(())


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_a_rule_decides_along_what_the_step_goes(seed):
    model = fresh(seed)
    before = weights(model)
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(squared(model, *batch(0)), model.parameters())])
    training.train(model, batch, squared, steps=1, lr=0.1, rule=by_value, optimizer="sgd")
    assert torch.allclose(weights(model) - before, -0.1 * gradient.clamp(-0.1, 0.1), atol=1e-7)


def test_a_rule_may_add_the_gradient_of_a_penalty():
    def pulled(model):
        for p in model.parameters():
            p.grad += 0.01 * p.detach()
        return torch.zeros(())

    def penalised(model, x, y):
        return squared(model, x, y) + 0.005 * sum((p**2).sum() for p in model.parameters())

    ours, theirs = fresh(), fresh()
    training.train(ours, batch, squared, steps=20, lr=0.05, rule=pulled, optimizer="sgd")
    training.train(theirs, batch, penalised, steps=20, lr=0.05, clip=None, optimizer="sgd")
    assert torch.allclose(weights(ours), weights(theirs), atol=1e-6)
    assert (weights(ours) - weights(fresh())).norm() > 0.1


def test_a_rule_is_asked_once_a_step_after_the_gradient_and_before_the_step():
    model, seen = fresh(), []

    def spy(model):
        seen.append((weights(model), torch.cat([p.grad.flatten() for p in model.parameters()])))
        return torch.zeros(())

    training.train(model, batch, squared, steps=3, lr=0.1, rule=spy, optimizer="sgd")
    states = [w for w, _ in seen] + [weights(model)]
    assert len(seen) == 3
    for (w, g), after in zip(seen, states[1:], strict=True):
        assert torch.allclose(after, w - 0.1 * g, atol=1e-7)


def test_training_ends_where_a_rule_returns_no_finite_norm():
    model = fresh()
    before = weights(model)
    with pytest.raises(FloatingPointError, match="the gradient's norm is inf at step 0"):
        training.train(model, batch, squared, steps=3, rule=lambda model: torch.tensor(float("inf")))
    assert torch.equal(weights(model), before)


def test_without_clip_a_step_is_the_whole_gradient():
    model = fresh()
    before = weights(model)
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(squared(model, *batch(0)), model.parameters())])
    training.train(model, batch, squared, steps=1, lr=0.1, clip=None, optimizer="sgd")
    assert torch.allclose(weights(model) - before, -0.1 * gradient, atol=1e-6)


def test_history_holds_mean_losses_and_what_evaluate_returned():
    model, seen = fresh(), []

    def spy(model, x, y):
        value = squared(model, x, y)
        seen.append(value.item())
        return value

    def evaluate(model):
        assert not model.training and not torch.is_grad_enabled()
        return {"bias": model.bias.item()}

    history = training.train(model, batch, spy, steps=7, every=3, evaluate=evaluate)
    assert model.training
    assert [e["step"] for e in history] == [3, 6, 7]
    assert [e["loss"] for e in history] == pytest.approx([np.mean(seen[:3]), np.mean(seen[3:6]), seen[6]])
    assert history[-1]["bias"] == model.bias.item()


def test_stop_ends_training_early():
    history = training.train(fresh(), batch, squared, steps=500, every=10, stop=lambda h: len(h) >= 4)
    assert [e["step"] for e in history] == [10, 20, 30, 40]


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
    whole, halves, path = fresh(), fresh(), tmp_path / "run" / "checkpoint.pt"
    expected = training.train(whole, batch, squared, steps=60, every=20)
    training.train(halves, batch, squared, steps=40, every=20, checkpoint=path)
    resumed = fresh(1)
    history = training.train(resumed, batch, squared, steps=60, every=20, checkpoint=path)
    assert history == expected
    assert torch.equal(weights(resumed), weights(whole))
    assert training.train(resumed, batch, squared, steps=60, every=20, checkpoint=path) == expected


def test_an_interrupt_keeps_what_was_learned(tmp_path):
    model, path = fresh(), tmp_path / "checkpoint.pt"

    def interrupted(step):
        if step == 25:
            raise KeyboardInterrupt
        return batch(step)

    history = training.train(model, interrupted, squared, steps=60, every=10, checkpoint=path)
    assert [e["step"] for e in history] == [10, 20, 25]
    resumed = fresh(1)
    history = training.train(resumed, batch, squared, steps=60, every=10, checkpoint=path)
    assert [e["step"] for e in history] == [10, 20, 25, 30, 40, 50, 60]
    whole = fresh()
    training.train(whole, batch, squared, steps=60)
    assert torch.equal(weights(resumed), weights(whole))


def test_an_interrupt_without_checkpoint_returns_the_history():
    def interrupted(step):
        if step == 5:
            raise KeyboardInterrupt
        return batch(step)

    assert [e["step"] for e in training.train(fresh(), interrupted, squared, steps=9, every=5)] == [5]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_an_error_and_spares_the_checkpoint(tmp_path, bad):
    path, model = tmp_path / "checkpoint.pt", fresh()

    def breaks(model, x, y):
        breaks.calls += 1
        return squared(model, x, y) * (bad if breaks.calls == 15 else 1)

    breaks.calls = 0
    with pytest.raises(FloatingPointError, match=r"loss is .* at step 14 with lr = 0\.01"):
        training.train(model, batch, breaks, steps=30, every=10, lr=0.01, checkpoint=path)
    assert torch.isfinite(weights(model)).all()
    history = training.train(fresh(1), batch, squared, steps=30, every=10, lr=0.01, checkpoint=path)
    assert [e["step"] for e in history] == [10, 20, 30]


def test_a_gradient_that_is_no_number_never_reaches_the_weights():
    model = fresh()

    def root_at_zero(model, x, y):
        return ((model(x) * 0) ** 2).sum().sqrt()

    with pytest.raises(FloatingPointError, match="gradient"):
        training.train(model, batch, root_at_zero, steps=3)
    assert torch.isfinite(weights(model)).all()


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    training.train(fresh(), batch, squared, steps=2, checkpoint=path)
    with pytest.raises(ValueError, match="^checkpoint: want"):
        training.train(nn.Linear(3, 2), batch, squared, steps=4, checkpoint=path)


def test_the_same_seed_makes_the_same_layer():
    assert torch.equal(weights(fresh(3)), weights(fresh(3)))
    assert not torch.equal(weights(fresh(3)), weights(fresh(4)))


def quick(**arguments):
    return training.train(fresh(), batch, squared, **({"steps": 2} | arguments))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("steps", lambda: quick(steps=0)),
        ("steps", lambda: quick(steps=1.5)),
        ("every", lambda: quick(every=0)),
        ("lr", lambda: quick(lr=0)),
        ("lr", lambda: quick(lr=float("nan"))),
        ("clip", lambda: quick(clip=-1)),
        ("optimizer", lambda: quick(optimizer="newton")),
        ("loss", lambda: training.train(fresh(), batch, lambda m, x, y: (m(x) - y) ** 2, steps=1)),
        ("n", lambda: training.torch_seed(-1)),
    ],
)
def test_bad_arguments_are_named(name, call):
    with pytest.raises(ValueError, match=f"^{name}: want"):
        call()


def test_the_bar_shows_what_was_measured_last(monkeypatch):
    shown = []
    monkeypatch.setattr(training.tqdm, "set_postfix", lambda self, measured: shown.append(measured))
    history = training.train(fresh(), batch, squared, steps=4, every=2, evaluate=lambda model: {"wrong": 0.25})
    assert shown == [{"loss": f"{entry['loss']:.4g}", "wrong": "0.25"} for entry in history]
