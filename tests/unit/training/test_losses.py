"""Losses on numbers checked by hand; what does not count adds nothing, NaN included."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from gonio.errors import ConfigError, UnknownNameError
from gonio.networks import RoleInfo
from gonio.training.losses import Losses, LossSettings, build_losses, loss_names

COORDS = {"coords": RoleInfo((2, 2))}
MAPS = {"heatmap": RoleInfo((2, 1, 2))}


def losses(role: str, info: RoleInfo, **settings: Any) -> Losses:
    return build_losses({role: LossSettings(**settings)}, {role: info})


def value(
    output: Any, target: Any, labelled: Any, /, *, role: str = "coords", **settings: Any
) -> float:
    out, aim = (torch.as_tensor(v, dtype=torch.float32) for v in (output, target))
    info = RoleInfo(tuple(out.shape[1:]), settings.pop("activation", "none"))
    total, parts = losses(role, info, **settings)({role: out}, {role: aim}, torch.tensor(labelled))
    assert total.equal(parts[role]) or math.isnan(total)
    return float(total)


# Two keypoints of one person: off by (1, 2) and by (3, 4).
OUT, AIM = [[[1.0, 2.0], [3.0, 4.0]]], [[[0.0, 0.0], [0.0, 0.0]]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", (2.5 + 12.5) / 2),
        ("rmse", math.sqrt(7.5)),
        ("l1", (1.5 + 3.5) / 2),
        ("smooth_l1", (1 - 0.5 + 2 - 0.5 + 3 - 0.5 + 4 - 0.5) / 4),
        ("huber", (1 - 0.5 + 2 - 0.5 + 3 - 0.5 + 4 - 0.5) / 4),
    ],
)
def test_a_loss_is_the_mean_over_a_keypoints_numbers_and_then_over_keypoints(
    name: str, expected: float
) -> None:
    assert value(OUT, AIM, [[1.0, 1.0]], name=name) == pytest.approx(expected)


def test_smooth_l1_and_huber_differ_by_the_factor_beta() -> None:
    smooth = value(OUT, AIM, [[1.0, 1.0]], name="smooth_l1", beta=2.0)
    huber = value(OUT, AIM, [[1.0, 1.0]], name="huber", beta=2.0)
    # |1| < 2: 1²/(2·2); the others |d| − 2/2.
    assert smooth == pytest.approx((0.25 + 1 + 2 + 3) / 4)
    assert huber == pytest.approx(2 * smooth)


def test_labelled_divides_by_the_labelled_joints_and_joints_by_all() -> None:
    """The document's loss halves where one of two joints is hidden, though nothing got better."""
    assert value(OUT, AIM, [[0.0, 1.0]], name="mse") == pytest.approx(12.5)
    assert value(OUT, AIM, [[0.0, 1.0]], name="mse", reduction="joints") == pytest.approx(6.25)


def test_a_weight_scales_its_joint_and_not_the_divisor() -> None:
    assert value(OUT, AIM, [[1.0, 0.5]], name="mse") == pytest.approx((2.5 + 0.5 * 12.5) / 2)


def test_joints_mse_averages_each_map_then_the_labelled_maps_of_the_batch() -> None:
    output = torch.tensor([[[[1.0, 3.0]], [[2.0, 0.0]]], [[[0.0, 0.0]], [[5.0, 5.0]]]])
    weights = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    target = {"heatmap": torch.zeros(2, 2, 1, 2)}
    loss = losses("heatmap", MAPS["heatmap"], name="joints_mse")
    total, _ = loss({"heatmap": output}, target, weights)
    assert float(total) == pytest.approx((5 + 2 + 0) / 3)
    document = losses("heatmap", MAPS["heatmap"], name="joints_mse", reduction="joints")
    # 1/B Σ 1/K Σ w l, as the lower-body document writes it.
    assert float(document({"heatmap": output}, target, weights)[0]) == pytest.approx(
        ((5 + 2) / 2 + 0 / 2) / 2
    )


def test_cross_entropy_takes_logits_and_can_weigh_what_is_positive() -> None:
    settings: dict[str, Any] = {"name": "bce", "activation": "sigmoid"}
    output, target = [[[0.0, 2.0]]], [[[1.0, 0.0]]]
    first, second = math.log(2), math.log(1 + math.exp(2))
    assert value(output, target, [[1.0]], **settings) == pytest.approx((first + second) / 2)
    assert value(output, target, [[1.0]], positive_weight=3, **settings) == pytest.approx(
        (3 * first + second) / 2
    )


def test_squared_losses_of_an_output_with_a_sigmoid_compare_what_is_decoded() -> None:
    settings: dict[str, Any] = {"name": "mse", "activation": "sigmoid"}
    assert value([[[0.0]]], [[[1.0]]], [[1.0]], **settings) == pytest.approx(0.25)


