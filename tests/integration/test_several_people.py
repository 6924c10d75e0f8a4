"""Several people in real recordings: who is found, who stays who, who is measured and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gonio.runtime import FramePeople, ModelStore, open_estimator
from gonio.skeletons import load_skeleton
from gonio.tracking import assign_identities, choose_person
from gonio.video import open_source

SKELETON = load_skeleton("blazepose33")


def people_in(video: Path, models_dir: Path, *, seam_every: int | None = None) -> xr.Dataset:
    """Follow up to two people; ``seam_every``: start anew every so many frames, as chunks do."""
    store = ModelStore(models_dir)
    estimator = open_estimator(store.resolve("blazepose-full"), store=store, device="cpu")
    frames = []
    for frame in open_source(video):
        if seam_every and frame.index % seam_every == 0:
            estimator.reset()
        people = tuple(estimator.estimate(frame.image))
        frames.append(FramePeople(frame.index, frame.time_s, people))
    return assign_identities(frames, SKELETON, fps=None)


def frames_of(poses: xr.Dataset, person: str) -> list[int]:
    seen = np.isfinite(poses["position"].sel(individuals=person)).any(["space", "keypoints"])
    return [int(i) for i in np.flatnonzero(seen.values)]


@pytest.mark.models
@pytest.mark.parametrize("seam_every", [None, 60])
def test_the_walking_woman_is_one_person_over_all_seams_and_chosen(
    walk_video: Path, models_dir: Path, seam_every: int | None
) -> None:
    poses = people_in(walk_video, models_dir, seam_every=seam_every)
    assert poses.sizes["individuals"] == 3  # the man flies unseen between roof and lawn
    for rule in ("largest", "confident"):
        choice = choose_person(poses, SKELETON, rule)
        assert "of the 3 people found" in choice.reason
        (chosen,) = choice.individuals
        frames = frames_of(poses, chosen)
        assert frames[0] <= 50
        assert frames[-1] >= 195
        assert len(frames) >= 145
        x = poses["position"].sel(individuals=chosen, space="x").median("keypoints").values
        assert x[frames[0]] > 1400
        assert x[frames[-1]] < 100


@pytest.mark.models
@pytest.mark.parametrize("camera", ["cam01", "cam02"])
def test_the_balancing_participant_is_one_person_and_wins_by_every_rule(
    shared: Path, models_dir: Path, camera: str
) -> None:
    video = shared / "data" / "multiview" / "balancing" / "videos" / f"{camera}.mp4"
    poses = people_in(video, models_dir)
    for rule in ("largest", "longest", "confident"):
        (chosen,) = choose_person(poses, SKELETON, rule).individuals
        frames = frames_of(poses, chosen)
        assert len(frames) == 100
        y = poses["position"].sel(individuals=chosen, space="y")
        assert float((y.max("keypoints") - y.min("keypoints")).median()) > 500
