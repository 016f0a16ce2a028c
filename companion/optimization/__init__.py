"""Section 10.11: descent through long products of Jacobians, made to work.

- `clipping`: gradients cut by value and by norm, random steps instead, and the angle they turn by;
- `bias`: the mean of clipped minibatch gradients against the true gradient;
- `cliff`: one unit over 50 steps, its loss, derivatives and descents;
- `flow`: the penalty Ω on steps that shrink or stretch the gradient, and its gradient by hand;
- `curvature`: second-order steps where gradient and curvature vanish together;
- `order`: many nets trained at once on the temporal order task, under one rule of descent or another.
"""

from companion.optimization.bias import mean_clipped, two_point_mean
from companion.optimization.cliff import Path, cliff_descent, cliff_gradient, cliff_hessian, cliff_loss
from companion.optimization.clipping import angle, clip_by_norm, clip_by_value, global_norm, random_step, tame
from companion.optimization.curvature import Descent, Product, curved_step, damped_descent, product
from companion.optimization.flow import flow_ratios, omega, omega_gradient
from companion.optimization.order import Trained, order_accuracy, order_init, order_train

__all__ = [
    "Descent",
    "Path",
    "Product",
    "Trained",
    "angle",
    "cliff_descent",
    "cliff_gradient",
    "cliff_hessian",
    "cliff_loss",
    "clip_by_norm",
    "clip_by_value",
    "curved_step",
    "damped_descent",
    "flow_ratios",
    "global_norm",
    "mean_clipped",
    "omega",
    "omega_gradient",
    "order_accuracy",
    "order_init",
    "order_train",
    "product",
    "random_step",
    "tame",
    "two_point_mean",
]
