"""Augmentation of batches: against what each image should become, one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as pictures

from awnas_torch.hashed import uniforms
from awnas_training.datasets.augmentation import DRAWS, Augmentation, channel_statistics

SEEDS = np.arange(200, dtype=np.uint64) * np.uint64(7919)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(200, 3, 8, 12, generator=torch.Generator().manual_seed(0))


def drawn(name: str) -> np.ndarray:
    return uniforms(SEEDS, len(DRAWS))[:, DRAWS.index(name)]


def test_nothing_happens_by_default(images):
    augmentation = Augmentation()
    assert torch.equal(augmentation.moved(images, SEEDS), images)
    assert torch.equal(augmentation.cut(images, SEEDS), images)


def test_every_shift_within_the_limit_turns_up_and_brings_black(images):
    moved = Augmentation(shift=2).moved(images + 1, SEEDS)  # no black pixel before
    seen = set()
    for image, shifted in zip(images + 1, moved, strict=True):
        padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
        matches = [
            (down, right)
            for down in range(5)
            for right in range(5)
            if torch.equal(padded[:, down : down + 8, right : right + 12], shifted)
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    assert len(seen) == 25


def test_half_the_images_are_mirrored(images):
    moved = Augmentation(flip=True).moved(images, SEEDS)
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(moved, images, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(moved, images, strict=True)]
    assert sum(mirrored) + sum(kept) == 200
    assert 70 < sum(mirrored) < 130


def test_cutout_zeroes_one_square_clipped_at_the_borders(images):
    for length in (3, 4, 20):
        cut = Augmentation(cutout=length).cut(images + 1, SEEDS)
        centres = zip(
            np.floor(drawn("y") * 8).astype(int), np.floor(drawn("x") * 12).astype(int), strict=True
        )
        for image, before, (y, x) in zip(cut, images + 1, centres, strict=True):
            expected = before.clone()
            top, left = y - length // 2, x - length // 2
            expected[:, max(0, top) : max(0, top + length), max(0, left) : max(0, left + length)] = 0
            assert torch.equal(image, expected)


def test_rotation_and_scale_are_those_of_torchvision(images):
    moved = Augmentation(rotate=30, scale=0.2).moved(images, SEEDS)
    for image, before, angle, zoom in zip(moved[:20], images, drawn("angle"), drawn("zoom"), strict=False):
        expected = pictures.affine(
            before,
            angle=float(60 * angle - 30),
            translate=[0, 0],
            scale=float(0.8 + 0.4 * zoom),
            shear=[0.0, 0.0],
            interpolation=pictures.InterpolationMode.BILINEAR,
        )
        torch.testing.assert_close(image, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "centre"),
    [
        ("brightness", lambda image: torch.zeros_like(image)),
        ("contrast", lambda image: image.mean().expand_as(image)),
        ("saturation", lambda image: image.mean(0, keepdim=True).expand_as(image)),
    ],
)
def test_colours_move_between_an_image_and_its_centre(images, name, centre):
    moved = Augmentation(**{name: 0.5}).moved(images, SEEDS)
    for image, before, draw in zip(moved, images, drawn(name), strict=True):
        middle = centre(before)
        expected = (middle + (0.5 + draw) * (before - middle)).clamp(0, 1)
        torch.testing.assert_close(image, expected, atol=1e-5, rtol=1e-5)


def test_an_image_does_not_depend_on_its_batch(images):
    everything = Augmentation(
        rotate=20, scale=0.1, shift=2, flip=True, brightness=0.1, contrast=0.1, saturation=0.1, cutout=3
    )
    whole = everything.cut(everything.moved(images, SEEDS), SEEDS)
    one = everything.cut(everything.moved(images[7:8], SEEDS[7:8]), SEEDS[7:8])
    torch.testing.assert_close(whole[7:8], one)


def test_one_option_leaves_the_numbers_of_another_alone(images):
    alone = Augmentation(flip=True).moved(images, SEEDS)
    both = Augmentation(flip=True, brightness=0.5).moved(images, SEEDS)
    ratio = (both / alone).clamp(max=10)
    bright = torch.tensor(0.5 + drawn("brightness")).float()[:, None, None, None]
    assert torch.allclose(torch.minimum(bright * alone, torch.ones(())), both, atol=1e-5), ratio


def test_statistics_of_channels_are_those_of_numpy():
    images = np.random.default_rng(0).integers(0, 256, (5, 2, 4, 4), dtype=np.uint8)
    mean, std = channel_statistics(images)
    np.testing.assert_allclose(mean, (images / 255).mean((0, 2, 3)))
    np.testing.assert_allclose(std, (images / 255).std((0, 2, 3)))
    assert channel_statistics(np.zeros((2, 1, 3, 3), np.uint8)) == ((0.0,), (1e-6,))
