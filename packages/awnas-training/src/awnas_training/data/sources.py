"""Where the files of each data set come from, and how its folder looks when all is well."""

from __future__ import annotations

from dataclasses import dataclass

CIFAR = "https://www.cs.toronto.edu/~kriz/"
SVHN = "http://ufldl.stanford.edu/housenumbers/"
FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file to download.

    Args:
        url: Its address.
        md5: Checksum as its publisher or torchvision states it.
        folder: Where it goes, below the folder of the data set.
    """

    url: str
    md5: str
    folder: str = ""

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class DataSource:
    """What ``awnas data`` knows of a data set.

    Args:
        files: What to download; archives (``.tar.gz``, ``.zip``) are unpacked.
        layout: Paths below the folder of the data set that must exist to use it.
        prepare: Name of a rearrangement that is needed after unpacking; empty for none.
    """

    files: tuple[RemoteFile, ...]
    layout: tuple[str, ...]
    prepare: str = ""


SOURCES: dict[str, DataSource] = {
    "cifar10": DataSource(
        files=(RemoteFile(f"{CIFAR}cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),),
        layout=tuple(
            f"cifar-10-batches-py/{name}"
            for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta")
        ),
    ),
    "cifar100": DataSource(
        files=(RemoteFile(f"{CIFAR}cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85"),),
        layout=("cifar-100-python/train", "cifar-100-python/test", "cifar-100-python/meta"),
    ),
    "svhn": DataSource(
        files=(
            RemoteFile(f"{SVHN}train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
            RemoteFile(f"{SVHN}test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
        ),
        layout=("train_32x32.mat", "test_32x32.mat"),
    ),
    "fashion-mnist": DataSource(
        files=(
            RemoteFile(
                f"{FASHION}train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "FashionMNIST/raw"
            ),
            RemoteFile(
                f"{FASHION}train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", "FashionMNIST/raw"
            ),
            RemoteFile(
                f"{FASHION}t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", "FashionMNIST/raw"
            ),
            RemoteFile(
                f"{FASHION}t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", "FashionMNIST/raw"
            ),
        ),
        layout=tuple(
            f"FashionMNIST/raw/{part}-ubyte"
            for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        ),
    ),
    "tiny-imagenet": DataSource(
        files=(
            RemoteFile(
                "http://cs231n.stanford.edu/tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de"
            ),
        ),
        layout=("train", "val", "wnids.txt"),
        prepare="tiny-imagenet",
    ),
}
