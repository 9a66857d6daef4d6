import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', HERE.joinpath("blobnet/__init__.py").read_text("utf-8")).group(1)
PUBLISHED = {"prototxt": (".prototxt", ".yaml", ".md"), "examples": (".py", ".prototxt", ".ipynb", ".md")}


class BuildPy(build_py):
    """Puts the published nets and the lessons, beside the package in the repository, into it; see published.py."""

    def run(self):
        if self.editable_mode:
            return super().run()
        package = Path(self.build_lib, "blobnet")
        shutil.rmtree(package, ignore_errors=True)  # an earlier build may have left files that are gone by now
        super().run()
        for folder, endings in PUBLISHED.items():
            for source in sorted(HERE.joinpath(folder).rglob("*")):
                if source.suffix in endings:
                    target = package / source.relative_to(HERE)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(source, target)


setup(
    name="blobnet",
    version=VERSION,
    description="Runs the networks that were published as Caffe prototxt, in Python, on NumPy or CuPy",
    long_description=HERE.joinpath("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    # An editable installation becomes a line of a .pth file: blobnet is found before the folder of a clone of that name
    # would be taken for a package without __init__.py.
    package_dir={"": "."},
    packages=find_packages(include=["blobnet", "blobnet.*"]),
    package_data={"blobnet": ["py.typed"], "blobnet.proto": ["*.proto"], "blobnet.pycaffe": ["path/caffe.py"],
                  "blobnet.ops.cuda": ["*.cu", "*.cuh"],
                  "blobnet.explain": ["page/*"], "blobnet.view.draw": ["*.css"], "blobnet.view.mathematics": ["*.css"]},
    cmdclass={"build_py": BuildPy},
    install_requires=["numpy>=1.26", "protobuf>=6.31", "pyyaml>=6", "threadpoolctl>=3.2", "lmdb>=1.4", "pillow>=10",
                      "tqdm>=4.65", "h5py>=3.10", "cramjam>=2.7", "crc32c>=2.3"],
    extras_require={
        "gpu": ["cupy-cuda12x[ctk]>=14"],  # ctk: cuBLAS and NVRTC, which the wheel alone lacks
        "matlab": ["scipy>=1.11.1"],  # the attributes of the sketch sets; splines of pycaffe
        "faiss": ["faiss-cpu>=1.8"],
        "parquet": ["pyarrow>=17"],  # codes for DuckDB, Spark and others
        "view": ["matplotlib>=3.8"],
        "demo": ["matplotlib>=3.8", "scikit-learn>=1.6"],
        "sklearn": ["scikit-learn>=1.6"],
        "onnx": ["onnx>=1.17"],
        "safetensors": ["safetensors>=0.7"],
        "tensorboard": ["tensorboardX>=2.6.2.2"],
        "mpi": ["mpi4py>=4.1", "mpich>=4.2.3; sys_platform != 'win32'"],  # mpich brings mpiexec
        "completion": ["shtab>=1.13"],
        "docs": ["sphinx>=8", "furo>=2024.8.6", "myst-parser>=4"],
        "test": ["pytest>=8", "pytest-xdist>=3.5", "hypothesis>=6.90", "ruff>=0.13", "mypy>=1.11", "scipy>=1.11.1",
                 "matplotlib>=3.8", "scikit-learn>=1.6", "nbclient>=0.10", "ipykernel>=6.29", "faiss-cpu>=1.8",
                 "pyarrow>=17", "duckdb>=1.1",
                 "onnx>=1.17", "onnxruntime>=1.22", "safetensors>=0.7", "tensorboardX>=2.6.2.2", "shtab>=1.13",
                 "mpi4py>=4.1; sys_platform == 'linux'", "mpich>=4.2.3; sys_platform == 'linux'",
                 "opencv-python-headless>=4.8.1.78,<5",  # 5 reads no Caffe files
                 "setuptools>=70.1", "build>=1.2.1", "twine>=6.1",
                 # compiles the text of the kernels, without a GPU; 85 MB
                 "nvidia-cuda-nvrtc-cu12>=12.4.99; sys_platform == 'linux' and platform_machine == 'x86_64'"],
    },
    entry_points={"console_scripts": ["blobnet = blobnet.cli:main"]},
)