def test_kl_is_zero_for_the_same_distribution_and_the_sum_over_bins_otherwise() -> None:
    settings: dict[str, Any] = {"name": "kl", "activation": "softmax"}
    aim = [[[0.25, 0.75, 0.0]]]
    same = [[[math.log(0.25), math.log(0.75), -100.0]]]
    assert value(same, aim, [[1.0]], **settings) == pytest.approx(0, abs=1e-6)
    flat = 0.25 * math.log(0.25 * 3) + 0.75 * math.log(0.75 * 3)
    assert value([[[0.0, 0.0, 0.0]]], aim, [[1.0]], **settings) == pytest.approx(flat)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([0.0, 0.0, 2.0, 2.0], 0.0),
        ([1.0, 0.0, 2.0, 2.0], 1 - 2 / 6),
        ([0.0, 0.0, 1.0, 1.0], 1 - 1 / 4),
        ([5.0, 5.0, 1.0, 1.0], 1.0),
        ([0.0, 0.0, -1.0, 2.0], 1.0),
    ],
)
def test_iou_of_boxes_by_hand(box: list[float], expected: float) -> None:
    found = value([box], [[0.0, 0.0, 2.0, 2.0]], [[0.0] * 6], role="box", name="iou")
    assert found == pytest.approx(expected)


def test_a_box_of_no_size_has_a_finite_gradient() -> None:
    box = torch.zeros(1, 4, requires_grad=True)
    loss = losses("box", RoleInfo((4,)), name="iou")
    loss({"box": box}, {"box": torch.zeros(1, 4)}, torch.ones(1, 6))[0].backward()
    assert box.grad is not None
    assert torch.isfinite(box.grad).all()


SHAPES: dict[str, tuple[RoleInfo, dict[str, Any]]] = {
    "joints_mse": (RoleInfo((3, 4, 4)), {}),
    "mse": (RoleInfo((3, 2)), {}),
    "rmse": (RoleInfo((3, 2)), {}),
    "l1": (RoleInfo((3, 2)), {}),
    "smooth_l1": (RoleInfo((6, 4, 4)), {}),
    "huber": (RoleInfo((6, 4, 4)), {}),
    "bce": (RoleInfo((3, 4, 4), "sigmoid"), {}),
    "kl": (RoleInfo((3, 8), "softmax"), {}),
}


def test_every_loss_is_tested_for_what_does_not_count() -> None:
    assert {*SHAPES, "iou"} == set(loss_names())


