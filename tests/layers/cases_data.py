"""Rows of the data layers and the Python layer, the files they read, and the classes that the Python rows name."""

import dataclasses

import h5py
import numpy as np
from layer_rows import row
from PIL import Image

from blobnet.check import Case
from blobnet.core.layer import Layer
from blobnet.data.stores.annotated_datum import write_annotated


def fill(folder):
    """Make the files that the rows read in `folder`, which stands for FOLDER in them."""
    rng = np.random.default_rng(1)
    for i, size in enumerate([(7, 9), (8, 6), (6, 6)]):
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(folder / f"{i}.png")
    (folder / "images.txt").write_text("".join(f"{i}.png {i + 4}\n" for i in range(3)))
    for i, rows in enumerate([3, 4]):
        with h5py.File(folder / f"{i}.h5", "w") as file:
            file["x"], file["l"] = rng.normal(size=(rows, 2, 3)), np.arange(rows)
    (folder / "h5.txt").write_text(f"{folder}/0.h5\n{folder}/1.h5\n")
    boxes = [[(2, 0.1, 0.2, 0.6, 0.9), (1, 0.5, 0, 1, 0.5, 1), (2, 0, 0, 0.4, 0.4)], [], [(1, 0.2, 0.3, 0.7, 0.8)]]
    write_annotated(folder / "annotated", ((rng.integers(0, 256, (8, 9 + i, 3), np.uint8), boxes[i]) for i in range(3)))
    windows = "1 0.9 1 1 5 4\n0 0.1 0 2 3 6\n2 0.6 2 0 4 5\n0 0 1 1 2 2\n"
    (folder / "windows.txt").write_text("".join(f"# {i}\n{i}.png\n3\n8\n9\n4\n{windows}" for i in range(2)))


@dataclasses.dataclass(frozen=True)
class Given(Case):
    """A MemoryData layer with arrays in it."""

    def build(self, values=None, param=None, **more):
        alone = super().build(values, param, **more)
        alone.layer.reset(np.arange(24).reshape(4, 1, 2, 3), np.arange(4))
        return alone


class Affine:
    """y = w * x + b, as a user of pycaffe writes it."""

    def setup(self, bottom, top):
        self.blobs.add_blob(1)
        self.blobs.add_blob(bottom[0].shape[1])
        self.blobs[0].data[...] = float(self.param_str)

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        self.x = bottom[0].data.copy()
        top[0].data[...] = self.blobs[0].data * self.x + self.blobs[1].data

    def backward(self, top, propagate_down, bottom):
        dy = top[0].diff.copy()
        self.blobs[0].diff[...] += (dy * self.x).sum()
        self.blobs[1].diff[...] += dy.sum(axis=0)
        if propagate_down[0]:
            bottom[0].diff[...] = self.blobs[0].data * dy


class Counted(Layer):
    """A class of blobnet that was not registered: random numbers of its step as a data layer's."""

    num_bottoms = 0

    def reshape(self, bottom, top):
        top[0].reshape(2, 3)

    def forward(self, bottom, top):
        top[0].data[...] = self.random().random((2, 3))


def images(options, transform="", **more):
    return row("ImageData", [], f'image_data_param {{ source: "FOLDER/images.txt" root_folder: "FOLDER/" batch_size: 2 '
               f"{options} }} transform_param {{ {transform} }}", tops="x l", **more)


def windows(options, transform="", **more):
    return row("WindowData", [], f'window_data_param {{ source: "FOLDER/windows.txt" root_folder: "FOLDER/" '
               f"batch_size: 4 {options} }} transform_param {{ crop_size: 6 {transform} }}", tops="x l", **more)


def annotated(data, transform, more="", resize=""):
    """G of the built layer is that of the first record."""
    return row("AnnotatedData", [], 'data_param { source: "FOLDER/annotated" backend: LMDB ' + data + " } "
               f"transform_param {{ resize_param {{ height: 6 width: 5 {resize} }} {transform} }} {more}", tops="x l",
               exceptions={"shapes_without_data": "rows of objects are not rows of images"})


def hdf5(options):
    return row("HDF5Data", [], f'hdf5_data_param {{ source: "FOLDER/h5.txt" batch_size: 5 {options} }}', tops="x l")


def python(cls, values, options="", **more):
    options = f'python_param {{ module: "cases_data" layer: "{cls}" {options} }}'
    return row("Python", values, options, python_layers=True, **more)


CASES = {
    "AnnotatedData": annotated("batch_size: 2", "mirror: true"),
    "AnnotatedData crop": annotated("batch_size: 1", "crop_size: 4 mean_value: 7"),
    "AnnotatedData sampled": annotated("batch_size: 2", """distort_param { hue_prob: 1 hue_delta: 18 contrast_prob: 0.5
        contrast_lower: 0.5 contrast_upper: 1.5 } expand_param { prob: 0.5 max_expand_ratio: 4 } noise_param {
        inverse: true } emit_constraint { emit_type: CENTER }""", """annotated_data_param { anno_type: BBOX
        batch_sampler { sampler { min_scale: 0.3 } sample_constraint { min_jaccard_overlap: 0.1 } } }"""),
    "AnnotatedData listed": dataclasses.replace(annotated(
        "batch_size: 2", "", "annotated_data_param { yolo_data_type: 1 yolo_data_jitter: 0.3 train_diffcult: false }"),
        exceptions={}),
    "AnnotatedData fitted": annotated(
        "batch_size: 1", "", "", "resize_mode: FIT_SMALL_SIZE interp_mode: AREA interp_mode: CUBIC"),
    "Input": row("Input", [], "input_param { shape { dim: 2 dim: 3 } }", tops="x y"),
    "DummyData": row("DummyData", [], 'dummy_data_param { shape { dim: 2 } data_filler { type: "gaussian" } }'),
    "Data": row("Data", [], 'data_param { source: "FOLDER/lmdb" backend: LMDB batch_size: 3 } '
                "transform_param { crop_size: 3 mirror: true }", tops="x l"),
    "ImageData": images("new_height: 5 new_width: 4"),
    "ImageData gray": images("new_height: 9 new_width: 9 is_color: false shuffle: true rand_skip: 3",
                             "crop_size: 4 mirror: true scale: 0.5 mean_value: 100"),
    "ImageData crop": images("", "crop_size: 5 mean_value: 1 mean_value: 2 mean_value: 3"),
    "HDF5Data": hdf5(""),
    "HDF5Data shuffled": hdf5("shuffle: true"),
    "HDF5Output": row("HDF5Output", [(2, 3), (2,)], 'hdf5_output_param { file_name: "FOLDER/out.h5" }', tops=""),
    "MemoryData": Given(row("MemoryData", [], "memory_data_param { batch_size: 2 channels: 1 height: 2 width: 3 }",
                            tops="x l").source),
    "WindowData": windows("fg_fraction: 0.5 scale: 0.5", "mean_value: 7"),
    "WindowData square": windows('context_pad: 1 crop_mode: "square" cache_images: true', "mirror: true"),
    "Python": python("Affine", [(3, 4)], 'param_str: "1.5"'),
    "Python data": python("Counted", []),
}
