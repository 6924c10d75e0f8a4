"""The ten built-in skeletons: order, pairs, sigmas, derived points, edges."""

from __future__ import annotations

import pytest

from gonio.errors import UnknownNameError
from gonio.skeletons import DEFAULT_SIGMA, Skeleton, load_skeleton, side_of, skeleton_names


def both(text: str) -> list[str]:
    """Spell out ``L/R knee`` as left_knee, right_knee; ``L knee`` as left_knee."""
    names: list[str] = []
    for part in text.split(", "):
        side, _, rest = part.partition(" ")
        sides = {"L/R": ("left_", "right_"), "L": ("left_",), "R": ("right_",)}.get(side)
        point = (rest if sides else part).replace(" ", "_")
        names += [s + point for s in sides or ("",)]
    return names


COCO = both(
    "nose, L/R eye, L/R ear, L/R shoulder, L/R elbow, L/R wrist, L/R hip, L/R knee, L/R ankle"
)
COCO_SIGMAS = [0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072]
COCO_SIGMAS += [0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089]
ORDER = {
    "coco17": COCO,
    "halpe26": COCO + both("head, neck, mid hip, L/R big toe, L/R small toe, L/R heel"),
    "body25b": COCO
    + both("upper neck, head top, L big toe, L small toe, L heel")
    + both("R big toe, R small toe, R heel"),
    "body25": both("nose, neck, R shoulder, R elbow, R wrist, L shoulder, L elbow, L wrist")
    + both("mid hip, R hip, R knee, R ankle, L hip, L knee, L ankle, R eye, L eye, R ear, L ear")
    + both("L big toe, L small toe, L heel, R big toe, R small toe, R heel"),
    "blazepose33": both("nose, L eye inner, L eye, L eye outer")
    + both("R eye inner, R eye, R eye outer, L/R ear, L/R mouth, L/R shoulder, L/R elbow")
    + both("L/R wrist, L/R pinky, L/R index, L/R thumb, L/R hip, L/R knee, L/R ankle")
    + both("L/R heel, L/R foot index"),
    "lsp14": both("R ankle, R knee, R hip, L hip, L knee, L ankle, R wrist, R elbow")
    + both("R shoulder, L shoulder, L elbow, L wrist, neck, head top"),
    "lower6": both("L/R hip, L/R knee, L/R ankle"),
    "gait6": both("neck, hip, knee, ankle, heel, toes"),
    "rearfoot6": both("L calf, L achilles, L heel, R calf, R achilles, R heel"),
    "rearfoot8": both("L leg upper, L leg lower, L heel upper, L heel lower")
    + both("R leg upper, R leg lower, R heel upper, R heel lower"),
}
MIDDLES = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}
HEAD = {"head": ("left_ear", "right_ear")}
REARFOOT = {
    f"{side}_{point}": (f"{side}_{marker}",)
    for side in ("left", "right")
    for point, marker in (
        ("leg_upper", "calf"), ("leg_lower", "achilles"),
        ("heel_upper", "achilles"), ("heel_lower", "heel"),
    )
}  # fmt: skip
TOES = {f"{side}_big_toe": (f"{side}_foot_index",) for side in ("left", "right")}
DERIVED = {
    "coco17": MIDDLES | HEAD,
    "halpe26": {},
    "body25b": MIDDLES | HEAD,
    "body25": HEAD,
    "blazepose33": MIDDLES | HEAD | TOES,
    "lsp14": {"mid_hip": MIDDLES["mid_hip"]},
    "lower6": {"mid_hip": MIDDLES["mid_hip"]},
    "gait6": {"mid_hip": ("hip",), "big_toe": ("toes",)},
    "rearfoot6": REARFOOT,
    "rearfoot8": {},
}


@pytest.fixture(params=sorted(ORDER))
def skeleton(request: pytest.FixtureRequest) -> Skeleton:
    return load_skeleton(request.param)


def test_the_ten_are_there_under_their_own_names() -> None:
    assert skeleton_names() == sorted(ORDER)
    assert [load_skeleton(n).name for n in skeleton_names()] == skeleton_names()


def test_the_index_order_is_the_published_one(skeleton: Skeleton) -> None:
    assert list(skeleton.keypoints) == ORDER[skeleton.name]


def test_derived_points_are_those_the_skeleton_lacks(skeleton: Skeleton) -> None:
    assert skeleton.derived == DERIVED[skeleton.name]


def test_every_sided_point_is_paired_left_first(skeleton: Skeleton) -> None:
    sided = {n for n in skeleton.keypoints if side_of(n) != "middle"}
    assert {n for pair in skeleton.pairs for n in pair} == sided
    for left, right in skeleton.pairs:
        assert left.removeprefix("left_") == right.removeprefix("right_")
        assert (side_of(left), side_of(right)) == ("left", "right")


def test_mirroring_swaps_the_sides_and_twice_is_nothing(skeleton: Skeleton) -> None:
    order = skeleton.flip_order()
    assert [order[i] for i in order] == list(range(len(order)))
    other = {"left": "right", "right": "left", "middle": "middle"}
    for name, i in zip(skeleton.keypoints, order, strict=True):
        assert side_of(skeleton.keypoints[i]) == other[side_of(name)]


def test_sigmas_are_cocos_where_the_points_are_and_alike_on_both_sides(
    skeleton: Skeleton,
) -> None:
    sigmas = dict(zip(skeleton.keypoints, skeleton.sigmas, strict=True))
    assert all(sigmas[left] == sigmas[right] for left, right in skeleton.pairs)
    coco = dict(zip(COCO, COCO_SIGMAS, strict=True))
    assert {n: s for n, s in sigmas.items() if n in coco} == {
        n: s for n, s in coco.items() if n in sigmas
    }


def test_sigmas_of_coco_halpe_and_the_markers_are_the_published_or_default_ones() -> None:
    assert list(load_skeleton("coco17").sigmas) == COCO_SIGMAS
    halpe = [*COCO_SIGMAS, 0.026, 0.026, 0.066, *[0.079] * 6]
    assert list(load_skeleton("halpe26").sigmas) == halpe
    for name in ("rearfoot6", "rearfoot8"):
        assert set(load_skeleton(name).sigmas) == {DEFAULT_SIGMA}


def test_edges_reach_every_point_but_never_cross_to_another_point_of_the_other_side(
    skeleton: Skeleton,
) -> None:
    assert {n for edge in skeleton.edges for n in edge} >= set(skeleton.keypoints)
    for a, b in skeleton.edges:
        if {side_of(a), side_of(b)} == {"left", "right"}:
            assert a.partition("_")[2] == b.partition("_")[2]


def test_the_edges_of_one_side_are_mirrored_on_the_other(skeleton: Skeleton) -> None:
    def mirrored(name: str) -> str:
        i = skeleton.flip_order()[skeleton.index(name)]
        return skeleton.keypoints[i]

    edges = {frozenset(edge) for edge in skeleton.edges}
    assert {frozenset(map(mirrored, edge)) for edge in edges} == edges
    assert len(edges) == len(skeleton.edges)


def test_a_point_is_itself_its_parents_or_none() -> None:
    lower6 = load_skeleton("lower6")
    assert lower6.parents("left_knee") == ("left_knee",)
    assert lower6.parents("mid_hip") == ("left_hip", "right_hip")
    assert lower6.parents("neck") is None


def test_a_misspelt_name_gets_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown skeleton 'coco71' .*'coco17'"):
        load_skeleton("coco71")
    with pytest.raises(UnknownNameError, match=r"lower6: unknown keypoint 'left_kne' .*left_knee"):
        load_skeleton("lower6").index("left_kne")
