import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', HERE.joinpath("blobnet/__init__.py").read_text("utf-8")).group(1)

setup(
    name="blobnet",
    version=VERSION,
    description="Runs the networks that were published as Caffe prototxt, in Python, on NumPy or CuPy",
    long_description=HERE.joinpath("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["blobnet", "blobnet.*"]),
    package_data={"blobnet.proto": ["*.proto"], "blobnet.pycaffe": ["path/caffe.py"]},
    install_requires=["numpy>=1.26", "protobuf>=6.31", "pyyaml>=6", "threadpoolctl>=3.2", "lmdb>=1.4", "pillow>=10",
                      "tqdm>=4.65", "h5py>=3.10"],
    extras_require={
        "gpu": ["cupy-cuda12x>=13"],
        "lbfgs": ["scipy>=1.11"],
        "faiss": ["faiss-cpu>=1.8"],
        "view": ["matplotlib>=3.8"],
        "demo": ["matplotlib>=3.8", "scikit-learn>=1.3"],
        "test": ["pytest>=8", "pytest-xdist>=3.5", "hypothesis>=6.90", "ruff>=0.6", "scipy>=1.11", "matplotlib>=3.8",
                 "scikit-learn>=1.3", "nbclient>=0.10", "ipykernel>=6.29"],
    },
    entry_points={"console_scripts": ["blobnet = blobnet.cli:main"]},
)