@pytest.mark.parametrize("reduction", ["labelled", "joints"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_target_that_is_nan_and_does_not_count_adds_nothing_to_loss_or_gradient(
    name: str, reduction: str
) -> None:
    info, settings = SHAPES[name]
    loss = losses("it", info, name=name, reduction=reduction, **settings)
    output = torch.randn(2, *info.shape, requires_grad=True)
    target, weights = torch.rand(2, *info.shape), torch.tensor([[1.0, 0, 1], [0.0, 1, 0]])
    clean, _ = loss({"it": output}, {"it": target}, weights)
    broken = target.reshape(2, 3, -1).clone()
    broken[weights == 0] = torch.nan
    total, _ = loss({"it": output}, {"it": broken.reshape(target.shape)}, weights)
    total.backward()
    assert total == clean
    assert output.grad is not None
    by_joint = output.grad.reshape(2, 3, -1).abs().sum(dim=-1)
    assert ((by_joint > 0) == (weights > 0)).all()


@pytest.mark.parametrize("name", SHAPES)
def test_a_batch_without_any_label_has_loss_zero_and_a_gradient_of_zeros(name: str) -> None:
    info, settings = SHAPES[name]
    output = torch.randn(2, *info.shape, requires_grad=True)
    target = {"it": torch.full((2, *info.shape), torch.nan)}
    total, _ = losses("it", info, name=name, **settings)({"it": output}, target, torch.zeros(2, 3))
    total.backward()
    assert total.item() == pytest.approx(0, abs=2e-6)
    assert output.grad is not None
    assert (output.grad == 0).all()


def test_a_target_that_is_nan_and_counts_shows_in_the_loss() -> None:
    assert math.isnan(value(OUT, [[[math.nan, 0.0], [0.0, 0.0]]], [[1.0, 1.0]], name="mse"))


def test_dense_weights_choose_the_cells_and_a_joint_without_any_does_not_count() -> None:
    """Location refinement is learned in the cells about the point alone."""
    output = torch.arange(8.0).reshape(1, 4, 1, 2)  # keypoint 0: 0 1 | 2 3, keypoint 1: 4 5 | 6 7
    dense = torch.zeros(1, 4, 1, 2)
    dense[0, 0, 0, 1] = dense[0, 1, 0, 1] = 1  # the second cell of keypoint 0
    target = {"locref": torch.full((1, 4, 1, 2), torch.nan), "locref_weights": dense}
    target["locref"][dense > 0] = 0.0
    loss = losses("locref", RoleInfo((4, 1, 2)), name="mse")
    total, _ = loss({"locref": output}, target, torch.ones(1, 2))
    assert float(total) == pytest.approx((1 + 9) / 2)


def test_unlabelled_joints_can_be_learned_as_absent() -> None:
    output, target = [[[2.0], [4.0]]], [[[0.0], [0.0]]]
    assert value(output, target, [[1.0, 0.0]], name="mse", weights="ones") == pytest.approx(10)
    assert value(output, target, [[1.0, 0.0]], name="mse") == pytest.approx(4)


def test_visibility_counts_for_every_keypoint_unless_told_otherwise() -> None:
    settings: dict[str, Any] = {"role": "visibility", "name": "mse"}
    assert value([[2.0, 4.0]], [[0.0, 0.0]], [[1.0, 0.0]], **settings) == pytest.approx(10)
    settings["weights"] = "keypoints"
    assert value([[2.0, 4.0]], [[0.0, 0.0]], [[1.0, 0.0]], **settings) == pytest.approx(4)


def test_the_total_is_the_weighted_sum_of_the_outputs_losses() -> None:
    roles = {"coords": RoleInfo((2, 2)), "visibility": RoleInfo((2,), "sigmoid")}
    settings = {
        "coords": LossSettings(name="mse", weight=2),
        "visibility": LossSettings(name="bce", weight=0.5),
    }
    outputs = {"coords": torch.tensor(OUT), "visibility": torch.zeros(1, 2)}
    targets = {"coords": torch.tensor(AIM), "visibility": torch.ones(1, 2)}
    total, parts = build_losses(settings, roles)(outputs, targets, torch.ones(1, 2))
    assert float(parts["coords"]) == pytest.approx(2 * 7.5)
    assert float(parts["visibility"]) == pytest.approx(0.5 * math.log(2))
    assert float(total) == pytest.approx(15 + 0.5 * math.log(2))


def test_half_precision_outputs_are_compared_in_single_precision() -> None:
    output = torch.tensor(OUT, dtype=torch.bfloat16)
    loss = losses("coords", COORDS["coords"], name="mse")
    total, _ = loss({"coords": output}, {"coords": torch.tensor(AIM)}, torch.ones(1, 2))
    assert total.dtype == torch.float32


def test_two_processes_divide_by_the_mean_of_what_both_have_labelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their averaged gradients are then those of one process with both batches."""

    def other_has_three(count: Tensor) -> None:
        count += 3.0

    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "all_reduce", other_has_three)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    loss = losses("coords", COORDS["coords"], name="mse")
    batch = {"coords": torch.tensor(OUT)}, {"coords": torch.tensor(AIM)}, torch.tensor([[0.0, 1]])
    assert float(loss(*batch)[0]) == pytest.approx(12.5 / 2)
    assert float(loss.eval()(*batch)[0]) == pytest.approx(12.5)


def test_an_unknown_loss_names_the_one_that_was_meant() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown loss 'join_mse' .did you mean 'joints_mse'"
    ):
        LossSettings(name="join_mse")


@pytest.mark.parametrize(
    ("role", "info", "name", "match"),
    [
        ("heatmap", RoleInfo((2, 4, 4)), "bce", r"'bce' needs .* sigmoid.*activation=sigmoid"),
        ("heatmap", RoleInfo((2, 4, 4), "sigmoid"), "kl", r"'kl' needs .* softmax"),
        ("coords", RoleInfo((2, 2)), "joints_mse", "needs maps"),
        ("heatmap", RoleInfo((2, 4, 8)), "iou", "needs boxes"),
    ],
)
def test_a_loss_that_does_not_suit_its_output_is_refused(
    role: str, info: RoleInfo, name: str, match: str
) -> None:
    with pytest.raises(ConfigError, match=match):
        losses(role, info, name=name)


def test_a_loss_of_no_output_and_an_output_of_no_target_are_named() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown output 'heatmaps' .did you mean 'heatmap'"
    ):
        build_losses({"heatmaps": LossSettings(name="mse")}, MAPS)
    loss = losses("heatmap", MAPS["heatmap"], name="mse")
    with pytest.raises(ConfigError, match=r"hold no target of that name .x, y"):
        loss({"heatmap": torch.zeros(1, 2, 1, 2)}, dict.fromkeys("xy", OUT), torch.ones(1, 2))
