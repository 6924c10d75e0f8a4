"""Samples for torch: order and chance follow from seed, epoch and index, never from a worker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from gonio.datasets import (
    ImageCache,
    make_sample,
    sample_people,
    sample_rng,
    start_sampling_worker,
)
from gonio.errors import GonioError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gonio.datasets import Sample
    from gonio.labels import Labels
    from gonio.training.recipe import Recipe

Batch = dict[str, Any]
"""``image`` (N, H, W, C) uint8; ``targets`` role → tensor; ``points_px`` (N, K, 2);
``weights``, ``visibility`` (N, K); ``matrix`` (N, 3, 3); ``person`` (N,).
Or ``error`` alone: what could not be read."""

# No person has this index: the order's stream of chance is none of a sample's.
_ORDER: Final = 2**32 - 1


class Key(NamedTuple):
    """Which sample, and in which epoch: what a worker is asked for."""

    epoch: int
    index: int  # type: ignore[assignment] # hides the method of tuples, which nobody asks here


class EpochSampler(Sampler[Key]):
    """Gives each process its share of an epoch's samples.

    Parameters
    ----------
    size
        How many samples there are.
    seed
        Of the recipe.
    shuffle
        Draw an order for each epoch; otherwise they come in theirs.
    rank, world
        Which of how many processes this is. Each gets equally many, so that none waits for
        another; a few of the first samples are given twice where the number is no multiple.
    first_epoch
        Which comes first: workers begin with it before anybody calls :meth:`set_epoch`.
    """

    def __init__(
        self,
        size: int,
        *,
        seed: int = 0,
        shuffle: bool,
        rank: int = 0,
        world: int = 1,
        first_epoch: int = 0,
    ) -> None:
        self._size, self._seed, self._shuffle = size, seed, shuffle
        self._rank, self._world = rank, world
        self.epoch = first_epoch

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next; Lightning calls it."""
        self.epoch = epoch

    def order(self, epoch: int) -> NDArray[np.intp]:
        """Return the indices of an epoch, of all processes."""
        order = np.arange(self._size)
        if self._shuffle:
            np.random.default_rng((self._seed, epoch, _ORDER)).shuffle(order)
        return np.resize(order, -(-self._size // self._world) * self._world)

    def __iter__(self) -> Iterator[Key]:
        for index in self.order(self.epoch)[self._rank :: self._world]:
            yield Key(self.epoch, int(index))

    def __len__(self) -> int:
        return len(self.order(0)[self._rank :: self._world])


class PoseDataset(Dataset[Any]):
    """Labelled people as samples.

    Parameters
    ----------
    labels
        Labelled people; those no sample can be made of are passed over.
    recipe
        Input, targets, augmentation and seed.
    augment
        Whether anything happens by chance.

    Attributes
    ----------
    labels
        As given.
    people
        Shape ``(N,)``: whom each sample shows, an index into the labels.
    """

    def __init__(self, labels: Labels, recipe: Recipe, *, augment: bool) -> None:
        self.labels, self._recipe, self._augment = labels, recipe, augment
        self.people = sample_people(labels, recipe.input.crop)
        self._cache = ImageCache(recipe.trainer.cache_mb * 2**20)

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, key: Key) -> Sample | str:
        """Make a sample; what cannot be read comes back as a message.

        An exception would reach the training with a worker's traceback in its text.
        """
        person = int(self.people[key.index])
        path = self.labels.images[self.labels.image_index[person]].path
        chance = sample_rng(self._recipe.seed, key.epoch, person) if self._augment else None
        try:
            return make_sample(
                self.labels,
                person,
                input=self._recipe.input,
                target=self._recipe.target,
                augmentation=self._recipe.augmentation if self._augment else None,
                rng=chance,
                image=self._cache.read(path),
            )
        except GonioError as error:
            return str(error)


def collate(samples: Sequence[Sample | str]) -> Batch:
    """Stack samples into a batch of tensors."""
    whole = [sample for sample in samples if not isinstance(sample, str)]
    if len(whole) < len(samples):
        return {"error": next(sample for sample in samples if isinstance(sample, str))}
    return {
        "image": _stack([s.image for s in whole]),
        "targets": {role: _stack([s.targets[role] for s in whole]) for role in whole[0].targets},
        "points_px": _stack([s.points_px for s in whole]),
        "weights": _stack([s.weights for s in whole]),
        "visibility": _stack([s.visibility for s in whole]),
        "matrix": _stack([s.matrix for s in whole]),
        "person": torch.tensor([s.person for s in whole]),
    }


def _stack(arrays: Sequence[NDArray[Any]]) -> torch.Tensor:
    return torch.from_numpy(np.stack(arrays))


def training_loader(
    dataset: PoseDataset,
    recipe: Recipe,
    *,
    workers: int,
    rank: int = 0,
    world: int = 1,
    first_epoch: int = 0,
) -> DataLoader[Any]:
    """Return the loader of a training: an order drawn for each epoch, whole batches only.

    Parameters
    ----------
    dataset
        The samples.
    recipe
        Batch size and seed.
    workers
        Processes that make samples.
    rank, world
        Which of how many processes that train this is.
    first_epoch
        Which comes first, in a training that goes on.
    """
    sampler = EpochSampler(
        len(dataset),
        seed=recipe.seed,
        shuffle=True,
        rank=rank,
        world=world,
        first_epoch=first_epoch,
    )
    whole = len(sampler) >= recipe.trainer.batch_size
    return _loader(dataset, sampler, recipe.trainer.batch_size, workers, drop_last=whole)


def validation_loader(
    dataset: PoseDataset, recipe: Recipe, *, workers: int, rank: int = 0, world: int = 1
) -> DataLoader[Any]:
    """Return the loader of a validation: everybody once, in the labels' order."""
    sampler = EpochSampler(len(dataset), shuffle=False, rank=rank, world=world)
    return _loader(dataset, sampler, recipe.trainer.batch_size, workers, drop_last=False)


def _loader(
    dataset: PoseDataset, sampler: EpochSampler, batch_size: int, workers: int, *, drop_last: bool
) -> DataLoader[Any]:
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=workers,
        collate_fn=collate,
        drop_last=drop_last,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=workers > 0,
        worker_init_fn=_start_worker,
        # Its own, so that making an iterator draws nothing from the network's chance.
        generator=torch.Generator().manual_seed(0),
    )


def _start_worker(_: int) -> None:
    start_sampling_worker()
    # Ctrl-C and SIGTERM to the whole group are for the process that trains, which would take a
    # worker that is gone for an accident. They are not ignored: that is how it ends its workers.
    if hasattr(os, "setpgrp"):
        os.setpgrp()
